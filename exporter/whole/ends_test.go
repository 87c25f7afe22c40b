package whole

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// minuteAt is one of several windows.
func minuteAt(n int) plan.Window {
	start := windowsBegin.Add(time.Duration(n) * time.Second)
	return plan.Window{Start: start, End: start.Add(time.Minute)}
}

func TestADoubtfulEndIsBelievedWhenItComesAgain(t *testing.T) {
	synctest.Test(t, doubtfulEndIsBelievedWhenItComesAgain)
}

func doubtfulEndIsBelievedWhenItComesAgain(t *testing.T) {
	var d Ends
	footer := func(text string) csv.End { return csv.End{Text: []byte(text), Torn: true} }
	rows := func(n int) *Reading { return &Reading{Rows: n} }
	require.False(t, d.Believe(minuteAt(0), footer("Total,20"), rows(20)))
	require.True(t, d.Believe(minuteAt(0), footer("Total,121"), rows(121)), "a footer counts")
	require.True(t, d.Believe(minuteAt(0), footer("Total,121"), rows(121)), "it has just come twice")
	time.Sleep(againTime + 1)
	require.False(t, d.Believe(minuteAt(0), footer("Total,121"), rows(121)), "later it has to come twice again")
	require.False(t, d.Believe(minuteAt(1), footer("Total,121"), rows(121)), "another window")
	require.False(t, d.Believe(minuteAt(1), footer("Tota"), rows(121)), "another end")
	require.False(t, d.Believe(minuteAt(1), footer("Tota"), rows(120)), "fewer rows before it")
	require.True(t, d.Believe(minuteAt(1), footer("Tota"), rows(120)))
	d.Proper(minuteAt(1))
	require.False(t, d.Believe(minuteAt(1), footer("Tota"), rows(120)), "one ended properly in between")
	require.True(t, d.Believe(minuteAt(0), footer("Total,9"), rows(121)), "other windows change nothing")
	for i := range 2 * mostEnds {
		require.False(t, d.Believe(minuteAt(2+i), footer("Total,9"), rows(1)))
		time.Sleep(time.Millisecond)
	}
	require.Len(t, d.seen, mostEnds)
	require.True(t, d.Believe(minuteAt(2*mostEnds+1), footer("Total,9"), rows(1)), "the last of them")
	require.False(t, d.Believe(minuteAt(2), footer("Total,9"), rows(1)), "the first made room")
}

func TestAnErrorBehindRowsHasToComeFiveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Ends
		end := csv.End{Text: []byte(exportertest.ErrorBehind), Foreign: true}
		for range 3 {
			require.False(t, d.Believe(minuteAt(0), end, &Reading{Rows: 10}))
		}
		time.Sleep(errorTime)
		for n := range 4 {
			require.False(t, d.Believe(minuteAt(0), end, &Reading{Rows: 9 + n}), "fewer rows before it begin anew")
		}
		require.False(t, d.Believe(minuteAt(0), end, &Reading{Rows: 12}), "and for ten minutes")
		time.Sleep(errorTime)
		require.True(t, d.Believe(minuteAt(0), end, &Reading{Rows: 12}))
		require.True(t, d.Believe(minuteAt(1), end, &Reading{Rows: 1}), "it comes with each poll")
		other := csv.End{Text: []byte(exportertest.PageBehind), Foreign: true}
		require.False(t, d.Believe(minuteAt(1), other, &Reading{Rows: 1}))
	})
}

func TestAnOddEndIsSuspectUntilItWasExamined(t *testing.T) {
	var d Ends
	footer := csv.End{Text: []byte("Total,20\n")}
	got := Reading{Rows: 20}
	require.False(t, d.Believe(minuteAt(0), footer, &got))
	require.False(t, d.Suspect(got), "it was not believed")
	require.True(t, d.Believe(minuteAt(0), footer, &got))
	require.True(t, d.Suspect(got))
	d.Honest(got)
	require.False(t, d.Suspect(got))
	got.Rows++
	require.True(t, d.Suspect(got), "more rows may be too many")
	got.Rows, got.end = 20, "Error\n"
	require.True(t, d.Suspect(got), "another end")
	got.Rows = 0
	d.Honest(got)
	require.True(t, d.Suspect(got), "a query may fail ahead of the first row")

	d.Examining = true
	require.True(t, d.Believe(minuteAt(1), footer, &got), "a part of what is examined")
}

// A last row without a line end may be cut: it has to come twice, until an answer that ended so was shown to be whole.
func TestAFramedRowWithoutALineEndHasToComeTwice(t *testing.T) {
	var d Ends
	got := Reading{Rows: 20}
	require.False(t, d.BelieveTorn(minuteAt(0), &got))
	require.False(t, d.BelieveTorn(minuteAt(1), &got), "another window")
	require.False(t, d.Suspect(got), "it was not believed")
	require.True(t, d.BelieveTorn(minuteAt(1), &got))
	require.True(t, d.Suspect(got), "others may be cut off too")
	next := Reading{Rows: 20}
	require.False(t, d.BelieveTorn(minuteAt(2), &next))
	d.Examining = true
	require.True(t, d.BelieveTorn(minuteAt(3), &next), "a part of what is examined")
	d.Examining = false
	d.Honest(got)
	next = Reading{Rows: 20}
	require.True(t, d.BelieveTorn(minuteAt(4), &next), "it ends its answers so")
	require.False(t, d.Suspect(next))
	next.Rows = 21
	require.True(t, d.Suspect(next))
}
