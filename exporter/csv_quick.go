package exporter

import (
	"bytes"
	"math/bits"
)

// quick reads the next row if it is as nearly all are: whole in the buffer, of as many fields as the header, with quotes around whole fields
// only, and a time that can be read. Of any other row it says false and has changed nothing: next knows all the rules and sees to it. What is
// given out stays valid until the buffer is filled again.
//
// It goes from mark to mark. That the marks are right about a row is because it begins outside quotes, as the row before ended, and because of
// what is checked: every quote in it is the first or the last byte of a field, or one of two that stand together in such a field.
func (d *decoder) quick(r *row) bool {
	at := d.start // where the field begins
	if d.columns == nil || !d.markedAt(at) {
		return false
	}
	s, buf, fields := &d.strip, d.buf, r.room(len(d.columns.names))
	block := (at - d.marked) / markBytes
	base, from := d.marked+block*markBytes, ^uint64(0)<<((at-d.marked)%markBytes)
	ends, quotes := s.marks[block].ends&from, bits.OnesCount64(s.marks[block].quotes&from)
	begun, high, feeds := block, uint64(0), uint64(0)
	quoted, end := d.split.doubled[:0], 0
	for n := range fields {
		for ends == 0 {
			if block++; base+markBytes >= d.markedEnd {
				high |= s.high >> begun
				feeds |= s.feeds >> begun
				if block, begun = 0, 0; !d.markOn() {
					return false
				}
				base = d.marked - markBytes
			}
			base += markBytes
			ends = s.marks[block].ends
			quotes += bits.OnesCount64(s.marks[block].quotes)
		}
		end = base + bits.TrailingZeros64(ends)
		ends &= ends - 1
		first, last := at, end
		at = end + 1
		if n == len(fields)-1 {
			last = first + len(trimCR(buf[first:last]))
		}
		if (buf[end] == '\n') != (n == len(fields)-1) {
			return false
		}
		if buf[first] == '"' && last-first > 1 && buf[last-1] == '"' {
			first, last = first+1, last-1
			quoted = append(quoted, n)
		}
		fields[n] = buf[first:last]
	}
	t, ok := d.times.parse(fields[d.timeAt])
	quotes -= bits.OnesCount64(s.marks[block].quotes >> (end - base))
	if extra := quotes - 2*len(quoted); !ok || extra != 0 && !onlyDoubled(fields, quoted, extra) {
		return false
	}
	within := uint64(2)<<(block-begun) - 1
	high |= s.high >> begun & within
	r.columns, r.fields, r.time, r.line, r.ascii, r.bad, r.raw = d.columns, fields, t, d.line, high == 0, "", nil
	d.line++
	if feeds |= s.feeds >> begun & within; feeds != 0 {
		d.line += bytes.Count(buf[d.start:end], newline)
	}
	if quotes > 2*len(quoted) { // last, since it moves what is in the buffer
		for _, n := range quoted {
			fields[n] = undouble(fields[n])
		}
	}
	d.split.doubled = quoted
	d.start = at
	return true
}

// onlyDoubled tells whether the quoted ones among fields have so many quotes between them, each followed by another.
func onlyDoubled(fields [][]byte, quoted []int, quotes int) bool {
	for _, n := range quoted {
		for text := fields[n]; ; quotes -= 2 {
			i := bytes.IndexByte(text, '"')
			if i < 0 {
				break
			}
			if i+1 == len(text) || text[i+1] != '"' {
				return false
			}
			text = text[i+2:]
		}
	}
	return quotes == 0
}

// markedAt makes sure that there are marks from the beginning of a row on; false = there is no text.
func (d *decoder) markedAt(at int) bool {
	if d.marked <= at && at < d.markedEnd {
		return true
	}
	d.marked = at
	d.markedEnd = at + d.strip.mark(d.buf[at:d.end], false)
	return d.markedEnd > at
}

// markOn marks the text behind what is marked; false = there is none.
func (d *decoder) markOn() bool {
	d.marked = d.markedEnd
	d.markedEnd += d.strip.mark(d.buf[d.marked:d.end], true)
	return d.markedEnd > d.marked
}

// unmark forgets the marks: the buffer has changed, or a row was read that they may be wrong about.
func (d *decoder) unmark() { d.marked, d.markedEnd = 0, 0 }
