package csv

// quickWay is what quick knows of the text to come. This always holds: the strip's ends from used on are
// those of the buffer's text from the decoder's start on, outside of quotes. For the strip began at a row,
// and of every row since either quick has checked the quotes (see there), or goBy has found the end among the
// strip's ends. Otherwise used is the strip's count: nothing is known, and the next strip begins at the next
// row.
type quickWay struct {
	strip     strip
	stripAt   int  // where its text begins in the buffer
	used      int  // how many of its ends were gone by
	stripSize int  // of the next one, in bytes
	refused   bool // quick has refused the row at the decoder's start
	long      bool // the last row that quick did not take was too long for a strip
}

// mark makes a strip of text, which begins with the row and stands at start in the buffer. It reports whether
// the strip has all ends of so many columns. The next one will be longer.
func (q *quickWay) mark(text []byte, start, columns int) bool {
	q.stripAt, q.used = start, 0
	text = text[:min(len(text), stripBytes)]
	for {
		size := q.stripSize
		q.stripSize = min(2*size, stripBytes)
		q.strip.mark(text[:min(len(text), size)])
		if q.strip.count >= columns || size >= len(text) {
			return q.strip.count >= columns
		}
	}
}

// goBy goes by a row that quick did not take, whose last byte stands at end in the buffer. The strip is still
// right if it has that for an end: then it is outside quotes there, as what follows is, whatever the row was.
func (q *quickWay) goBy(end int) {
	last := end - q.stripAt
	for q.used < q.strip.count && int(q.strip.ends[q.used]) < last {
		q.used++
	}
	if q.used == q.strip.count || int(q.strip.ends[q.used]) != last {
		q.unmark()
		q.stripSize = leastStrip
		return
	}
	q.used++
}

// unmark forgets the strip: the buffer has changed, or a row was read that it may be wrong about.
func (q *quickWay) unmark() { q.used = q.strip.count }
