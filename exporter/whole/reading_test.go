package whole

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// rowsAt are good rows, so long after a time.
func rowsAt(begin time.Time, after ...time.Duration) (rows []event.Row) {
	for _, d := range after {
		rows = append(rows, event.Row{Time: begin.Add(d)})
	}
	return rows
}

// Where an answer is cut in two, there are rows on both sides, wherever in the window they are.
func TestTheMiddleOfAnAnswer(t *testing.T) {
	begin := windowsBegin.Add(300 * time.Millisecond)
	w := plan.Window{Start: begin, End: begin.Add(time.Hour)}
	var got Reading
	require.Equal(t, w.Middle(), got.middle(w), "no rows")
	got.Add(rowsAt(begin, 1250*time.Millisecond, 2750*time.Millisecond), w)
	got.Add(nil, w)
	got.Add(rowsAt(begin, -time.Second, 5*time.Second, time.Hour+1), w)
	require.Equal(t, 5, got.Rows)
	require.WithinDuration(t, begin.Add(3*time.Second), got.middle(w), time.Microsecond, "those outside do not count")
	got = Reading{}
	got.Add(rowsAt(begin, 0, time.Hour), w)
	require.WithinDuration(t, w.Middle(), got.middle(w), time.Microsecond, "the ends do")
}

// The only event before an odd end stays in the first part, which is the shortest there is.
func TestTheMiddleOfASingleRow(t *testing.T) {
	w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(time.Hour)}
	at := func(ended bool, after ...time.Duration) time.Duration {
		got := Reading{ended: ended}
		got.Add(rowsAt(w.Start, after...), w)
		return got.middle(w).Sub(w.Start).Round(time.Microsecond)
	}
	require.Equal(t, time.Second, at(true, 500*time.Millisecond))
	require.Equal(t, 2*time.Second, at(true, 2*time.Second))
	require.Equal(t, 500*time.Millisecond, at(false, 500*time.Millisecond))
	require.Equal(t, 500*time.Millisecond, at(true, 400*time.Millisecond, 600*time.Millisecond))
}

// Rows that cannot be read are none that parts have to have again.
func TestGoodRows(t *testing.T) {
	w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(time.Hour)}
	var got Reading
	got.Add([]event.Row{{Time: w.Start}, {Time: w.Start, Bad: "odd"}, {Time: w.Start}}, w)
	require.Equal(t, 2, got.good())
}

// A last row that cannot be read may be a footer, which is no event.
func TestWhatALastRowThatCannotBeReadCounts(t *testing.T) {
	w := plan.Window{Start: windowsBegin, End: windowsBegin.Add(time.Hour)}
	read := func(ended bool, rows ...event.Row) (got Reading) {
		var news News
		got.ended = ended
		for i := range rows {
			got.Add(rows[i:i+1], w)
			news.Note(&rows[i], 1, 2)
		}
		news.End(&got)
		return got
	}
	good, bad := event.Row{Time: w.Start}, event.Row{Time: w.Start, Bad: "has 1 fields"}
	counts := func(got Reading) []int { return []int{got.Least(got.Rows), got.events(), got.Fresh, got.Other} }
	require.Equal(t, []int{3, 3, 3, 6}, counts(read(true, good, bad, good)), "it is not the last")
	require.Equal(t, []int{2, 2, 2, 4}, counts(read(true, good, good, bad)))
	got := read(false, good, good, bad)
	require.Equal(t, []int{2, 3, 3, 6}, counts(got), "an answer like others")
	require.Zero(t, got.Least(0))
	got.Add(nil, w)
	require.Equal(t, 2, got.Least(got.Rows), "no rows change nothing")
}

// Each end is remembered by itself, and not more of them than there is room for.
func TestEndsAreRememberedApart(t *testing.T) {
	var d Ends
	believed := func(text string) Reading {
		got := Reading{Rows: 20}
		end := csv.End{Text: []byte(text)}
		for !d.Believe(minuteAt(0), end, &got) {
		}
		return got
	}
	total, sum := believed("Total,19"), believed("Sum,20")
	d.Honest(total)
	d.Honest(sum)
	require.False(t, d.Suspect(total))
	require.False(t, d.Suspect(sum))
	require.False(t, d.Suspect(believed("Total,20")), "only its digits differ")
	for n := range 2 * mostEnds {
		d.Honest(believed("end " + string(rune('a'+n%26)) + string(rune('a'+n/26))))
		require.LessOrEqual(t, len(d.honest), mostEnds)
	}
	require.True(t, d.Suspect(total), "that was long ago")
}

// An error that was believed is believed at once when it comes again, whichever others came meanwhile.
func TestErrorsAreRememberedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Ends
		comes := func(text string, times int, over time.Duration) (believed bool) {
			for n := range times {
				if n > 0 {
					time.Sleep(over / time.Duration(times-1))
				}
				believed = d.Believe(minuteAt(0), csv.End{Text: []byte(text), Foreign: true}, &Reading{Rows: 10})
			}
			return believed
		}
		require.True(t, comes(exportertest.ErrorBehind, errorTimes, errorTime))
		require.True(t, comes(exportertest.PageBehind, errorTimes, errorTime))
		require.True(t, comes(exportertest.ErrorBehind, 1, 0))
		for n := range mostEnds {
			comes("<p>"+string(rune('a'+n%26))+strconv.Itoa(n)+string(rune('a'+n/26)), errorTimes, errorTime)
			require.LessOrEqual(t, len(d.believed), mostEnds)
		}
		require.False(t, comes(exportertest.ErrorBehind, 1, 0), "that was long ago")
	})
}
