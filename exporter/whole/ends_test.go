package whole

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestADoubtfulEndIsBelievedWhenItComesAgain(t *testing.T) {
	var d Ends
	footer := func(text string) csv.End { return csv.End{Text: []byte(text), Torn: true} }
	rows := func(n int) *Reading { return &Reading{Rows: n} }
	require.False(t, d.Believe(windowsBegin, footer("Total,20"), rows(20)))
	require.True(t, d.Believe(windowsBegin, footer("Total,121"), rows(121)), "a footer counts")
	require.False(t, d.Believe(windowsBegin, footer("Total,121"), rows(121)), "the next answer has to come twice too")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Total,121"), rows(121)), "another window")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), rows(121)), "another end")
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), rows(120)), "fewer rows before it")
	require.True(t, d.Believe(windowsBegin.Add(1), footer("Tota"), rows(120)))
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), rows(120)))
	d.Proper(windowsBegin)
	d.Proper(windowsBegin.Add(1))
	require.False(t, d.Believe(windowsBegin.Add(1), footer("Tota"), rows(120)), "one ended properly in between")
}

func TestAnErrorBehindRowsHasToComeFiveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Ends
		end := csv.End{Text: []byte(exportertest.ErrorBehind), Foreign: true}
		for range 3 {
			require.False(t, d.Believe(windowsBegin, end, &Reading{Rows: 10}))
		}
		time.Sleep(errorTime)
		for n := range 4 {
			require.False(t, d.Believe(windowsBegin, end, &Reading{Rows: 9 + n}), "fewer rows before it begin anew")
		}
		require.False(t, d.Believe(windowsBegin, end, &Reading{Rows: 12}), "and for ten minutes")
		time.Sleep(errorTime)
		require.True(t, d.Believe(windowsBegin, end, &Reading{Rows: 12}))
		require.True(t, d.Believe(windowsBegin.Add(1), end, &Reading{Rows: 1}), "it comes with each poll")
		other := csv.End{Text: []byte(exportertest.PageBehind), Foreign: true}
		require.False(t, d.Believe(windowsBegin.Add(1), other, &Reading{Rows: 1}))
	})
}

func TestAnOddEndIsSuspectUntilItWasExamined(t *testing.T) {
	var d Ends
	footer := csv.End{Text: []byte("Total,20\n")}
	got := Reading{Rows: 20}
	require.False(t, d.Believe(windowsBegin, footer, &got))
	require.False(t, d.Suspect(got), "it was not believed")
	require.True(t, d.Believe(windowsBegin, footer, &got))
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
	require.True(t, d.Believe(windowsBegin.Add(1), footer, &got), "a part of what is examined")
}

// A last row without a line end may be cut: it has to come twice, until an answer that ended so was shown to be whole.
func TestAFramedRowWithoutALineEndHasToComeTwice(t *testing.T) {
	var d Ends
	got := Reading{Rows: 20}
	require.False(t, d.BelieveTorn(windowsBegin, &got))
	require.False(t, d.BelieveTorn(windowsBegin.Add(1), &got), "another window")
	require.False(t, d.Suspect(got), "it was not believed")
	require.True(t, d.BelieveTorn(windowsBegin.Add(1), &got))
	require.True(t, d.Suspect(got), "others may be cut off too")
	next := Reading{Rows: 20}
	require.False(t, d.BelieveTorn(windowsBegin, &next))
	d.Examining = true
	require.True(t, d.BelieveTorn(windowsBegin, &next), "a part of what is examined")
	d.Examining = false
	d.Honest(got)
	next = Reading{Rows: 20}
	require.True(t, d.BelieveTorn(windowsBegin, &next), "it ends its answers so")
	require.False(t, d.Suspect(next))
	next.Rows = 21
	require.True(t, d.Suspect(next))
}
