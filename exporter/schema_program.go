package exporter

import (
	"bytes"
	"math"
	"strings"
)

// A shape is a program: a list of steps, each with its keys and constants already encoded, that one pass over a row carries out. Which entries a map gets
// is known only when they are written, so a map's header is written first and its count put in at the end.

// program writes the records of one schema for the rows of one response.
type program struct {
	good, bad []op
}

type opKind uint8

const (
	opTexts    opKind = iota // fields' values
	opText                   // a field's value that has several places, a form, or a long name
	opInt                    // a field's value, as a number
	opList                   // a list of fields' values
	opConstant               // entries that are always the same
	opOpen                   // begin a map
	opClose                  // end it, or take it back when it has no entry
	opAction                 // entries worked out from the action's name
	opTime                   // "time", in milliseconds since 1970
	opReason                 // why the row is bad
	opRawLine                // the text of a bad row
)

// op is a step of a program.
type op struct {
	kind    opKind
	form    form
	fixed   bool         // opClose: the map stays though it is empty
	wide    uint8        // opOpen, opClose: bytes of the map's count, 0 when it is part of the type byte
	entries int          // opConstant, opAction: how many entries are written; opClose: how many tail holds
	place   int          // place in row.fields
	shared  int          // which of the record's shared values it is, see sharedValue; 0 for none
	bytes   []byte       // key, entries, or key and header; opClose: entries to add to a map that is not empty
	empty   []byte       // opClose: the one entry of a map that would else be empty
	texts   []textEntry  // opTexts
	items   []item       // opList
	actions *actionCache // opAction
}

// item is one value that a list may hold.
type item struct {
	place  int
	form   form
	shared int
}

// sharedValue is a value that has several places in a record. It is checked and encoded once and copied for the other places. What it points at is
// never taken back: only maps and lists without an entry are.
type sharedValue struct {
	start, end int // where it was encoded first; end is 0 before
	isIP       int8
}

// maxShared is how many values of a record can be shared, with room to spare; further ones are encoded at each place.
const maxShared = 6

func (v *sharedValue) append(dst []byte, r *row, value []byte) []byte {
	if v.end > 0 {
		return append(dst, dst[v.start:v.end]...)
	}
	v.start = len(dst)
	dst = r.appendText(dst, value)
	v.end = len(dst)
	return dst
}

func (v *sharedValue) fits(f form, value []byte) bool {
	switch f {
	case anyText:
		return true
	case formIP, formNoIP:
		if v.isIP == 0 {
			if v.isIP = -1; isIP(value) {
				v.isIP = 1
			}
		}
		return v.isIP > 0 == (f == formIP)
	default:
		return f.fits(value)
	}
}

// level is a map that is being written.
type level struct {
	start int // where its key begins
	body  int // where its entries begin
	count int
}

// maxDepth is how deep maps nest in the tables, with room to spare.
const maxDepth = 8

func (p *program) append(dst []byte, r *row) []byte {
	steps := p.good
	if r.bad != "" {
		steps = p.bad
	}
	var levels [maxDepth]level
	var shared [maxShared + 1]sharedValue
	depth := 0
	for i := range steps {
		o := &steps[i]
		at := &levels[depth]
		switch o.kind {
		case opTexts:
			var written int
			dst, written = r.appendTexts(dst, o.texts)
			at.count += written
		case opText:
			value := r.field(o.place)
			if len(value) == 0 {
				continue
			}
			if o.shared == 0 {
				dst = r.appendText(append(dst, o.bytes...), value)
				at.count++
			} else if v := &shared[o.shared]; v.fits(o.form, value) {
				dst = v.append(append(dst, o.bytes...), r, value)
				at.count++
			}
		case opConstant:
			dst = append(dst, o.bytes...)
			at.count += o.entries
		case opOpen:
			depth++
			levels[depth] = level{start: len(dst), body: len(dst) + len(o.bytes)}
			dst = append(dst, o.bytes...)
		case opClose:
			var kept bool
			if dst, kept = o.closeMap(dst, *at); kept {
				levels[depth-1].count++
			}
			depth--
		case opAction:
			dst = o.actions.append(dst, r.field(o.place))
			at.count += o.entries
		case opList:
			var written bool
			if dst, written = o.appendList(dst, r, &shared); written {
				at.count++
			}
		default:
			var written bool
			if dst, written = o.appendRare(dst, r); written {
				at.count++
			}
		}
	}
	return dst
}

// appendRare carries out the steps that few programs have.
func (o *op) appendRare(dst []byte, r *row) (_ []byte, written bool) {
	switch o.kind {
	case opInt:
		if value := r.field(o.place); len(value) > 0 {
			return appendInt(append(dst, o.bytes...), decimal(value)), true
		}
	case opTime:
		return appendInt(append(dst, o.bytes...), r.time.UnixMilli()), true
	case opReason:
		return appendString(append(dst, o.bytes...), strings.ToValidUTF8(r.bad, "\ufffd")), true
	case opRawLine:
		if len(r.raw) > 0 {
			return appendText(append(dst, o.bytes...), r.raw), true
		}
	}
	return dst, false
}

// appendList appends a list without the values that are absent, unfit or in it already. It has at most 15 items.
func (o *op) appendList(dst []byte, r *row, shared *[maxShared + 1]sharedValue) (_ []byte, written bool) {
	start := len(dst)
	dst = append(dst, o.bytes...)
	header := len(dst)
	dst = append(dst, 0x90)
	for i, it := range o.items {
		value := r.field(it.place)
		if len(value) == 0 || o.listed(r, i, value) {
			continue
		}
		if v := &shared[it.shared]; v.fits(it.form, value) {
			dst = v.append(dst, r, value)
			dst[header]++
		}
	}
	if dst[header] == 0x90 {
		return dst[:start], false
	}
	return dst, true
}

// listed tells whether one of the first n items has that value.
func (o *op) listed(r *row, n int, value []byte) bool {
	for _, it := range o.items[:n] {
		if bytes.Equal(r.field(it.place), value) {
			return true
		}
	}
	return false
}

// closeMap ends the map at m: it puts the count into the header, or takes an empty map back.
func (o *op) closeMap(dst []byte, m level) (_ []byte, kept bool) {
	switch {
	case m.count > 0:
		dst = append(dst, o.bytes...)
		m.count += o.entries
	case len(o.empty) > 0:
		dst = append(dst, o.empty...)
		m.count = 1
	case !o.fixed:
		return dst[:m.start], false
	}
	switch o.wide {
	case 0:
		dst[m.body-1] |= byte(m.count)
	case 2:
		dst[m.body-2], dst[m.body-1] = byte(m.count>>8), byte(m.count)
	default:
		dst[m.body-4], dst[m.body-3] = byte(m.count>>24), byte(m.count>>16)
		dst[m.body-2], dst[m.body-1] = byte(m.count>>8), byte(m.count)
	}
	return dst, true
}

// appendOpenHeader appends the header of a map of at most n entries, its count still 0.
func appendOpenHeader(dst []byte, n int) (_ []byte, wide uint8) {
	switch {
	case n < 16:
		return append(dst, 0x80), 0
	case n <= math.MaxUint16:
		return append(dst, 0xde, 0, 0), 2
	default:
		return append(dst, 0xdf, 0, 0, 0, 0), 4
	}
}

// field is the row's field at a place, nil when a ragged row does not reach it.
func (r *row) field(place int) []byte {
	if uint(place) >= uint(len(r.fields)) {
		return nil
	}
	return r.fields[place]
}

// appendText appends one of the row's fields.
func (r *row) appendText(dst, field []byte) []byte {
	if r.ascii {
		return appendString(dst, field)
	}
	return appendText(dst, field)
}
