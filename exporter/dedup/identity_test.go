package dedup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// A checkpoint has identities. Another version of the plugin must make the same of the same rows, or an upgrade
// sends the whole overlap again.
func TestIdentitiesOutliveAnUpgrade(t *testing.T) {
	key := []byte("0123456789abcdef")
	x := NewIdentifier(key)
	require.Equal(t, []Identity{
		{0xd4cbb8476a9e61cf, 0x8569962a5c10ae40},
		{0x8f4286fb314a6ffe, 0xdc372a89da827fe3},
		{0x1175ff424e0013eb, 0xdc372a89da827fe3},
		{0x2458a687e55f9903, 0x772d0af50e97891e},
	}, identify(t, x, []string{"event_id", "event_time", "action_name"},
		[]string{"ev-1", "1", "login"}, []string{"", "1", "login"}, []string{"", "1", "login"},
		[]string{"none", "1", "login"}), "with an event_id, and three without")

	x.Volatile([]string{"exported_at"}, nil)
	header := []string{"event_id", "event_time", "action_name", "exported_at"}
	require.Equal(t, []Identity{
		{0xd4cbb8476a9e61cf, 0x8569962a5c10ae40}, {0x8f4286fb314a6ffe, 0xdc372a89da827fe3},
	}, identify(t, x, header,
		[]string{"ev-1", "1", "login", "7"}, []string{"", "1", "login", "7"}), "with a volatile column")

	columns, _ := event.NewColumns(header)
	x.Begin(columns)
	bad := badRow(columns, "a,1,login,7,", "a", "1", "login", "7")
	require.Equal(t, Identity{0x269c39a46fdeed11, 0x40ed09b28ee9752d}, x.Identify(bad))
}

func badRow(columns *event.Columns, text string, fields ...string) *event.Row {
	r := &event.Row{Columns: columns, Bad: "bad", Raw: []byte(text)}
	for _, field := range fields {
		r.Fields = append(r.Fields, []byte(field))
	}
	return r
}

// A column that has nothing for an event says nothing of it: the endpoint may add columns, and leave them out again.
func TestAnEmptyFieldIsNoPartOfAnEvent(t *testing.T) {
	x := NewIdentifier(make([]byte, 16))
	for name, rows := range map[string]struct {
		id    string
		added []string // to the header
	}{
		"a known column": {"a", []string{"user_id"}}, "an unknown column": {"a", []string{"region"}},
		"both": {"a", []string{"user_id", "region"}}, "no event_id": {"", []string{"user_id", "region"}},
	} {
		header, row := []string{"event_id", "event_time", "action_name"}, []string{rows.id, "1", "login"}
		want := identify(t, x, header, row)
		header, row = append(header, rows.added...), append(row, make([]string, len(rows.added))...)
		require.Equal(t, want, identify(t, x, header, row), name)
	}
}

// A volatile column may be empty in one answer and not in the next.
func TestAVolatileColumnWithoutAValueIsNoPartOfAnEventEither(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name", "exported_at"}
	x := NewIdentifier(make([]byte, 16))
	x.Volatile([]string{"exported_at"}, nil)
	want := identify(t, x, header, []string{"", "1", "login", "x"})
	require.Equal(t, want, identify(t, x, header, []string{"", "1", "login", ""}))
}

func TestABadRowIsTheSameBeforeItsEmptyColumnIsVolatile(t *testing.T) {
	columns, _ := event.NewColumns([]string{"event_id", "event_time", "action_name", "exported_at"})
	var who []Identity
	for _, volatile := range [][]string{nil, {"exported_at"}} {
		x := NewIdentifier(make([]byte, 16))
		x.Volatile(volatile, nil)
		x.Begin(columns)
		who = append(who, x.Identify(badRow(columns, "a,1,login,", "a", "1", "login", "")))
	}
	require.Equal(t, who[0], who[1])
}

func TestABadRowMayBeginWithItsVolatileColumn(t *testing.T) {
	columns, _ := event.NewColumns([]string{"exported_at", "event_time", "action_name"})
	x := NewIdentifier(make([]byte, 16))
	x.Volatile([]string{"exported_at"}, nil)
	x.Begin(columns)
	first := x.Identify(badRow(columns, "x1,1,login,", "x1", "1", "login"))
	x.Begin(columns)
	require.Equal(t, first, x.Identify(badRow(columns, "y2,1,login,", "y2", "1", "login")))
}
