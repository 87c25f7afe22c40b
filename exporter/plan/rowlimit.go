package plan

import "time"

// leastGrid is the finest that windows are cut: the vendor's reference shows times with fractions, and a
// millisecond is the finest that services of its kind compare.
const leastGrid = time.Millisecond

// aim is how many rows a window should have at most, so that its answer stays clear of the endpoint's limit.
func (p *Planner) aim() int { return p.RowLimit * 8 / 10 }

// fit makes the next windows as long as they may be when they are as busy as w, which had so many rows.
func (p *Planner) fit(w Window, rows int) {
	share := float64(p.aim()) / 2 / float64(rows)
	length := p.onGrid(time.Duration(share * float64(w.End.Sub(w.Start))))
	p.length = min(p.length, max(length, p.grid))
}

// Split makes the windows shorter, since w has more rows than the endpoint answers. It reports whether w can be
// cut; then its first part is what comes next.
func (p *Planner) Split(w Window) bool {
	half := p.half(w)
	if half == 0 {
		return false
	}
	p.length, p.dense, p.densest = min(p.length, half), w.End, half
	return true
}

// Cut returns two parts of w that share an end: at, if it can, else the middle. ok is false if w cannot be cut.
func (p *Planner) Cut(w Window, at time.Time) (left, right Window, ok bool) {
	for _, grid := range []time.Duration{time.Second, p.grid} {
		if end := at.Truncate(grid); end.After(w.Start) && end.Before(w.End) {
			return Window{w.Start, end}, Window{end, w.End}, true
		}
	}
	half := p.half(w)
	middle := w.Start.Add(half)
	return Window{w.Start, middle}, Window{middle, w.End}, half > 0
}

// Middle is the time halfway between the ends.
func (w Window) Middle() time.Time { return w.Start.Add(w.End.Sub(w.Start) / 2) }

func (p *Planner) half(w Window) time.Duration { return p.onGrid(w.End.Sub(w.Start) / 2) }

// onGrid shortens d to whole seconds, or if it is less than one, to the grid.
func (p *Planner) onGrid(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Truncate(time.Second)
	}
	return d.Truncate(p.grid)
}

// Return goes back to t in the sweep under way: what follows was not read whole.
func (p *Planner) Return(t time.Time) {
	p.through = Earlier(p.through, t)
	p.unbound()
	if !p.target.IsZero() {
		p.next = Earlier(p.next, t)
	}
}

// Coarsen cuts windows at whole seconds from now on, since the endpoint takes no others. It reports whether it did
// not so far.
func (p *Planner) Coarsen() bool {
	if p.grid == time.Second {
		return false
	}
	p.grid, p.length = time.Second, max(p.length.Truncate(time.Second), time.Second)
	p.next = p.next.Truncate(time.Second)
	return true
}
