package handover

import (
	"slices"
	"time"
)

// Keeper keeps records that the destination refuses for good, so that the checkpoint can pass them. The watch
// calls its methods, one at a time, and they may write to disk.
type Keeper interface {
	// Keep returns nil when the record, an event in the engine's form, is on disk and outlives a loss of power.
	Keep(record []byte, reason string) error
	// Due returns a record that is to be tried again now, nil if there is none.
	Due() []byte
	// Tried notes what became of it.
	Tried(record []byte, delivered bool)
}

// careful is how a ledger hands over after an output refused something for good: one part at a time, and the next one
// when it is known what became of it and nothing is left in the engine. Drops are then this part's.
type careful struct {
	on       bool
	left     int // batches that are still to be handed over so, those that were in doubt
	sift     sift
	part     part   // with the engine, or on its way
	trial    []byte // likewise, or to be handed over next: a kept record that is tried again
	state    carefully
	since    time.Time // of state
	nextPart time.Time // not before
}

// carefully is what a careful ledger waits for.
type carefully int

const (
	draining   carefully = iota // what came before to leave the engine
	ready                       // a collect call
	copying                     // the copy of a part
	delivering                  // to know what becomes of the part
	keeping                     // a refused record to be on disk
)

// careLimit is how long it waits before it hands over as ever: an output that takes nothing must not stop the others.
// What is in doubt stays in doubt then.
const careLimit = 2 * time.Minute

func (c *careful) enter(s carefully) { c.state, c.since = s, time.Now() }

// begin hands over n batches with care.
func (c *careful) begin(n int) {
	c.on, c.left = true, max(c.left, n)
	c.enter(draining)
}

// reset forgets what the collector is going to fetch again; batches up to pushed are not seen again.
func (c *careful) reset(pushed uint32) {
	if c.on {
		*c = careful{on: true, left: c.left}
		c.enter(draining)
	}
	c.sift = sift{done: pushed, last: pushed}
}

// stop ends the care when there is no reason for it any more.
func (c *careful) stop() {
	if c.left <= 0 && c.trial == nil && c.sift.empty() && c.state == ready {
		c.on = false
	}
}

// refuse notes that an output refused something for good. It returns the record that is to be kept aside or that was
// tried again, and whether it was the latter; nil = there is none.
func (l *Ledger) refuse(cause string) (record []byte, tried bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.careful
	switch {
	case !c.on:
		c.begin(int(l.pushed-l.safe) + 1)
		l.raise(cause)
	case c.state != delivering: // of what came before
		c.since = time.Now()
	case c.trial != nil:
		record, c.trial = c.trial, nil
		c.enter(draining)
		return record, true
	default:
		if c.sift.refused(c.part) {
			c.enter(keeping)
			return c.part.data(), false
		}
		c.enter(draining)
		c.nextPart = time.Now().Add(c.sift.pause())
	}
	return nil, false
}

// keepAside notes whether the record that refuse returned is on disk.
func (l *Ledger) keepAside(kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.careful
	if c.state != keeping { // all that is not safe is fetched again meanwhile
		return
	}
	c.enter(draining)
	if kept {
		c.sift.kept(c.part.of)
	} else {
		c.sift.notKept(c.part)
	}
	l.progress()
}

// unkept returns a record that could not be kept, nil if there is none.
func (l *Ledger) unkept() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.careful.sift.unkept) == 0 {
		return nil
	}
	return l.careful.sift.unkept[0].data
}

// keptLater notes that the record that unkept returned is on disk now.
func (l *Ledger) keptLater() {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.careful.sift
	if len(s.unkept) > 0 {
		of := s.unkept[0].of
		s.unkept = s.unkept[1:]
		s.kept(of)
		l.progress()
	}
}

// idle reports whether nothing is on its way, nor to be found.
func (l *Ledger) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isIdle()
}

func (l *Ledger) isIdle() bool {
	return !l.careful.on && len(l.accepted) == 0 && l.out.data == nil && l.doubt == ""
}

// try hands over a kept record next, alone, if the ledger is idle.
func (l *Ledger) try(record []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := &l.careful; l.isIdle() {
		c.reset(l.safe)
		c.on, c.trial = true, record
		c.enter(ready)
	}
}

// progress notes what the sift has dealt with.
func (l *Ledger) progress() {
	l.safe = max(l.safe, l.careful.sift.done)
	l.careful.stop()
	l.notify()
}

// nextPart is Next while the ledger is careful.
func (l *Ledger) nextPart(now time.Time) []byte {
	c := &l.careful
	switch {
	case (c.state == draining || c.state == delivering) && now.Sub(c.since) >= careLimit:
		l.relent()
		return nil
	case c.state != ready || now.Before(c.nextPart) || !l.disk.take(l.nextSize()):
		return nil
	case c.trial != nil:
		c.enter(copying)
		l.out, l.outAt = batch{data: c.trial, records: 1}, now
		return l.out.data
	}
	p, ok := c.sift.next()
	if !ok && len(l.queue) > 0 && c.sift.hungry() {
		b := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1) // and with it the reference to its data
		c.left--
		c.sift.add(b.number, b.data, b.records)
		p, ok = c.sift.next()
		l.notify()
	}
	if !ok && len(c.sift.suspects) > 0 { // nothing else could show that something is taken
		c.sift.retry()
		p, ok = c.sift.next()
	}
	if !ok {
		c.stop()
		return nil
	}
	c.part = p
	c.enter(copying)
	l.out, l.outAt = batch{data: p.data(), records: p.to - p.from}, now
	return l.out.data
}

// nextSize is at least the size of what is handed over next, in bytes.
func (l *Ledger) nextSize() int {
	switch c := &l.careful; {
	case c.trial != nil:
		return len(c.trial)
	case len(l.queue) > 0:
		return len(l.queue[0].data)
	default:
		return l.size
	}
}

// copied notes that the engine has copied a part.
func (l *Ledger) copied() {
	if l.careful.state == copying {
		l.careful.enter(delivering)
	}
	l.out = batch{}
	l.notify()
}

// deliverPart notes that nothing is left in the engine, and nothing was refused. It returns the record that was tried
// again, if any.
func (l *Ledger) deliverPart() (tried []byte) {
	c := &l.careful
	delivered := c.state == delivering
	if !delivered && c.state != draining {
		return nil
	}
	c.enter(ready)
	switch {
	case !delivered:
	case c.trial != nil:
		tried, c.trial = c.trial, nil
	default:
		c.nextPart = time.Time{}
		c.sift.delivered(c.part)
	}
	l.progress()
	return tried
}

// waiting returns since when the engine has been watched for what becomes of a part; zero = it is not.
func (c *careful) waiting() time.Time {
	if c.state == draining || c.state == delivering {
		return c.since
	}
	return time.Time{}
}

// relent goes on as ever: an output takes nothing, and the others must get what there is. What is in doubt
// becomes safe when everything has left the engine.
func (l *Ledger) relent() {
	c := &l.careful
	last := c.sift.last
	rest := c.sift.rest()
	withEngine := acceptance{at: time.Now(), total: l.records}
	if n := len(rest); n > 0 {
		rest[n-1].number = last
	} else {
		withEngine.number = last
	}
	if c.state == delivering || len(rest) > 0 {
		l.accepted = append(l.accepted, withEngine)
	}
	l.queue = append(rest, l.queue...)
	*c = careful{}
	l.notify()
}
