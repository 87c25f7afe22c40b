package dedup

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// stamped is rows from first up to, and without, end, with the same stamp in the column exported_at.
func stamped(first, end int, stamp string) (rows [][]string) {
	for n := first; n < end; n++ {
		rows = append(rows, []string{fmt.Sprint("id-", n), "1", "login", stamp})
	}
	return rows
}

var stampedHeader = []string{"event_id", "event_time", "action_name", "exported_at"}

// Windows move on: of the rows of an answer only some come again, and any of them tells.
func TestAVolatileColumnIsFoundByWhicheverRowsComeAgain(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Volatile(nil, func(string) { found++ })
	for n := range 4 {
		identify(t, x, stampedHeader, stamped(25*n, 25*n+50, fmt.Sprint(n))...)
	}
	require.Equal(t, 1, found)
}

// Rows that do not come again must not be waited for: there is room for few.
func TestRowsThatComeNoMoreGiveWay(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Volatile(nil, func(string) { found++ })
	for range 2 {
		identify(t, x, stampedHeader, stamped(0, 20<<sampleBits, "same")...)
	}
	for n := range 3 {
		identify(t, x, stampedHeader, stamped(20<<sampleBits, 40<<sampleBits, fmt.Sprint(n))...)
	}
	require.Equal(t, 1, found)
}

// A row that was held in the last answer is waited for, in whatever order the next one has its rows.
func TestAVolatileColumnIsFoundInAnyOrderOfRows(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Volatile(nil, func(string) { found++ })
	for n := range 2 {
		rows := stamped(0, 20<<sampleBits, fmt.Sprint(n))
		if n == 1 {
			slices.Reverse(rows)
		}
		identify(t, x, stampedHeader, rows...)
	}
	require.Equal(t, 1, found)
}

// An answer may have any number of columns. Those that are not watched are part of the event.
func TestMoreColumnsThanAreWatched(t *testing.T) {
	header, row := []string{"event_id", "event_time", "action_name"}, []string{"a", "1", "login"}
	for n := range maxWatched + 1 {
		header, row = append(header, fmt.Sprint("column_", n)), append(row, "x")
	}
	x := NewIdentifier(make([]byte, 16))
	first := identify(t, x, header, row)
	row[2+maxWatched] = "y"
	require.Equal(t, first, identify(t, x, header, row), "the last one that is watched")
	row[3+maxWatched] = "y"
	require.NotEqual(t, first, identify(t, x, header, row), "the first one that is not")
}

// The checkpoint remembers volatile columns, so that a server that makes up names must not fill it.
func TestNoMoreVolatileColumnsThanTheCheckpointRemembers(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Volatile(nil, func(string) { found++ })
	for n := range 2 * maxVolatile {
		header := append(stampedHeader[:3:3], fmt.Sprint("column_", n))
		for answer := range 2 {
			identify(t, x, header, stamped(0, 1, fmt.Sprint(answer))...)
		}
	}
	require.Equal(t, maxVolatile, found)
}

// share makes so many rows with one id, then rows of their own up to the whole number.
func share(x *Identifier, t *testing.T, shared, of int) {
	t.Helper()
	var rows [][]string
	for n := range of {
		id := "shared"
		if n >= shared {
			id = fmt.Sprint("id-", n)
		}
		rows = append(rows, []string{id, "1", "login"})
	}
	header := []string{"event_id", "event_time", "action_name"}
	identify(t, x, header, rows...)
	identify(t, x, header)
}

func TestFromWhichShareOnAnIDIsNone(t *testing.T) {
	for _, c := range []struct {
		shared, of int
		none       bool
	}{
		{sharedRows, sharedRows, true},
		{sharedRows - 1, sharedRows - 1, false},
		{20, 50, true},
		{19, 50, false},
	} {
		found := 0
		x := NewIdentifier(make([]byte, 16))
		x.Shared(nil, func(id string, rows, of int) {
			require.Equal(t, []int{c.shared, c.of}, []int{rows, of})
			found++
		})
		share(x, t, c.shared, c.of)
		require.Equal(t, c.none, found == 1, "%d of %d", c.shared, c.of)
	}
}

// An id at the beginning of an answer that is seen no more must not take one of the two counters for good.
func TestAnIDThatIsSeenOnceDoesNotHideASharedOne(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Shared(nil, func(string, int, int) { found++ })
	header, rows := []string{"event_id", "event_time", "action_name"}, [][]string{{"once", "1", "login"}}
	for n := range 100 {
		id := "shared"
		if n >= 45 {
			id = fmt.Sprint("id-", n)
		}
		rows = append(rows, []string{id, "1", "login"})
	}
	identify(t, x, header, rows...)
	identify(t, x, header)
	require.Equal(t, 1, found)
}

// Two programs may each write a text of their own where there is no id.
func TestTwoIDsOfOneAnswerMayBeNone(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Shared(nil, func(_ string, rows, of int) {
		require.Equal(t, []int{45, 100}, []int{rows, of})
		found++
	})
	header := []string{"event_id", "event_time", "action_name"}
	var rows [][]string
	for n := range 100 {
		id := fmt.Sprint("shared-", n%2)
		if n%20 >= 18 {
			id = fmt.Sprint("id-", n)
		}
		rows = append(rows, []string{id, "1", "login"})
	}
	identify(t, x, header, rows...)
	identify(t, x, header)
	require.Equal(t, 2, found)
}

// What an answer begins with and has no more must give way, however often it came.
func TestIDsThatComeNoMoreGiveWay(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Shared(nil, func(string, int, int) { found++ })
	header := []string{"event_id", "event_time", "action_name"}
	var rows [][]string
	for n := range 100 {
		id := fmt.Sprint("shared-", n%2)
		if n < 6 {
			id = fmt.Sprint("early-", n%2)
		}
		rows = append(rows, []string{id, "1", "login"})
	}
	identify(t, x, header, rows...)
	identify(t, x, header)
	require.Equal(t, 2, found)
}

// No more ids count as none than the checkpoint remembers.
func TestSharedIDsAreBounded(t *testing.T) {
	found := 0
	x := NewIdentifier(make([]byte, 16))
	x.Shared(nil, func(string, int, int) { found++ })
	for n := range 2 * maxShared {
		var rows [][]string
		for range sharedRows {
			rows = append(rows, []string{fmt.Sprint("shared-", n), "1", "login"})
		}
		identify(t, x, []string{"event_id", "event_time", "action_name"}, rows...)
	}
	require.Equal(t, maxShared, found)
}
