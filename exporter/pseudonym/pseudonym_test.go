package pseudonym

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

func testKey(t testing.TB) *Key {
	t.Helper()
	key, err := NewKey(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	return key
}

// What a pseudonym is must never change: searches go by it. These were made with Python's hmac.
func TestPseudonymsArePinned(t *testing.T) {
	key := testKey(t)
	for value, want := range map[string]string{
		"ada@example.com": "p-1c46a892e933b2b3b269dc801af7f942",
		"u-17":            "p-ce0454db432b3e635d945e4e8d7d49a6",
		"203.0.113.7":     "fdf4:54a1:617:e392:7f54:b8c9:2795:8448",
	} {
		require.Equal(t, want, key.Of(value))
		require.Equal(t, want, key.Of(value), "again")
	}
	require.Empty(t, key.Of(""))
}

// An address stays one, the same for all its spellings, and one that is nobody's in the Internet.
func TestAnAddressStaysAnAddress(t *testing.T) {
	key := testKey(t)
	for _, spellings := range [][]string{
		{"203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107"}, {"2001:db8::7", "2001:DB8:0:0:0:0:0:7"},
	} {
		first, err := netip.ParseAddr(key.Of(spellings[0]))
		require.NoError(t, err)
		require.True(t, netip.MustParsePrefix("fd00::/8").Contains(first))
		for _, spelled := range spellings {
			require.Equal(t, first.String(), key.Of(spelled))
		}
	}
	require.NotEqual(t, key.Of("203.0.113.7"), key.Of("203.0.113.8"))
	for _, none := range []string{"fe80::1%eth0", "203.0.113.7, 10.0.0.1", "203.0.113", "::::::"} {
		require.True(t, strings.HasPrefix(key.Of(none), Prefix), none)
	}
}

func TestAnotherKeyMakesOtherPseudonyms(t *testing.T) {
	other, err := NewKey(bytes.Repeat([]byte("K"), 32))
	require.NoError(t, err)
	for _, value := range []string{"ada@example.com", "203.0.113.7"} {
		require.NotEqual(t, testKey(t).Of(value), other.Of(value))
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	for length, want := range map[int]string{0: "is empty", 31: "is shorter than 32 bytes", 5000: "is longer than 4096"} {
		_, err := NewKey(bytes.Repeat([]byte("k"), length))
		require.ErrorContains(t, err, want)
	}
}

func TestAKeyIsNotShown(t *testing.T) {
	key, err := NewKey([]byte("hush-hush-hush-hush-hush-hush-hush"))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		text := fmt.Sprintf(verb, key)
		require.NotContains(t, text, "hush")
		require.NotContains(t, strings.ToLower(text), fmt.Sprintf("%x", "hush"))
	}
}

// row makes a row of pairs of a column and its value.
func row(t *testing.T, pairs ...string) *event.Row {
	t.Helper()
	header := []string{"event_id", "event_time", "action_name"}
	r := &event.Row{Fields: [][]byte{[]byte("id-1"), []byte("2026-03-04T05:06:07Z"), []byte("user_invited")}, ASCII: true}
	for i := 0; i < len(pairs); i += 2 {
		header = append(header, pairs[i])
		r.Fields = append(r.Fields, []byte(pairs[i+1]))
	}
	columns, ok := event.NewColumns(header)
	require.True(t, ok)
	r.Columns = columns
	return r
}

func texts(r *event.Row) map[string]string {
	out := map[string]string{}
	for place, name := range r.Columns.Names {
		out[name] = string(r.Field(place))
	}
	return out
}

func TestTheWantedColumnsGetPseudonyms(t *testing.T) {
	key := testKey(t)
	r := row(t, "user_id", "u-17", "user_name", "ada@example.com", "source_ip", "203.0.113.7", "resource_id", "u-170")
	before := texts(r)
	p := NewRows(key, Columns)
	p.Hide(r)
	require.Equal(t, map[string]string{
		"event_id": "id-1", "event_time": "2026-03-04T05:06:07Z", "action_name": "user_invited",
		"user_id": key.Of("u-17"), "user_name": key.Of("ada@example.com"), "source_ip": key.Of("203.0.113.7"),
		"resource_id": "u-170",
	}, texts(r))
	p.Show(r)
	require.Equal(t, before, texts(r), "what follows goes by the row as it was")

	p = NewRows(key, []string{"source_ip"})
	p.Hide(r)
	require.Equal(t, "u-17", texts(r)["user_id"])
	require.Equal(t, key.Of("203.0.113.7"), texts(r)["source_ip"])
}

// Other columns may have the same values in them, or name others.
func TestValuesInOtherColumnsAreHiddenToo(t *testing.T) {
	key := testKey(t)
	ada, bob, id, address := key.Of("ada@example.com"), key.Of("bob@example.com"), key.Of("u-17"), key.Of("203.0.113.7")
	for text, want := range map[string]string{
		"ada@example.com":                      ada,
		"key of ada@example.com":               "key of " + ada,
		"<bob@example.com>, (ada@example.com)": "<" + bob + ">, (" + ada + ")",
		"Write to bob@example.com.":            "Write to " + bob + ".",
		"u-17":                                 id,
		"users/u-17/keys":                      "users/" + id + "/keys",
		"u-170":                                "u-170",
		"from 203.0.113.7:443":                 "from " + address + ":443",
		"@home":                                "@home",
		"a @ b":                                "a @ b",
		"résumé":                               "résumé",
	} {
		r := row(t, "user_id", "u-17", "user_name", "ada@example.com", "source_ip", "203.0.113.7", "resource_name", text,
			"new_column", text)
		NewRows(key, Columns).Hide(r)
		require.Equal(t, want, texts(r)["resource_name"], text)
		require.Equal(t, want, texts(r)["new_column"], text)
	}
	r := row(t, "user_id", "7", "resource_name", "7 of 17", "resource_id", "7")
	NewRows(key, Columns).Hide(r)
	require.Equal(t, "7 of 17", texts(r)["resource_name"], "too short to be told from others")
	require.Equal(t, key.Of("7"), texts(r)["resource_id"])
	r = row(t, "user_name", "ada@example.com", "resource_name", "bob@example.com")
	NewRows(key, []string{"user_id"}).Hide(r)
	require.Equal(t, "bob@example.com", texts(r)["resource_name"], "names are not wanted")
}

// In a row that was torn apart anything may stand anywhere.
func TestABadRowShowsItsIDOnly(t *testing.T) {
	r := row(t, "user_id", "ada@example.com")
	r.Bad, r.Raw = `event_time "ada@example.com" is no time that can be read`, []byte(`id-1,ada@example.com`)
	p := NewRows(testKey(t), []string{"source_ip"})
	p.Hide(r)
	all := fmt.Sprint(texts(r), r.Bad, string(r.Raw))
	require.NotContains(t, all, "ada")
	require.NotContains(t, all, "user_invited")
	require.Equal(t, "id-1", texts(r)["event_id"])
	require.Equal(t, Withheld, r.Bad)
	require.Equal(t, Withheld, string(r.Raw))
	p.Show(r)
	require.Equal(t, "id-1,ada@example.com", string(r.Raw))
}

// A row costs no memory once there is room.
func TestRowsCostNoMemory(t *testing.T) {
	r := row(t, "user_id", "u-17", "user_name", "ada@example.com", "source_ip", "203.0.113.7", "resource_name",
		"of ada@example.com and bob@example.com")
	p := NewRows(testKey(t), Columns)
	p.Hide(r)
	p.Show(r)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { p.Hide(r); p.Show(r) }), 0.0)
}
