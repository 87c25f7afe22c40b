// Package csv turns CSV text into rows, good and bad ones, at a few hundred nanoseconds each and without allocation.
package csv

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// This file reads an export's CSV row by row over one buffer. Its rules:
//
//   - RFC 4180: fields may be quoted, a quote inside quotes is doubled, quoted fields keep every byte
//     they have, CR, LF and NUL included. A row ends with LF or CRLF; a lone CR is data, unless one ends
//     the header: then it ends rows too. Lines with nothing but white space are no rows.
//   - No row is dropped. One that is wrong (too many or too few fields, a quote where none may be, a time
//     that cannot be read, too long) is given out with the reason, its text as it came, and the fields
//     that could be made out; the next row is read properly.
//   - An opening quote runs to the next closing one, however many lines that is: the text between may be
//     anybody's, and a line of it that looks like a row must not become one. But where that makes no good
//     row, the quote was a stray one: if a line between looks like a row, the line with the quote is one
//     bad row, and those behind it are read as rows of their own.
//   - Only a body that is whole ends with io.EOF. What ends inside quotes, or with a last line that has
//     no line end and not the header's number of fields, was cut: errCut. Whoever called must ask for all
//     of it again, and may then believe that end (see End).
//   - What is given out are parts of the buffer, valid until the next call. A good row allocates nothing.

const (
	// the buffer, unless a row needs more; with 256 KiB a backfill takes a tenth more CPU time, and 2 MiB
	// leave the cache
	readBytes   = 1 << 20
	maxRowBytes = 32 << 20 // a longer row is read over
	maxRawBytes = 64 << 10 // of a row longer than maxRowBytes, this much is given out
	maxColumns  = 1000     // a header with more is no audit log's
)

// Decoder reads the rows of one response after the other. It is not safe for concurrent use.
type Decoder struct {
	body     io.Reader // nil when the response has ended
	fallback time.Time
	columns  *event.Columns
	timeAt   int      // place of event_time in a row
	order    []int    // where its fields belong among the columns; nil = in their order
	places   [][]byte // room to put a row's fields into that order
	usual    int      // length of buf unless a row needs more: readBytes; less in tests
	maxRow   int      // maxRowBytes; less in tests

	buf   []byte
	start int   // buf[start:end] was read and not given out yet
	end   int   //
	err   error // why nothing more comes; io.EOF for the proper end
	line  int   // where buf[start] lies in the response, from 1

	headerEnded bool // the header has a line end

	// Believe reports whether an answer that ends so is whole all the same. It is called at most once for a
	// response; what was no row is then a bad one. nil believes none that is torn, and any other.
	Believe  func(End) bool
	torn     bool // the row that was given last has no line end
	believed bool

	store [][]byte // room for maxColumns fields
	split splitter

	times timeParser

	quickWay
}

func New() *Decoder {
	d := &Decoder{usual: readBytes, maxRow: maxRowBytes, store: make([][]byte, maxColumns)}
	d.Reset(nil, time.Time{})
	return d
}

// Reset begins a response. Rows whose time cannot be read get fallback.
func (d *Decoder) Reset(body io.Reader, fallback time.Time) {
	d.release()
	d.body, d.fallback = body, fallback.UTC()
	d.columns, d.err, d.line = nil, nil, 1
	d.refused, d.long, d.stripSize, d.headerEnded = false, false, stripBytes, false
	d.Believe, d.believed = nil, false
	d.split.fields = d.store
}

// release drops what is left in the buffer, and the buffer too if a long row made it large.
func (d *Decoder) release() {
	d.start, d.end = 0, 0
	d.unmark()
	if size := min(d.usual, d.maxRow); len(d.buf) != size {
		d.buf = make([]byte, size)
		clear(d.store)
	}
}

// Header reads up to the first row and returns the columns. The error is, or wraps, errEmptyBody,
// errNoExport, errCut or the body's own.
func (d *Decoder) Header() (*event.Columns, error) {
	for d.end < len(body.UTF8BOM) && d.err == nil {
		d.read(1)
	}
	d.start = len(d.buf[:d.end]) - len(bytes.TrimPrefix(d.buf[:d.end], body.UTF8BOM))
	for known := false; ; {
		known = known || d.setLineEnds()
		text := d.buf[d.start:d.end]
		if body.LooksForeign(text) {
			return nil, d.refuse()
		}
		size := d.split.split(text, d.err == io.EOF)
		switch {
		case size > 0 && blank(text[:size]):
			d.start += size
			d.line++
		case size > 0:
			return d.begin(size)
		case d.err == io.EOF && len(text) == 0:
			return nil, d.finish(body.ErrEmptyBody)
		case len(text) == len(d.buf):
			return nil, d.refuse()
		default:
			if err := d.fill(); err != nil {
				return nil, err
			}
		}
	}
}

// begin takes the first size bytes of the buffer for the header.
func (d *Decoder) begin(size int) (*event.Columns, error) {
	s := &d.split
	if s.count > maxColumns {
		return nil, d.refuse()
	}
	names := make([]string, s.count)
	for i := range names {
		names[i] = string(s.fields[i])
	}
	for _, i := range s.doubled {
		names[i] = string(undouble(bytes.Clone(s.fields[i])))
	}
	columns, ok := event.NewColumns(names)
	if !ok || holdData(names) {
		return nil, d.refuse()
	}
	d.headerEnded = d.buf[d.start+size-1] == '\n'
	d.columns, d.timeAt, d.order = columns, columns.Known[event.EventTime], nil
	d.start += size
	d.line += s.lines
	s.fields = d.store[:len(names)]
	return columns, nil
}

// holdData reports whether a time is among the names of columns. Then rows are in the header, whatever was
// meant to end it, and an export that has nothing but this header is not empty.
func holdData(names []string) bool {
	for _, name := range names {
		for word := range strings.FieldsSeq(name) {
			if _, ok := parseEventTime([]byte(word)); ok {
				return true
			}
		}
	}
	return false
}

// HeaderEnded reports whether the header of this response has a line end. One that has none may have been cut.
func (d *Decoder) HeaderEnded() bool { return d.headerEnded }

// Torn reports whether the row that Rows gave has no line end. It is the last one then, and alone.
func (d *Decoder) Torn() bool { return d.torn }

// refuse ends a response that is no export, with an error that shows its beginning.
func (d *Decoder) refuse() error {
	d.read(body.MaxErrorBytes)
	return d.finish(body.NoExport(d.buf[d.start:d.end]))
}

// Rows reads at least one row and as many more as are there at once. They are valid until the next call. The
// error is that of next, and then there is no row.
func (d *Decoder) Rows(into []event.Row) (n int, err error) {
	d.torn = false
	if err := d.next(&into[0]); err != nil {
		return 0, err
	}
	for n = 1; n < len(into); n++ {
		if d.refused = !d.quick(&into[n]); d.refused {
			break
		}
	}
	return n, nil
}

// next reads a row. It returns io.EOF at the proper end; any other error means that the response was not read
// to its end: errCut, or what the body's reader said, wrapped with the line.
func (d *Decoder) next(r *event.Row) error {
	for {
		if !d.refused && d.quick(r) {
			return nil
		}
		d.refused = false
		d.skipMark()
		text := d.buf[d.start:d.end]
		size := d.split.split(text, d.err == io.EOF)
		if size == 0 {
			if d.err == io.EOF && len(text) > 0 && d.believe(firstLine(text), true) {
				d.giveLine(r, text)
				return nil
			}
			switch err := d.fill(); err {
			case nil:
				continue
			case body.ErrLongRow:
				if d.holdsRow(text) {
					d.giveLine(r, text)
					return nil
				}
				return d.skip(r)
			default:
				return err
			}
		}
		text = text[:size]
		if d.headerAgain(size) {
			continue
		}
		if d.split.bad != "" && d.split.lines > 1 && d.holdsRow(text) {
			d.giveLine(r, text)
			return nil
		}
		if ragged := d.split.count != len(d.split.fields); ragged || body.LooksForeign(text) && !d.looksRight(&d.split) {
			if blank(text) {
				d.pass(size)
				continue
			}
			again, err := d.doubt(size)
			if err != nil {
				return err
			}
			if again {
				continue
			}
			text = d.buf[d.start : d.start+size]
			if ragged {
				d.split.blame(fmt.Sprintf("has %d fields, the header %d", d.split.count, len(d.split.fields)))
			}
		}
		d.torn = text[size-1] != '\n'
		d.give(r, text)
		d.pass(size)
		return nil
	}
}

// pass goes on behind a row that was split.
func (d *Decoder) pass(size int) {
	d.start += size
	d.line += d.split.lines
	d.long = size > stripBytes
	d.goBy(d.start - 1)
}

// give makes r of the row that was split, text being all of it.
func (d *Decoder) give(r *event.Row, text []byte) {
	s := &d.split
	fields := s.fields[:min(s.count, len(s.fields))]
	r.Time = d.fallback
	if d.timeAt < len(fields) {
		switch t, ok := parseEventTime(fields[d.timeAt]); {
		case !ok:
			s.blame(noTime(fields[d.timeAt]))
		case !inRange(t):
			s.blame(fmt.Sprintf("event_time %q is before 1970 or after 2106", logline.Excerpt(fields[d.timeAt], 64)))
		default:
			r.Time = t
		}
	}
	r.Columns, r.Line, r.Bad, r.Raw = d.columns, d.line, s.bad, nil
	r.ASCII = event.IsASCII(text)
	if s.bad != "" {
		r.Raw = trimLineEnd(text)
		if len(s.doubled) > 0 {
			r.Raw = bytes.Clone(r.Raw) // the fields are about to be changed in place
		}
	}
	for _, i := range s.doubled {
		if i < len(fields) {
			fields[i] = undouble(fields[i])
		}
	}
	if r.Fields = fields; d.order != nil { // in room of its own: the next row is put into order in places as well
		r.Fields = r.Room(len(d.order))
		copy(r.Fields, d.ordered(fields))
	}
}

func noTime(field []byte) string {
	if len(bytes.TrimSpace(field)) == 0 {
		return "event_time is empty"
	}
	return fmt.Sprintf("event_time %q is no time that can be read", logline.Excerpt(field, 64))
}

// skip gives out a row longer than maxRow: the beginning of its text and the fields that lie wholly in there.
// The rest is read over; the buffer, which is full, keeps the beginning meanwhile.
func (d *Decoder) skip(r *event.Row) error {
	head := min(maxRawBytes, len(d.buf)/2)
	var rest rowScanner
	rest.scan(d.buf[:d.end])
	for end := -1; end < 0; {
		if d.err != nil {
			if d.err != io.EOF {
				return d.ended()
			}
			if rest.inQuotes() || rest.count() != len(d.split.fields) {
				return d.finish(fmt.Errorf("%w: inside the row that begins in line %d", body.ErrCut, d.line))
			}
			d.start, d.torn = d.end, true // the last row of a whole body, without a line end
			break
		}
		d.start, d.end = head, head
		d.unmark()
		d.read(1)
		if end = rest.scan(d.buf[head:d.end]); end >= 0 {
			d.start = head + end
		}
	}
	s := &d.split
	if s.split(d.buf[:head], true) > 0 {
		s.count-- // the last one may go on behind the head
	}
	s.blame(fmt.Sprintf("is longer than %d bytes; of its text only the first %d are kept", d.maxRow, head))
	d.give(r, d.buf[:head])
	d.line += rest.lines
	return nil
}

// fill reads on because buf[start:end] holds no whole row. It makes room first. Without any more to read it
// returns what ended the response; when the row does not fit into the largest buffer, errLongRow.
func (d *Decoder) fill() error {
	if d.err != nil {
		return d.ended()
	}
	pending := d.end - d.start
	if d.start > 0 {
		copy(d.buf, d.buf[d.start:d.end])
		d.start, d.end = 0, pending
		d.unmark()
	}
	if pending == len(d.buf) {
		if pending >= d.maxRow {
			return body.ErrLongRow
		}
		larger := make([]byte, min(2*pending, d.maxRow))
		copy(larger, d.buf)
		d.buf = larger
	}
	// The row is split from its beginning again, so it must have grown by its own length first: a long row
	// that comes in small pieces must not cost the square of its length.
	d.read(pending)
	return nil
}

// read reads at least atLeast bytes more behind end, fewer only where the buffer or the body ends.
func (d *Decoder) read(atLeast int) {
	enough := min(d.end+max(atLeast, 1), len(d.buf))
	for idle := 0; d.end < enough && d.err == nil; idle++ {
		n, err := d.body.Read(d.buf[d.end:])
		d.end += n
		if n > 0 {
			idle = 0
		}
		if d.err = err; err == nil && idle >= 100 {
			d.err = io.ErrNoProgress
		}
	}
}

// ended says how the response ended, nothing more being there to read.
func (d *Decoder) ended() error {
	switch {
	case d.body == nil:
		return d.err
	case d.err != io.EOF:
		return d.finish(fmt.Errorf("line %d: %w", d.line, d.err))
	case d.end > d.start:
		return d.finish(fmt.Errorf("%w: inside the row that begins in line %d", body.ErrCut, d.line))
	default:
		return d.finish(io.EOF)
	}
}

// finish ends the response with err, which every later call of next returns too.
func (d *Decoder) finish(err error) error {
	d.release()
	d.body, d.err = nil, err
	return err
}
