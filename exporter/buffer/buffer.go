// Package buffer lends batches the memory that they are made in.
package buffer

const (
	small = 64 << 10 // bytes of the buffer that a batch begins in when those before it were small

	// usualRecord is more bytes than most records have. The one that no longer fits into a batch is encoded behind
	// it first.
	usualRecord = 16 << 10
)

// Pool lends small buffers while batches are small, and full ones, which it keeps, while they are not: a collector
// that waits for the next event must not hold what a backfill needs. A buffer that nothing fills costs more than it
// seems to: the allocator may clear it as a whole, and the heap grows in proportion to it before garbage is looked
// for. Fits may be called at any time, the other methods by one goroutine at a time.
type Pool struct {
	full int // bytes
	kept [][]byte
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

// Return takes back a buffer that nothing reads any more, with what it holds. It is kept for the next batch, unless one
// huge row made it huge. After a small batch, none is kept.
func (p *Pool) Return(data []byte) {
	switch {
	case len(data) <= small:
		p.kept = nil
	case cap(data) == p.full:
		p.kept = append(p.kept, data[:0])
	}
}
