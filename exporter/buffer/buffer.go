// Package buffer lends batches the memory that they are made in.
package buffer

import (
	"slices"
	"time"
)

const (
	small = 64 << 10 // bytes of the buffer that a batch begins in

	// usualRecord is more bytes than most records have. The one that no longer fits into a batch is encoded behind
	// it first.
	usualRecord = 16 << 10
)

// calm is how long a full buffer is kept that no batch needs.
const calm = 10 * time.Second

// Pool lends each batch a small buffer, and a full one when it outgrows that. Full ones are kept for the next batch
// that needs one, for a while: a collector that waits for the next event must not hold what a backfill needs. A buffer
// that nothing fills costs more than it seems to: the allocator may clear it as a whole, and the heap grows in
// proportion to it before garbage is looked for. Fits may be called at any time, the other methods by one goroutine at
// a time.
type Pool struct {
	full   int // bytes
	kept   [][]byte
	needed time.Time // when a batch last needed a full buffer
}

// New makes a pool for batches of at most so many bytes.
func New(batchBytes int) Pool { return Pool{full: batchBytes + usualRecord} }

// Fits reports whether data has room for a usual record, or as much room as it can get.
func (p *Pool) Fits(data []byte) bool {
	return cap(data)-len(data) >= usualRecord || cap(data) >= p.full
}

// Grow returns what data holds in a larger buffer. A nil one holds nothing, and gets a small one.
func (p *Pool) Grow(data []byte) []byte {
	if data == nil && small < p.full {
		return make([]byte, 0, small)
	}
	if n := len(p.kept); n > 0 {
		larger := p.kept[n-1]
		p.kept = slices.Delete(p.kept, n-1, n)
		return append(larger, data...)
	}
	return append(make([]byte, 0, p.full), data...)
}

// Return takes back a buffer that nothing reads any more, with what it holds. Full ones are kept, but not those that a
// huge row made larger.
func (p *Pool) Return(data []byte, now time.Time) {
	if cap(data) == p.full {
		p.kept, p.needed = append(p.kept, data[:0]), now
	}
}

// Tidy gives up what was not needed for a while.
func (p *Pool) Tidy(now time.Time) {
	if now.Sub(p.needed) >= calm {
		p.kept = nil
	}
}
