package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var Midday = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func plannerAt(through time.Time) *Planner {
	return New(Limits{Overlap: 10 * time.Minute, MaxWindow: 24 * time.Hour}, Midday.Add(-90*24*time.Hour), through)
}

func TestSweepStartsAnOverlapBeforeTheCheckpointAndEndsNow(t *testing.T) {
	p := plannerAt(Midday)
	require.True(t, p.Begin(Midday.Add(time.Hour+300*time.Millisecond)))
	w, ok := p.Plan()
	require.True(t, ok)
	require.Equal(t, Window{Midday.Add(-10 * time.Minute), Midday.Add(time.Hour)}, w, "whole seconds")
	p.NoteRead(w, Midday.Add(time.Hour+time.Second), 5)
	require.Equal(t, Midday.Add(time.Hour), p.through)
	_, ok = p.Plan()
	require.False(t, ok, "the sweep is over")
}

func TestWindowsOfASweepShareTheirEnds(t *testing.T) {
	p := plannerAt(Midday.Add(-50 * time.Hour))
	p.Begin(Midday)
	var windows []Window
	for {
		w, ok := p.Plan()
		if !ok {
			break
		}
		windows = append(windows, w)
		p.NoteRead(w, Midday, 5)
	}
	require.Equal(t, Midday.Add(-50*time.Hour-10*time.Minute), windows[0].Start)
	for i, w := range windows[1:] {
		require.Equal(t, windows[i].End, w.Start)
		require.LessOrEqual(t, w.End.Sub(w.Start), 24*time.Hour)
	}
	require.Equal(t, Midday, windows[len(windows)-1].End)
}

func TestAnEmptyWindowNeverAdvancesBeyondTheServersPresent(t *testing.T) {
	p := plannerAt(Midday)
	p.Begin(Midday.Add(2 * time.Hour)) // the clock was thought to be there
	w, _ := p.Plan()
	p.NoteRead(w, Midday.Add(time.Minute), 0)
	require.Equal(t, Midday.Add(time.Minute), p.through)
	_, ok := p.Plan()
	require.False(t, ok)
}

func TestACheckpointInTheFutureKeepsNothingWaiting(t *testing.T) {
	p := plannerAt(Midday.Add(48 * time.Hour))
	require.True(t, p.Begin(Midday))
	w, _ := p.Plan()
	require.Equal(t, Window{Midday.Add(-10 * time.Minute), Midday}, w)
	p.NoteRead(w, Midday, 3)
	require.Equal(t, Midday.Add(48*time.Hour), p.through, "it does not go back")
}

func TestNothingBeforeTheStartIsAskedFor(t *testing.T) {
	p := New(Limits{Overlap: time.Hour, MaxWindow: time.Hour}, Midday, Midday)
	require.True(t, p.Begin(Midday.Add(time.Minute)))
	w, _ := p.Plan()
	require.Equal(t, Midday, w.Start)
	require.False(
		t,
		New(Limits{Overlap: time.Hour, MaxWindow: time.Hour}, Midday, Midday).Begin(Midday.Add(-time.Minute)),
		"a start in the future",
	)
}

func TestWindowsShrinkToOneSecondAndGrowBack(t *testing.T) {
	p := plannerAt(Midday.Add(-48 * time.Hour))
	p.Begin(Midday)
	shrunk := 0
	for {
		w, _ := p.Plan()
		if !p.Shrink(w) {
			require.Equal(t, time.Second, w.End.Sub(w.Start))
			break
		}
		shrunk++
	}
	require.Equal(t, 16, shrunk, "from a day to a second")
	for range remembered {
		w, _ := p.Plan()
		require.Equal(t, time.Second, w.End.Sub(w.Start), "it does not grow into the same wall at once")
		p.NoteRead(w, Midday, 5)
	}
	w, _ := p.Plan()
	require.Equal(t, time.Second, w.End.Sub(w.Start))
	p.NoteRead(w, Midday, 5)
	w, _ = p.Plan()
	require.Equal(t, 2*time.Second, w.End.Sub(w.Start))
	p.NoteRead(w, Midday, 5)
	require.Equal(t, 4*time.Second, p.length, "what it was is forgotten")
	w, _ = p.Plan()
	p.NoteRead(w, Midday, crowded+1)
	require.Equal(t, 2*time.Second, p.length, "too many rows")
}

func TestABoundedCollectionIsReadAgainAnOverlapAfterItsEnd(t *testing.T) {
	p := New(
		Limits{Overlap: 10 * time.Minute, MaxWindow: 24 * time.Hour, End: Midday.Add(time.Millisecond)},
		Midday.Add(-time.Hour), Midday.Add(-time.Hour),
	)
	end := Midday.Add(time.Second) // rounded up: asking for more is harmless, for less is not
	p.Begin(Midday.Add(time.Minute))
	w, _ := p.Plan()
	require.Equal(t, end, w.End)
	p.NoteRead(w, Midday.Add(time.Minute), 0)
	require.False(t, p.Done(), "late events may still appear")
	p.Begin(end.Add(10 * time.Minute))
	w, _ = p.Plan()
	require.False(t, p.Done(), "time alone reads nothing")
	p.NoteRead(w, end.Add(10*time.Minute), 0)
	require.True(t, p.Done())
	p.Reset(end)
	require.False(t, p.Done(), "what was handed over may be lost")
}

// An end of whole seconds is the end.
func TestABoundedCollectionReadsNoFurtherThanItsEnd(t *testing.T) {
	p := New(Limits{MaxWindow: 24 * time.Hour, End: Midday}, Midday.Add(-time.Hour), Midday.Add(-time.Hour))
	require.True(t, p.Begin(Midday.Add(time.Minute)))
	w, _ := p.Plan()
	require.Equal(t, Midday, w.End)
}

// What was read of a sweep before a window failed was read when the present was what it was: the next sweep starts an
// overlap before that (simulation, seed 100363).
func TestASweepThatStallsEndsWhereItWasToEnd(t *testing.T) {
	overlap := 5 * time.Minute
	p := New(Limits{Overlap: overlap, MaxWindow: time.Minute}, Midday.Add(-time.Hour), Midday.Add(-2*time.Minute))
	require.True(t, p.Begin(Midday))
	for range 6 {
		w, ok := p.Plan()
		require.True(t, ok)
		p.NoteRead(w, Midday, 1)
	}
	stalled := Midday.Add(8 * time.Minute)
	p.Retarget(stalled)
	for w, ok := p.Plan(); ok; w, ok = p.Plan() {
		p.NoteRead(w, stalled, 1)
	}
	require.True(t, p.Begin(stalled))
	w, ok := p.Plan()
	require.True(t, ok)
	require.False(t, w.Start.After(Midday.Add(-overlap)), "starts at %s", w.Start)
}
