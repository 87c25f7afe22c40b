// Package plan decides which time range is asked for next, and by which clock.
package plan

import (
	"math"
	"time"
)

// Window is the closed range of one export request. Neighbors share an end: whatever precision the endpoint's
// clock has, no event can fall between them. Ends are whole seconds, but inside a second that has more events
// than the endpoint answers at once.
type Window struct {
	Start, End time.Time
}

// MinWindow is the shortest window that is asked for.
const MinWindow = time.Second

// FirstWindow is the longest window before calm is known: so much is asked for of an organization with a million
// rows a day too.
const FirstWindow = 24 * time.Hour

// crowded is the number of rows above which the next window is made shorter: it keeps what is held for one
// window (its identities) small.
const crowded = 200_000

// remembered is for how many windows one that was too much keeps them from growing back. Few, since a server that gives
// up now and then would make them short for good: so many have to succeed in a row for each that fails.
const remembered = 8

// Planner says which window comes next.
//
// It plans in sweeps. A sweep starts at through − overlap and ends at the server's present when it began; it
// is cut into windows of at most length that share their ends. An event that appears late by less than the
// overlap is caught: the window over its time was read, at the earliest, when the sweep's end was already the
// present, and the next sweep starts an overlap before that end.
type Planner struct {
	overlap   time.Duration
	maxWindow time.Duration
	from      time.Time // nothing before this is asked for
	floor     time.Time // no sweep begins before it, as long as what was read reaches it; zero = there is none
	end       time.Time // stop here; zero = never

	length  time.Duration // of the next windows, adapted to what the endpoint can answer
	ceiling time.Duration // they grow no longer than that; zero = there is none but maxWindow
	under   int           // windows that were read since the ceiling came to be
	longest time.Duration // window that was read, if longer than FirstWindow; before New, maxWindow
	longEnd time.Time     // the latest end of a window longer than FirstWindow
	through time.Time     // everything up to here was read
	next    time.Time     // where the sweep's next window starts
	target  time.Time     // where the sweep ends; zero = no sweep
	begun   time.Time     // the server's time when the sweep began
	swept   time.Time     // likewise of the last one that was read to its end; zero = none since the last reset

	RowLimit int           // rows that the endpoint answers at most without saying so; 0 = none is known
	grid     time.Duration // ends of windows are multiples of it
	dense    time.Time     // the end of what had too many rows: …
	densest  time.Duration // … before it windows grow no longer than that
}

// Limits are the settings that a plan keeps to.
type Limits struct {
	Overlap   time.Duration // how far before what was read each sweep begins
	MaxWindow time.Duration // the longest window
	End       time.Time     // where to stop; zero = never
	RowLimit  int           // see Planner
	Floor     time.Time     // no sweep begins before it, as long as what was read reaches it; zero = there is none
}

// New plans on from through. from is where the collection began: nothing before it is asked for.
func New(l Limits, from, through time.Time) *Planner {
	p := &Planner{
		overlap: l.Overlap, maxWindow: l.MaxWindow, length: min(l.MaxWindow, FirstWindow),
		RowLimit: l.RowLimit, grid: leastGrid,
		from: from.Truncate(time.Second).UTC(), floor: l.Floor,
	}
	if !l.End.IsZero() {
		p.end = l.End.Add(time.Second - 1).Truncate(time.Second).UTC()
	}
	p.Reset(through)
	if p.through.After(p.from) { // nobody knows what windows an earlier process read
		p.longest, p.longEnd = p.maxWindow, p.through
	}
	return p
}

// Through is up to where everything was read.
func (p *Planner) Through() time.Time { return p.through }

// From is where the collection began: nothing before it is asked for.
func (p *Planner) From() time.Time { return p.from }

// Target is where the sweep under way ends; zero = there is none.
func (p *Planner) Target() time.Time { return p.target }

// Length is that of the next windows.
func (p *Planner) Length() time.Duration { return p.length }

// Reset goes back to an earlier state; the next sweep starts an overlap before it.
func (p *Planner) Reset(through time.Time) {
	p.through = through.Truncate(time.Second).UTC()
	p.swept = time.Time{}
	p.unbound()
	p.cancel()
}

// unbound forgets the floor when what is behind it is to be read too.
func (p *Planner) unbound() {
	if p.through.Before(p.floor) {
		p.floor = time.Time{}
	}
}

// cancel ends the sweep under way.
func (p *Planner) cancel() { p.next, p.target, p.dense = time.Time{}, time.Time{}, time.Time{} }

// Begin starts a sweep up to the server's present. It reports whether there is anything to read yet.
func (p *Planner) Begin(now time.Time) bool {
	target := now.Truncate(time.Second).UTC()
	if !p.end.IsZero() {
		target = Earlier(target, p.end)
	}
	// A checkpoint in the server's future must not keep what happens meanwhile waiting: the last overlap is
	// read all the same.
	next := Earlier(p.through, target).Add(-p.overlap)
	next = Later(next, Later(p.from, p.floor))
	if !next.Before(target) { // an endpoint may refuse a window without length
		return false
	}
	p.next, p.target, p.begun = next, target, now
	return true
}

// SkipTo moves the beginning of the sweep's next window to t.
func (p *Planner) SkipTo(t time.Time) {
	if !p.target.IsZero() && t.Before(p.target) {
		p.next = t
	}
}

// Retarget ends the sweep at the server's present now if that is earlier, after a window failed: its end may lie in
// what turned out to be the future. It never ends it later: the next sweep starts an overlap before the end, and what
// this one has read already was read when the present was the end that it has.
func (p *Planner) Retarget(now time.Time) {
	if p.target.IsZero() {
		return
	}
	target := Earlier(now.Truncate(time.Second).UTC(), p.target)
	if !p.next.Before(target) {
		p.cancel()
		return
	}
	p.target = target
}

// Plan returns the sweep's next window; ok is false when no sweep is under way.
func (p *Planner) Plan() (w Window, ok bool) {
	if p.target.IsZero() {
		return Window{}, false
	}
	end := p.next.Add(p.length)
	if p.length >= time.Second {
		end = end.Truncate(time.Second) // back from inside a second
	}
	return Window{p.next, Earlier(end, p.target)}, true
}

// NoteRead notes that w was read to its proper end at the server's present now: rows after now may still be missing.
func (p *Planner) NoteRead(w Window, now time.Time, rows int) {
	reached := Earlier(w.End, now.Truncate(time.Second).UTC())
	p.through = Later(p.through, reached)
	p.next = w.End
	if !w.End.Before(p.target) {
		p.swept = p.begun
	}
	if !w.End.Before(p.target) || reached.Before(w.End) {
		p.cancel()
	}
	length := w.End.Sub(w.Start)
	if length > FirstWindow {
		p.longest, p.longEnd = max(p.longest, length), Later(p.longEnd, w.End)
	}
	if p.under++; p.under > remembered {
		p.ceiling = 0
	}
	switch {
	case rows > crowded:
		p.Shrink(w)
	case p.RowLimit > 0 && rows > p.aim():
		p.fit(w, rows)
	case p.RowLimit > 0 && 2*rows > p.aim():
		// twice as much would be too much
	case rows < crowded/4:
		p.grow(w)
	}
}

// grow doubles the windows after w had few rows. Beyond FirstWindow only one of full length shows calm: that of a poll
// is short, and its answer always small.
func (p *Planner) grow(w Window) {
	most := p.maxWindow
	if p.ceiling > 0 {
		most = min(most, p.ceiling)
	}
	if w.End.Before(p.dense) {
		most = min(most, p.densest)
	}
	if w.End.Sub(w.Start) < p.length {
		most = min(most, FirstWindow)
	}
	p.length = max(p.length, min(2*p.length, most))
}

// Shrink halves the windows after w was too much for the endpoint, and keeps them from growing back at once. It
// reports whether w could get shorter.
func (p *Planner) Shrink(w Window) bool {
	half := (w.End.Sub(w.Start) / 2).Truncate(time.Second)
	p.lower(max(half, MinWindow))
	return half >= MinWindow
}

// lower makes the windows no longer than that, and no longer for a while.
func (p *Planner) lower(length time.Duration) {
	p.length = min(p.length, length)
	p.ceiling, p.under = p.length, 0
}

// Most is how many rows of an answer for w are read; one that has more is left. w may be longer than FirstWindow
// because what came before it was calm, and it is not.
func (p *Planner) Most(w Window) int {
	if w.End.Sub(w.Start) > FirstWindow {
		return crowded
	}
	return math.MaxInt
}

// Retreat goes back to windows of FirstWindow, since one had an excess.
func (p *Planner) Retreat() { p.lower(FirstWindow) }

// LongestOver returns the longest that a window can have been that was read and ended after t, by this process or by
// one before it.
func (p *Planner) LongestOver(t time.Time) time.Duration {
	if p.longEnd.After(t) {
		return max(p.longest, FirstWindow)
	}
	return min(p.maxWindow, FirstWindow)
}

// Done reports whether a bounded collection is complete: all was read, by a sweep that began when nothing could
// appear late any more.
func (p *Planner) Done() bool {
	return !p.end.IsZero() && !p.through.Before(p.end) && !p.swept.Before(p.end.Add(p.overlap))
}

// DoneAfter returns when the last sweep of a bounded collection is due; ok is false unless that alone is left.
func (p *Planner) DoneAfter() (at time.Time, ok bool) {
	return p.end.Add(p.overlap), !p.end.IsZero() && !p.through.Before(p.end) && !p.Done()
}

func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// EarlierSet is Earlier where the zero time means that there is none.
func EarlierSet(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	return Earlier(a, b)
}

func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
