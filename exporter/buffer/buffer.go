// Package buffer lends batches the memory that they are made in.
package buffer

import "time"

const (
	small = 64 << 10 // bytes of the buffer that a batch begins in when those before it were small

	// usualRecord is more bytes than most records have. The one that no longer fits into a batch is encoded behind
	// it first.
	usualRecord = 16 << 10
)

// calm is how long a full buffer is kept that no batch needs.
const calm = 10 * time.Second

// Pool lends small buffers while batches are small, and full ones, which it keeps for the next, while they are not: a
// collector that waits for the next event must not hold what a backfill needs. A buffer that nothing fills costs more
// than it seems to: the allocator may clear it as a whole, and the heap grows in proportion to it before garbage is
// looked for. Fits may be called at any time, the other methods by one goroutine at a time.
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

// Grow returns what data holds in a larger buffer. A nil one holds nothing, and gets a first buffer.
func (p *Pool) Grow(data []byte) []byte {
	if n := len(p.kept); n > 0 {
		larger := p.kept[n-1]
		p.kept = p.kept[:n-1]
		return append(larger, data...)
	}
	size := p.full
	if data == nil {
		size = min(small, size)
	}
	return append(make([]byte, 0, size), data...)
}

// Return takes back a buffer that nothing reads any more, with what it holds. It is kept if that needed a full one, and
// did not make it huge.
func (p *Pool) Return(data []byte, now time.Time) {
	if cap(data) == p.full && len(data) > small {
		p.kept, p.needed = append(p.kept, data[:0]), now
	}
}

// Tidy gives up what was not needed for a while.
func (p *Pool) Tidy(now time.Time) {
	if now.Sub(p.needed) >= calm {
		p.kept = nil
	}
}
