package csv

import (
	"bytes"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// quick reads the next row if it is as nearly all are: whole in the buffer and no longer than a strip, of as
// many fields as the header, with quotes around whole fields only, and a time that can be read. Of any other
// row it returns false and leaves it as it was: next knows all the rules and sees to it. What is given out stays
// valid until the buffer is filled again.
//
// It goes by the strip's ends. That they are right about a row is because it begins outside quotes, as the
// row before ended, and because of what is checked: every quote in it is the first or the last byte of a
// field, or one of two that stand together in such a field. Since ends are outside quotes, there is an even number of
// quotes between two of them: a field that begins with one has another.
func (d *Decoder) quick(r *event.Row) bool {
	if d.columns == nil || d.long {
		return false
	}
	d.skipMark()
	s, columns := &d.strip, len(d.columns.Names)
	if s.count-d.used < columns && !d.mark(d.buf[d.start:d.end], d.start, columns) {
		return false
	}
	ends, fields := s.ends[d.used:d.used+columns], r.Room(columns)
	quoted, ok := d.cut(fields, ends)
	if !ok {
		return false
	}
	t, ok := d.times.parse(fields[d.timeAt])
	if !ok || !inRange(t) {
		return false
	}
	end := int(ends[columns-1])
	quotes, blocks := s.between(d.start-d.stripAt, end)
	if quotes != 2*quoted {
		d.split.doubled = d.quoted(ends)
		if !onlyDoubled(fields, d.split.doubled, quotes-2*quoted) {
			return false
		}
	}
	r.Columns, r.Fields, r.Time, r.Line, r.ASCII, r.Bad, r.Raw = d.columns, fields, t, d.line, !blocks.high(), "", nil
	d.line++
	if blocks.feeds() {
		d.line += bytes.Count(d.buf[d.start:d.stripAt+end], newline)
	}
	if quotes != 2*quoted { // last, since it moves what is in the buffer
		for _, i := range d.split.doubled {
			fields[i] = undouble(fields[i])
		}
	}
	if d.order != nil {
		copy(fields, d.ordered(fields))
	}
	d.used += columns
	d.start = d.stripAt + end + 1
	return true
}

// cut cuts the row into its fields, without the quotes around them, of which it returns the number of pairs.
// ok is false when a field lacks one of the two, or the row has more or fewer fields.
func (d *Decoder) cut(fields [][]byte, ends []uint16) (quoted int, ok bool) {
	text, at := d.buf[d.stripAt:d.end], d.start-d.stripAt // where the field begins
	fields = fields[:len(ends)]
	for i, end := range ends {
		first, last := at, int(end)
		at = last + 1
		if text[last] == '\n' {
			if i < len(ends)-1 {
				return 0, false
			}
			if text[last-1] == '\r' { // there is a byte before: times and actions are in columns of their own
				last--
			}
		}
		if text[first] == '"' {
			if last--; text[last] != '"' {
				return 0, false
			}
			first++
			quoted++
		}
		fields[i] = text[first:last]
	}
	return quoted, text[at-1] == '\n'
}

// quoted lists those fields of a row that cut took out of quotes.
func (d *Decoder) quoted(ends []uint16) []int {
	list, text, at := d.split.doubled[:0], d.buf[d.stripAt:d.end], d.start-d.stripAt
	for i, end := range ends {
		if text[at] == '"' {
			list = append(list, i)
		}
		at = int(end) + 1
	}
	return list
}

// onlyDoubled reports whether the quoted ones among fields have so many quotes between them, each followed by another.
func onlyDoubled(fields [][]byte, quoted []int, quotes int) bool {
	for _, n := range quoted {
		for text := fields[n]; ; quotes -= 2 {
			i := bytes.IndexByte(text, '"')
			if i < 0 {
				break
			}
			if text[i+1] != '"' { // there is one: those before it are even in number
				return false
			}
			text = text[i+2:]
		}
	}
	return quotes == 0
}
