package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var midday = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func plannerAt(through time.Time) *planner {
	return newPlanner(limits{overlap: 10 * time.Minute, maxWindow: 24 * time.Hour}, midday.Add(-90*24*time.Hour), through)
}

func TestSweepStartsAnOverlapBeforeTheCheckpointAndEndsNow(t *testing.T) {
	p := plannerAt(midday)
	require.True(t, p.begin(midday.Add(time.Hour+300*time.Millisecond)))
	w, ok := p.plan()
	require.True(t, ok)
	require.Equal(t, window{midday.Add(-10 * time.Minute), midday.Add(time.Hour)}, w, "whole seconds")
	p.read(w, midday.Add(time.Hour+time.Second), 5)
	require.Equal(t, midday.Add(time.Hour), p.through)
	_, ok = p.plan()
	require.False(t, ok, "the sweep is over")
}

func TestWindowsOfASweepShareTheirEnds(t *testing.T) {
	p := plannerAt(midday.Add(-50 * time.Hour))
	p.begin(midday)
	var windows []window
	for {
		w, ok := p.plan()
		if !ok {
			break
		}
		windows = append(windows, w)
		p.read(w, midday, 5)
	}
	require.Equal(t, midday.Add(-50*time.Hour-10*time.Minute), windows[0].start)
	for i, w := range windows[1:] {
		require.Equal(t, windows[i].end, w.start)
		require.LessOrEqual(t, w.end.Sub(w.start), 24*time.Hour)
	}
	require.Equal(t, midday, windows[len(windows)-1].end)
}

func TestAnEmptyWindowNeverAdvancesBeyondTheServersPresent(t *testing.T) {
	p := plannerAt(midday)
	p.begin(midday.Add(2 * time.Hour)) // the clock was thought to be there
	w, _ := p.plan()
	p.read(w, midday.Add(time.Minute), 0)
	require.Equal(t, midday.Add(time.Minute), p.through)
	_, ok := p.plan()
	require.False(t, ok)
}

func TestACheckpointInTheFutureKeepsNothingWaiting(t *testing.T) {
	p := plannerAt(midday.Add(48 * time.Hour))
	require.True(t, p.begin(midday))
	w, _ := p.plan()
	require.Equal(t, window{midday.Add(-10 * time.Minute), midday}, w)
	p.read(w, midday, 3)
	require.Equal(t, midday.Add(48*time.Hour), p.through, "it does not go back")
}

func TestNothingBeforeTheStartIsAskedFor(t *testing.T) {
	p := newPlanner(limits{overlap: time.Hour, maxWindow: time.Hour}, midday, midday)
	require.True(t, p.begin(midday.Add(time.Minute)))
	w, _ := p.plan()
	require.Equal(t, midday, w.start)
	require.False(t, newPlanner(limits{overlap: time.Hour, maxWindow: time.Hour}, midday, midday).begin(midday.Add(-time.Minute)), "a start in the future")
}

func TestWindowsShrinkToOneSecondAndGrowBack(t *testing.T) {
	p := plannerAt(midday.Add(-48 * time.Hour))
	p.begin(midday)
	shrunk := 0
	for {
		w, _ := p.plan()
		if !p.shrink(w) {
			require.Equal(t, time.Second, w.end.Sub(w.start))
			break
		}
		shrunk++
	}
	require.Equal(t, 16, shrunk, "from a day to a second")
	w, _ := p.plan()
	p.read(w, midday, 5)
	w, _ = p.plan()
	require.Equal(t, 2*time.Second, w.end.Sub(w.start))
	p.read(w, midday, crowded+1)
	require.Equal(t, time.Second, p.length, "too many rows")
}

func TestABoundedCollectionIsReadAgainAnOverlapAfterItsEnd(t *testing.T) {
	p := newPlanner(limits{overlap: 10 * time.Minute, maxWindow: 24 * time.Hour, end: midday.Add(time.Millisecond)}, midday.Add(-time.Hour), midday.Add(-time.Hour))
	end := midday.Add(time.Second) // rounded up: asking for more is harmless, for less is not
	p.begin(midday.Add(time.Minute))
	w, _ := p.plan()
	require.Equal(t, end, w.end)
	p.read(w, midday.Add(time.Minute), 0)
	require.False(t, p.done(), "late events may still appear")
	p.begin(end.Add(10 * time.Minute))
	w, _ = p.plan()
	require.False(t, p.done(), "time alone reads nothing")
	p.read(w, end.Add(10*time.Minute), 0)
	require.True(t, p.done())
	p.reset(end)
	require.False(t, p.done(), "what was handed over may be lost")
}
