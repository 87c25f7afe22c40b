package csv

import (
	"bytes"
	"strconv"
)

// splitter splits one row at a time. The fields are parts of the text it is given.
type splitter struct {
	fields  [][]byte // room for as many fields as are kept
	count   int      // fields that the row has, those for which there is no room included
	doubled []int    // kept fields in which quotes are still doubled
	lines   int      // lines that the row takes
	bad     string   // what is wrong with the row
}

// split splits the row that text begins with and returns its length, line end included; 0 when text ends
// before the row does. whole says that nothing follows text, so that the row may end without a line end. Then
// 0 means that text is empty or ends inside quotes.
func (s *splitter) split(text []byte, whole bool) int {
	s.count, s.doubled, s.bad = 0, s.doubled[:0], ""
	end := bytes.IndexByte(text, '\n')
	size := end + 1
	if end < 0 {
		if !whole {
			return 0
		}
		end, size = len(text), len(text)
	}
	if quote := bytes.IndexByte(text[:end], '"'); quote >= 0 {
		return s.splitQuoted(text, end, quote, whole)
	}
	s.lines = 1
	s.splitPlain(trimCR(text[:end]))
	return size
}

// splitPlain splits a line without quotes. Going from comma to comma with the vector code of IndexByte beats
// looking at each byte.
func (s *splitter) splitPlain(line []byte) {
	n, fields := 0, s.fields
	for {
		comma := bytes.IndexByte(line, ',')
		if comma < 0 {
			break
		}
		if n < len(fields) {
			fields[n] = line[:comma]
		}
		n++
		line = line[comma+1:]
	}
	if n < len(fields) {
		fields[n] = line
	}
	s.count = n + 1
}

// splitQuoted splits a row whose first line ends at end and has its first quote at quote.
func (s *splitter) splitQuoted(text []byte, end, quote int, whole bool) int {
	s.lines = 1
	stop := len(trimCR(text[:end])) // where the row ends, if end does not turn out to lie inside quotes
	at := 0
	for {
		next, closing := at, at // where the field ends, where its closing quote is
		doubled := false
		if quote == at && at < stop {
			if closing, doubled = closingQuote(text, at+1, whole); closing < 0 {
				return 0
			}
			if closing > end {
				if end = lineEnd(text, closing, whole); end < 0 {
					return 0
				}
				s.lines += bytes.Count(text[at:closing], newline)
				stop = len(trimCR(text[:end]))
			}
			next = closing + 1
		}
		comma := bytes.IndexByte(text[next:stop], ',')
		switch {
		case closing == at:
			next = fieldEnd(next, comma, stop)
			s.add(text[at:next], false)
			if quote < next {
				s.blameField("has a quote, but does not begin with one")
			}
		case next == stop || comma == 0:
			s.add(text[at+1:closing], doubled)
		default:
			next = fieldEnd(next, comma, stop)
			s.add(text[at:next], false)
			s.blameField("goes on after its closing quote")
		}
		if next == stop {
			return min(end+1, len(text))
		}
		if quote <= next {
			quote = nextQuote(text[:stop], next)
		}
		at = next + 1
	}
}

// add notes a field. It is kept when there is room.
func (s *splitter) add(field []byte, doubled bool) {
	if s.count < len(s.fields) {
		s.fields[s.count] = field
		if doubled {
			s.doubled = append(s.doubled, s.count)
		}
	}
	s.count++
}

// blame notes one more thing that is wrong with the row.
func (s *splitter) blame(reason string) {
	if s.bad != "" {
		reason = s.bad + "; " + reason
	}
	s.bad = reason
}

// blameField blames the last field. Only the first one is named: the others often follow from it.
func (s *splitter) blameField(reason string) {
	if s.bad == "" {
		s.bad = "field " + strconv.Itoa(s.count) + " " + reason
	}
}

// closingQuote finds the quote that ends a quoted field whose text begins at at; -1 when text ends before it
// is certain. doubled says that there are doubled quotes before.
func closingQuote(text []byte, at int, whole bool) (closing int, doubled bool) {
	for {
		i := bytes.IndexByte(text[at:], '"')
		if i < 0 {
			return -1, doubled
		}
		at += i
		switch {
		case at+1 < len(text) && text[at+1] == '"':
			doubled = true
			at += 2
		case at+1 == len(text) && !whole:
			return -1, doubled
		default:
			return at, doubled
		}
	}
}

// lineEnd finds the line's end, from at on.
func lineEnd(text []byte, at int, whole bool) int {
	switch i := bytes.IndexByte(text[at:], '\n'); {
	case i >= 0:
		return at + i
	case whole:
		return len(text)
	default:
		return -1
	}
}

// fieldEnd is where a field ends that has its comma at from+comma, or none when comma is negative.
func fieldEnd(from, comma, stop int) int {
	if comma < 0 {
		return stop
	}
	return from + comma
}

// nextQuote finds the next quote, from at on; behind everything when there is none.
func nextQuote(text []byte, at int) int {
	if i := bytes.IndexByte(text[at:], '"'); i >= 0 {
		return at + i
	}
	return len(text)
}

// undouble makes one quote of each doubled one, in place.
func undouble(field []byte) []byte {
	kept, rest := 0, field
	for {
		i := bytes.IndexByte(rest, '"')
		if i < 0 {
			return field[:kept+copy(field[kept:], rest)]
		}
		kept += copy(field[kept:], rest[:i+1])
		rest = rest[i+2:]
	}
}

var newline = []byte{'\n'}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

func trimLineEnd(text []byte) []byte { return trimCR(bytes.TrimSuffix(text, newline)) }

func blank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }

// rowScanner finds the end of a row that comes in pieces. It follows the same rules as splitter, byte by byte.
type rowScanner struct {
	state  scanState
	commas int // that end a field
	lines  int
}

type scanState int

const (
	atField   scanState = iota // a field begins here
	inText                     // in an unquoted field, or behind a closing quote that should have ended its field
	inQuotes                   // between quotes
	pastQuote                  // a quote ended the field, or is the first of two
)

// scan goes on with the next piece and returns where the row ends in it, line end included; -1 when it goes on.
func (x *rowScanner) scan(piece []byte) int {
	for i, b := range piece {
		if x.step(b) {
			return i + 1
		}
	}
	return -1
}

// step goes on with one byte and reports whether it ends the row.
func (x *rowScanner) step(b byte) (end bool) {
	if b == '\n' {
		x.lines++
	}
	switch {
	case x.state == inQuotes:
		if b == '"' {
			x.state = pastQuote
		}
	case b == '"' && x.state != inText:
		x.state = inQuotes
	case b == ',':
		x.commas++
		x.state = atField
	case b == '\n':
		return true
	default:
		x.state = inText
	}
	return false
}

func (x *rowScanner) inQuotes() bool { return x.state == inQuotes }

func (x *rowScanner) count() int { return x.commas + 1 }
