package csv

import (
	"bytes"
	"fmt"
	"io"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// This file is about what may be the trace of an answer that broke off: a last row that is no row, a last
// line without a line end, a quote that nobody closes. Only who asked can tell, by asking again.

// End is how an answer ends that may not be whole.
type End struct {
	Text    []byte // what is no row, or the line that has the quote; valid during the call only
	Torn    bool   // it lacks its line end or its closing quote: cut, unless HTTP proves the body whole
	Foreign bool   // it is JSON or markup
}

// believe asks once in an answer whether its end is believed.
func (d *Decoder) believe(text []byte, torn bool) bool {
	if !d.believed && d.Believe != nil {
		d.believed = d.Believe(End{Text: text, Torn: torn, Foreign: body.LooksForeign(text)})
	}
	return d.believed
}

// doubt looks at the row that was split, the first size bytes of the buffer, which is not as the header has it. It
// returns the error that ends the answer, and whether the row is to be split again because more was read.
func (d *Decoder) doubt(size int) (again bool, err error) {
	text := d.buf[d.start : d.start+size]
	switch {
	case text[size-1] != '\n':
		if d.believe(text, true) {
			return false, nil
		}
		return false, d.finish(fmt.Errorf(
			"%w: in line %d, after %d of %d fields", body.ErrCut, d.line, d.split.count, len(d.split.fields),
		))
	case d.Believe == nil || d.believed:
		return false, nil
	case body.LooksForeign(text):
		if d.believe(text, false) {
			return false, nil
		}
		return false, d.finish(fmt.Errorf("line %d: %w", d.line, body.NoExport(text)))
	case !blank(d.buf[d.start+size : d.end]):
		return false, nil
	case d.err == nil:
		return d.fill() == nil, nil // a row that fills the largest buffer is judged as if more followed
	case d.err == io.EOF && !d.believe(text, false):
		return false, d.finish(fmt.Errorf(
			"%w: line %d, which is the last one, has %d of %d fields", body.ErrCut, d.line, d.split.count,
			len(d.split.fields),
		))
	default:
		return false, nil
	}
}

// giveLine makes a bad row of the first line of text, which has a quote that ends elsewhere than its row.
func (d *Decoder) giveLine(r *event.Row, text []byte) {
	line := firstLine(text)
	s := &d.split
	s.doubled, s.bad, s.lines = s.doubled[:0], "", 1
	s.splitPlain(trimLineEnd(line))
	s.blame("has a quote that is not closed in its line")
	if s.count != len(s.fields) {
		s.blame(fmt.Sprintf("has %d fields, the header %d", s.count, len(s.fields)))
	}
	d.torn = line[len(line)-1] != '\n'
	d.give(r, line)
	d.pass(len(line))
	d.unmark() // where rows end was found out with the quote
}

func firstLine(text []byte) []byte {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		return text[:end+1]
	}
	return text
}

// holdsRow reports whether a line of text behind the first looks like a row: then it is one that a stray
// quote took in.
func (d *Decoder) holdsRow(text []byte) bool {
	probe := splitter{fields: make([][]byte, len(d.split.fields))}
	for text = text[len(firstLine(text)):]; len(text) > 0; {
		line := firstLine(text)
		text = text[len(line):]
		probe.splitPlain(trimLineEnd(line))
		if d.looksRight(&probe) || probe.split(line, true) > 0 && probe.bad == "" && d.looksRight(&probe) {
			return true
		}
	}
	return false
}

// looksRight reports whether s has split a line into the header's fields, with a time where it belongs.
func (d *Decoder) looksRight(s *splitter) bool {
	if s.count != len(s.fields) {
		return false
	}
	t, ok := parseEventTime(bytes.Trim(s.fields[d.timeAt], `"`))
	return ok && inRange(t)
}
