package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreCutDownToAMillisecond(t *testing.T) {
	p := plannerAt(Midday.Add(-48 * time.Hour))
	p.Begin(Midday)
	first, _ := p.Plan()
	w, last, splits := first, first, 0
	for p.Split(w) {
		last = w
		w, _ = p.Plan()
		require.Equal(t, first.Start, w.Start)
		splits++
	}
	require.Equal(t, time.Millisecond, w.End.Sub(w.Start))
	require.Equal(t, 25, splits, "from a day to a millisecond")

	dense := last.End
	require.Equal(t, w.Start.Add(3*time.Millisecond), dense)
	for w.End.Before(Midday) {
		p.NoteRead(w, Midday, 5)
		next, _ := p.Plan()
		require.Equal(t, w.End, next.Start, "ends are shared")
		if next.Start.Before(dense) {
			require.Equal(t, time.Millisecond, next.End.Sub(next.Start), "no growth where it was too much")
		}
		if length := next.End.Sub(next.Start); length > time.Second {
			require.Zero(t, next.End.Nanosecond(), "whole seconds again")
		}
		w = next
	}
}

// Windows of a second or more end at whole seconds, wherever the one before ended.
func TestWindowsComeBackToWholeSeconds(t *testing.T) {
	for _, length := range []time.Duration{time.Second, 3 * time.Second} {
		p := plannerAt(Midday)
		p.Begin(Midday.Add(time.Hour))
		p.SkipTo(Midday.Add(300 * time.Millisecond))
		p.length = length
		w, _ := p.Plan()
		require.Equal(t, Window{Midday.Add(300 * time.Millisecond), Midday.Add(length)}, w)
	}
}

// A window that had more rows than is well is followed by one that will have half of what is.
func TestWindowsFitALimitOfRows(t *testing.T) {
	begin := Midday.Add(-30 * 24 * time.Hour)
	after := func(rows int) time.Duration {
		p := New(Limits{MaxWindow: 10 * time.Hour, RowLimit: 1000}, begin, begin)
		p.Begin(Midday)
		w, _ := p.Plan()
		require.Equal(t, 10*time.Hour, w.End.Sub(w.Start))
		p.length = 4 * time.Hour
		w, _ = p.Plan()
		p.NoteRead(w, Midday, rows)
		return p.Length()
	}
	require.Equal(t, 8*time.Hour, after(400), "twice as many is well")
	require.Equal(t, 4*time.Hour, after(401))
	require.Equal(t, 4*time.Hour, after(800))
	require.InDelta(t, 2*time.Hour, after(801), float64(time.Minute))
	require.InDelta(t, 96*time.Minute, after(1000), float64(time.Second))
	require.Equal(t, Midday, Window{Midday.Add(-time.Hour), Midday.Add(time.Hour)}.Middle())
}

func TestWindowsStayClearOfALimitOfRows(t *testing.T) {
	limits := Limits{MaxWindow: 24 * time.Hour, RowLimit: 1000}
	p := New(limits, Midday.Add(-90*24*time.Hour), Midday.Add(-30*24*time.Hour))
	p.Begin(Midday)
	rows := func(w Window) int { return int(w.End.Sub(w.Start) / time.Minute) } // one a minute
	split, most, windows := 0, 0, 0
	for {
		w, ok := p.Plan()
		if !ok {
			break
		}
		windows++
		if rows(w) >= 1000 {
			require.True(t, p.Split(w))
			split++
			continue
		}
		most = max(most, rows(w))
		p.NoteRead(w, Midday, rows(w))
	}
	require.Equal(t, 1, split, "the first is found to be too much")
	require.LessOrEqual(t, most, 800)
	require.LessOrEqual(t, windows, 30*24*60/360+1)
	p.Begin(Midday.Add(time.Hour))
	w, _ := p.Plan()
	for p.Split(w) {
		w, _ = p.Plan()
	}
	p.Reset(Midday.Add(-24 * time.Hour))
	p.Begin(Midday)
	w, _ = p.Plan()
	p.NoteRead(w, Midday, 0)
	require.Equal(t, 2*time.Millisecond, p.length, "another sweep grows at once")

	p.RowLimit, p.length = 400, 6*time.Hour
	p.Reset(Midday.Add(-24 * time.Hour))
	p.Begin(Midday)
	w, _ = p.Plan()
	p.NoteRead(w, Midday, 380)
	require.Less(t, p.length, w.End.Sub(w.Start)/2, "more than 80 %")
}

func TestACutSharesItsEnd(t *testing.T) {
	p := plannerAt(Midday)
	at := func(d time.Duration) time.Time { return Midday.Add(d) }
	for name, c := range map[string]struct {
		end, at, want time.Duration
		ok            bool
	}{
		"at a second":                {time.Hour, 700*time.Second + 5, 700 * time.Second, true},
		"inside a second":            {time.Second, 300*time.Millisecond + 5, 300 * time.Millisecond, true},
		"where it cannot, in halves": {time.Hour, 0, 30 * time.Minute, true},
		"behind it, in halves":       {time.Hour, 2 * time.Hour, 30 * time.Minute, true},
		"two milliseconds":           {2 * time.Millisecond, 0, time.Millisecond, true},
		"one millisecond":            {time.Millisecond, 500 * time.Microsecond, 0, false},
	} {
		left, right, ok := p.Cut(Window{Midday, at(c.end)}, at(c.at))
		require.Equal(t, c.ok, ok, name)
		if ok {
			require.Equal(t, []Window{{Midday, at(c.want)}, {at(c.want), at(c.end)}}, []Window{left, right}, name)
		}
	}
	require.True(t, p.Coarsen())
	require.False(t, p.Coarsen(), "once")
	_, _, ok := p.Cut(Window{Midday, at(time.Second)}, at(300*time.Millisecond))
	require.False(t, ok, "whole seconds only")
	require.False(t, p.Split(Window{Midday, at(time.Second)}))
}

func TestReturnReadsAgainWhatFollows(t *testing.T) {
	p := plannerAt(Midday.Add(-72 * time.Hour))
	p.Begin(Midday)
	var w Window
	for range 2 {
		w, _ = p.Plan()
		p.NoteRead(w, Midday, 5)
	}
	back := w.Start.Add(-time.Hour)
	p.Return(back)
	require.Equal(t, back, p.through)
	again, ok := p.Plan()
	require.True(t, ok)
	require.Equal(t, back, again.Start)
	p.Return(w.End)
	require.Equal(t, back, p.through, "never forward")
}
