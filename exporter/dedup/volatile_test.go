package dedup

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// identify returns the identities of one answer's rows.
func identify(t *testing.T, x *Identifier, header []string, rows ...[]string) (who []Identity) {
	columns, ok := event.NewColumns(header)
	require.True(t, ok)
	x.Begin(columns)
	for _, fields := range rows {
		r := event.Row{Columns: columns}
		for _, field := range fields {
			r.Fields = append(r.Fields, []byte(field))
		}
		who = append(who, x.Identify(&r))
	}
	return who
}

func TestAnUnknownColumnIsNoPartOfAnEventWithAnID(t *testing.T) {
	x := NewIdentifier(make([]byte, 16))
	header := []string{"event_id", "event_time", "action_name", "exported_at"}
	first := identify(t, x, header, []string{"a", "1", "login", "x"})
	require.Equal(t, first, identify(t, x, header, []string{"a", "1", "login", "y"}))
	require.Equal(t, first, identify(t, x, header[:3], []string{"a", "1", "login"}))
	other := identify(t, x, header, []string{"a", "1", "logout", "y"})
	require.Equal(t, first[0].ID, other[0].ID)
	require.NotEqual(t, first[0].Content, other[0].Content, "a known column changed")
}

func TestAVolatileColumnIsFound(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name", "exported_at", "region"}
	for _, id := range []string{"id-%d", ""} {
		var found []string
		x := NewIdentifier(make([]byte, 16))
		x.Volatile(nil, func(column string) { found = append(found, column) })
		answer := func(stamp string) []Identity {
			var rows [][]string
			for n := range 50 {
				name := id
				if id != "" {
					name = fmt.Sprintf(id, n)
				}
				rows = append(rows, []string{name, fmt.Sprint(n), "login", stamp, "eu"})
			}
			return identify(t, x, header, rows...)
		}
		answer("1")
		require.Empty(t, found)
		answer("2")
		require.Equal(t, []string{"exported_at"}, found)
		third := answer("3")
		require.Equal(t, third, answer("4"))
		require.Equal(t, []string{"exported_at"}, found, "once")

		again := NewIdentifier(make([]byte, 16))
		again.Volatile(found, nil)
		x = again
		require.Equal(t, third, answer("5"), "it is known from the beginning")
	}
}

func TestAColumnThatStaysIsNotVolatile(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name", "region"}
	x := NewIdentifier(make([]byte, 16))
	x.Volatile(nil, func(column string) { t.Errorf("%s is found", column) })
	for range 3 {
		who := identify(t, x, header,
			[]string{"a", "1", "login", "eu"}, []string{"b", "1", "login", "us"},
			[]string{"", "1", "login", "eu"}, []string{"", "1", "login", "us"})
		require.NotEqual(t, who[2], who[3], "it tells events without an id apart")
	}
	identify(t, x, header, []string{"a", "1", "logout", "us"}) // another version of all
}

func TestABadRowIsTheSameWhateverAVolatileColumnSays(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name", "exported_at"}
	columns, _ := event.NewColumns(header)
	x := NewIdentifier(make([]byte, 16))
	x.Volatile([]string{"exported_at"}, nil)
	x.Begin(columns)
	bad := func(action, stamp, more string) Identity {
		r := event.Row{Columns: columns, Bad: "bad", Raw: []byte("a,1," + action + "," + stamp + more)}
		r.Fields = [][]byte{[]byte("a"), []byte("1"), []byte(action), []byte(stamp)}
		return x.Identify(&r)
	}
	require.Equal(t, bad("login", "x1", ","), bad("login", "y2", ","))
	require.NotEqual(t, bad("login", "x1", ","), bad("logout", "x1", ","))
	require.NotEqual(t, bad("login", "x1", ","), bad("login", "x1", ",,"))
}

func TestWatchingColumnsAllocatesNothing(t *testing.T) {
	columns, _ := event.NewColumns([]string{"event_id", "event_time", "action_name", "exported_at"})
	x := NewIdentifier(make([]byte, 16))
	x.Begin(columns)
	id, stamp := []byte("id-0"), []byte("x")
	r := event.Row{Columns: columns, Fields: [][]byte{id, []byte("1"), []byte("login"), stamp}}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		id[3]++
		x.Identify(&r)
	}))
}
