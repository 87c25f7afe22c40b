package plan

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// calmPlanner reads the last ninety days with windows of up to thirty.
func calmPlanner(t *testing.T) *Planner {
	t.Helper()
	start := Midday.Add(-90 * 24 * time.Hour)
	p := New(Limits{Overlap: 10 * time.Minute, MaxWindow: 30 * 24 * time.Hour}, start, start)
	require.True(t, p.Begin(Midday))
	return p
}

// readOn reads n windows that have so many rows each, and returns their lengths in days.
func readOn(p *Planner, n, rows int) (days []float64) {
	for range n {
		w, ok := p.Plan()
		if !ok {
			return days
		}
		days = append(days, w.End.Sub(w.Start).Hours()/24)
		p.NoteRead(w, Midday, rows)
	}
	return days
}

func TestWindowsGrowWithCalm(t *testing.T) {
	require.Equal(t, []float64{1, 2, 4, 8, 16, 30, 29}, readOn(calmPlanner(t), 100, 1000))
	p := calmPlanner(t)
	require.Equal(t, []float64{1, 1, 1}, readOn(p, 3, crowded/4), "twice as much is much")
	require.Equal(t, []float64{1, 2, 4}, readOn(p, 3, 5))
	require.Equal(t, []float64{8, 8}, readOn(p, 2, crowded))
	readOn(p, 1, crowded+1)
	require.Equal(t, []float64{4}, readOn(p, 1, 5), "half of 8")
}

// A poll's window is short and its answer small, which says nothing of a longer one.
func TestPollsDoNotMakeWindowsLong(t *testing.T) {
	p := New(Limits{MaxWindow: 30 * 24 * time.Hour}, Midday.Add(-time.Hour), Midday.Add(-time.Hour))
	for i := range 100 {
		now := Midday.Add(time.Duration(i) * time.Minute)
		require.True(t, p.Begin(now))
		w, _ := p.Plan()
		p.NoteRead(w, now, 3)
	}
	require.Equal(t, FirstWindow, p.length)
}

// What was too much keeps windows from growing back for a while, and no longer.
func TestWindowsRememberWhatWasTooMuch(t *testing.T) {
	p := calmPlanner(t)
	readOn(p, 2, 5)
	w, _ := p.Plan()
	require.True(t, p.Shrink(w))
	days := readOn(p, remembered+3, 5)
	for _, d := range days[:remembered+1] {
		require.InDelta(t, 2, d, 0)
	}
	require.Equal(t, []float64{4, 8}, days[remembered+1:])
}

// Where a window had too many rows, windows that became even shorter, since the endpoint was ill for a while, grow back
// as far as its halves: or a day of it would be read second by second.
func TestWindowsGrowBackWhereThereWereTooManyRows(t *testing.T) {
	p := calmPlanner(t)
	w, _ := p.Plan()
	require.True(t, p.Split(w))
	for p.Length() > time.Second {
		p.Shrink(Window{w.Start, w.Start.Add(p.Length())})
	}
	for reads := 0; p.Length() < FirstWindow/2; reads++ {
		next, _ := p.Plan()
		require.True(t, next.End.Before(w.End))
		p.NoteRead(next, Midday, 5)
		require.Less(t, reads, 40)
	}
	p = calmPlanner(t)
	w, _ = p.Plan()
	require.True(t, p.Split(w))
	w, _ = p.Plan()
	require.True(t, p.Split(w))
	require.Equal(t, []float64{0.25, 0.25, 0.5}, readOn(p, 3, 5), "and no further")
}

// A window that is long because what came before it was calm is not read on when it is not calm: no more is held for
// it than for a window of a day.
func TestAnExcessEndsCalm(t *testing.T) {
	p := calmPlanner(t)
	w, _ := p.Plan()
	require.Equal(t, math.MaxInt, p.Most(w), "a day is read however much it has")
	readOn(p, 3, 5)
	w, _ = p.Plan()
	require.Equal(t, crowded, p.Most(w))
	p.Retreat()
	again, _ := p.Plan()
	require.Equal(t, Window{w.Start, w.Start.Add(FirstWindow)}, again, "the same time, a day of it")
	require.Equal(t, []float64{1, 1}, readOn(p, 2, 5), "it does not grow back at once")
}

func TestTheLongestWindowThatReachesATime(t *testing.T) {
	const day = 24 * time.Hour
	p := calmPlanner(t)
	require.Equal(t, day, p.LongestOver(Midday.Add(-time.Hour)), "nothing was read")
	readOn(p, 4, 5)
	require.Equal(t, 8*day, p.LongestOver(Midday.Add(-76*day)))
	require.Equal(t, day, p.LongestOver(Midday.Add(-75*day)), "it ended there")

	limits := Limits{MaxWindow: 30 * day}
	p = New(limits, Midday.Add(-90*day), Midday)
	require.Equal(t, 30*day, p.LongestOver(Midday.Add(-time.Minute)), "nobody knows what an earlier process read")
	require.Equal(t, day, p.LongestOver(Midday))
	limits.MaxWindow = time.Hour
	require.Equal(t, time.Hour, New(limits, Midday, Midday).LongestOver(Midday))
}
