// Package budget bounds what is handed over to the engine and not delivered yet.
package budget

import "time"

// Budget bounds, in bytes, what is on its way to the outputs: a crash repeats that much. It begins with one small
// batch, so that an engine that crashes again and again repeats little, and doubles with each proof of delivery. Its
// zero value bounds nothing. It is not safe for concurrent use.
type Budget struct {
	now      int       // bytes that may be on their way; 0 = any number
	most     int       // what it grows to
	known    bool      // something was delivered: until then, only one batch is on its way
	free     bool      // see Free
	withheld time.Time // since when a batch is kept back; zero = none is
}

const (
	first     = 384_000  // bytes: about a thousand events
	leastMost = 32 << 20 // bytes: of small batches, many may be on their way
	parts     = 3        // a healthy engine delivers what was handed over before the third collect call after it
	growth    = 2        // with each proof
)

// New makes a budget for batches of at most so many bytes.
func New(batchBytes int) Budget {
	return Budget{now: first, most: max(leastMost, parts*batchBytes)}
}

// BatchBytes is how large a batch of at most so many bytes should be now, so that several can be on their way.
func (b *Budget) BatchBytes(most int) int {
	if b.now == 0 {
		return most
	}
	return min(most, b.now/parts)
}

// Allows reports whether a batch of so many bytes may be handed over at a time when so many are on their way. One that
// is alone always may.
func (b *Budget) Allows(size, onTheirWay int, now time.Time) bool {
	if b.now == 0 || b.free || onTheirWay == 0 || b.known && onTheirWay+size <= b.now {
		b.withheld = time.Time{}
		return true
	}
	if b.withheld.IsZero() {
		b.withheld = now
	}
	return false
}

// Withheld reports whether a batch is kept back until something is delivered.
func (b *Budget) Withheld() bool { return !b.withheld.IsZero() }

// Proven lets more be on its way: something was delivered.
func (b *Budget) Proven() {
	b.known, b.free, b.withheld = true, false, time.Time{}
	b.now = min(growth*b.now, b.most)
}

// Free bounds nothing until something is delivered: an output that takes nothing must not stop the others.
func (b *Budget) Free() { b.free, b.withheld = true, time.Time{} }

// Again begins anew: something may have been lost, and will be fetched again.
func (b *Budget) Again() {
	if b.now > 0 {
		*b = Budget{now: first, most: b.most}
	}
}
