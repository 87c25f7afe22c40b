package dedup

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPlaceholderIsNoID(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name"}
	x := NewIdentifier(make([]byte, 16))
	for _, id := range []string{"None", "null", "NULL", "nil", "NaN", "N/A", "na", "undefined", "<NA>", "-", ""} {
		who := identify(t, x, header,
			[]string{id, "1", "login"}, []string{id, "1", "login"}, []string{id, "1", "logout"})
		require.NotEqual(t, who[0], who[1], "%q: two events that look alike", id)
		require.NotEqual(t, who[0].ID, who[2].ID)
	}
	for _, id := range []string{"none-1", "0", "undefined1"} {
		who := identify(t, x, header, []string{id, "1", "login"}, []string{id, "1", "login"})
		require.Equal(t, who[0], who[1], id)
	}
}

func TestAnIDThatHalfOfTheRowsShareIsNone(t *testing.T) {
	header := []string{"event_id", "event_time", "action_name"}
	for name, c := range map[string]struct {
		rows, shared int // shared in 10 rows
		none         bool
	}{
		"half": {200, 5, true}, "all": {200, 10, true}, "a fifth": {200, 2, false}, "few rows": {30, 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			x := NewIdentifier(make([]byte, 16))
			x.Shared(nil, func(id string, rows, of int) {
				require.Equal(t, c.rows, of)
				require.InDelta(t, c.rows*c.shared/10, rows, float64(c.rows)/10)
				found = append(found, id)
			})
			var rows [][]string
			for n := range c.rows {
				id := "shared"
				if n*7%10 >= c.shared {
					id = fmt.Sprint("id-", n)
				}
				rows = append(rows, []string{id, "1", "login"})
			}
			identify(t, x, header, rows...)
			pair := [][]string{{"shared", "1", "login"}, {"shared", "1", "login"}}
			who := identify(t, x, header, pair...)
			require.Equal(t, c.none, who[0] != who[1])
			require.Equal(t, c.none, len(found) == 1)

			x = NewIdentifier(make([]byte, 16))
			x.Shared(found, nil)
			require.Equal(t, who, identify(t, x, header, pair...), "it is known from the beginning")
		})
	}
}
