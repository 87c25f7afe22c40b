package exporter

import "time"

// window is the closed range of one export request. Both ends are whole seconds: whatever precision the endpoint's clock has, no event can
// fall between two windows that share an end.
type window struct {
	start, end time.Time
}

// minWindow is the shortest window that is asked for.
const minWindow = time.Second

// crowded is the number of rows above which the next window is made shorter: it keeps what is held for one window (its identities) small.
const crowded = 200_000

// planner says which window comes next.
//
// It plans in sweeps. A sweep starts at through − overlap and ends at the server's present when it began; it is cut into windows of at most
// length that share their ends. An event that appears late by less than the overlap is caught: the window over its time was read, at the
// earliest, when the sweep's end was already the present, and the next sweep starts an overlap before that end.
type planner struct {
	overlap   time.Duration
	maxWindow time.Duration
	from      time.Time // nothing before this is asked for
	end       time.Time // stop here; zero = never

	length  time.Duration // of the next windows, adapted to what the endpoint can answer
	through time.Time     // everything up to here was read
	next    time.Time     // where the sweep's next window starts
	target  time.Time     // where the sweep ends; zero = no sweep
	begun   time.Time     // the server's time when the sweep began
	swept   time.Time     // likewise of the last one that was read to its end; zero = none since the last reset
}

// limits are the settings that a plan keeps to.
type limits struct {
	overlap   time.Duration // how far before what was read each sweep begins
	maxWindow time.Duration // the longest window
	end       time.Time     // where to stop; zero = never
}

// newPlanner plans on from through. from is where the collection began: nothing before it is asked for.
func newPlanner(l limits, from, through time.Time) *planner {
	p := &planner{
		overlap: l.overlap, maxWindow: l.maxWindow, length: l.maxWindow,
		from: from.Truncate(time.Second).UTC(),
	}
	if !l.end.IsZero() {
		p.end = l.end.Add(time.Second - 1).Truncate(time.Second).UTC()
	}
	p.reset(through)
	return p
}

// reset goes back to an earlier state; the next sweep starts an overlap before it.
func (p *planner) reset(through time.Time) {
	p.through = through.Truncate(time.Second).UTC()
	p.swept = time.Time{}
	p.cancel()
}

// cancel ends the sweep under way.
func (p *planner) cancel() { p.next, p.target = time.Time{}, time.Time{} }

// begin starts a sweep up to the server's present. It says false when there is nothing to read yet.
func (p *planner) begin(now time.Time) bool {
	target := now.Truncate(time.Second).UTC()
	if !p.end.IsZero() {
		target = earlier(target, p.end)
	}
	// A checkpoint in the server's future must not keep what happens meanwhile waiting: the last overlap is read all the same.
	next := earlier(p.through, target).Add(-p.overlap)
	next = later(next, p.from)
	if next.After(target) {
		return false
	}
	p.next, p.target, p.begun = next, target, now
	return true
}

// plan returns the sweep's next window; ok is false when no sweep is under way.
func (p *planner) plan() (w window, ok bool) {
	if p.target.IsZero() {
		return window{}, false
	}
	return window{p.next, earlier(p.next.Add(p.length), p.target)}, true
}

// read notes that w was read to its proper end at the server's present now: rows after now may still be missing.
func (p *planner) read(w window, now time.Time, rows int) {
	reached := earlier(w.end, now.Truncate(time.Second).UTC())
	p.through = later(p.through, reached)
	p.next = w.end
	if !w.end.Before(p.target) {
		p.swept = p.begun
	}
	if !w.end.Before(p.target) || reached.Before(w.end) {
		p.cancel()
	}
	switch {
	case rows > crowded:
		p.shrink(w)
	case rows < crowded/4 && p.length < p.maxWindow:
		p.length = min(2*p.length, p.maxWindow)
	}
}

// shrink halves the windows after w was too much for the endpoint. It says false when w was as short as windows get.
func (p *planner) shrink(w window) bool {
	half := (w.end.Sub(w.start) / 2).Truncate(time.Second)
	p.length = min(p.length, max(half, minWindow))
	return half >= minWindow
}

// done says whether a bounded collection is complete: all was read, by a sweep that began when nothing could appear late any more.
func (p *planner) done() bool {
	return !p.end.IsZero() && !p.through.Before(p.end) && !p.swept.Before(p.end.Add(p.overlap))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
