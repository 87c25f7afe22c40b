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
	opTexts    opKind = iota // fields' values; with a form it is one field's, if it has that form
	opLongText               // the value of a field whose name is too long for opTexts
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
	form    form         // while the program is made; then texts has it
	fixed   bool         // opClose: the map stays though it is empty
	wide    uint8        // opOpen, opClose: bytes of the map's count, 0 when it is part of the type byte
	head    int          // opOpen: length of key and header, behind which the map's constants follow
	entries int          // opConstant, opAction: how many entries are written; opOpen: how many constants; opClose: how many bytes holds
	place   int          // place in row.fields
	bytes   []byte       // key, entries, or key and header; opClose: entries to add to a map that is not empty
	empty   []byte       // opClose: the one entry of a map that would else be empty
	texts   []textEntry  // opTexts, and without keys the items of opList
	actions *actionCache // opAction
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
	var fitting fitting
	depth := 0
	for i := range steps {
		o := &steps[i]
		at := &levels[depth]
		switch o.kind {
		case opTexts:
			if e := &o.texts[0]; !fitting.fits(r, e) {
				continue
			}
			var written int
			dst, written = r.appendTexts(dst, o.texts)
			at.count += written
		case opConstant:
			dst = appendFixed(dst, o.bytes)
			at.count += o.entries
		case opOpen:
			depth++
			levels[depth] = level{start: len(dst), body: len(dst) + o.head, count: o.entries}
			dst = appendFixed(dst, o.bytes)
		case opClose:
			if at.count > 0 && o.wide == 0 && len(o.bytes) == 0 { // as most are
				dst[at.body-1] |= byte(at.count)
				depth--
				levels[depth].count++
				continue
			}
			var kept bool
			if dst, kept = o.closeMap(dst, *at); kept {
				levels[depth-1].count++
			}
			depth--
		case opAction:
			dst = o.actions.append(dst, r.field(o.place))
			at.count += o.entries
		default:
			var written bool
			if dst, written = o.appendRare(dst, r, &fitting); written {
				at.count++
			}
		}
	}
	return dst
}

// appendRare carries out the steps that few programs have.
func (o *op) appendRare(dst []byte, r *row, fitting *fitting) (_ []byte, written bool) {
	switch o.kind {
	case opList:
		return o.appendList(dst, r, fitting)
	case opLongText:
		if value := r.field(o.place); len(value) > 0 {
			return r.appendText(append(dst, o.bytes...), value), true
		}
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
func (o *op) appendList(dst []byte, r *row, fitting *fitting) (_ []byte, written bool) {
	start := len(dst)
	dst = append(appendFixed(dst, o.bytes), 0x90)
	header := len(dst) - 1
	for i := range o.texts {
		if !fitting.fits(r, &o.texts[i]) || o.listed(r, i) {
			continue
		}
		var written int
		dst, written = r.appendTexts(dst, o.texts[i:i+1])
		dst[header] += byte(written)
	}
	if dst[header] == 0x90 {
		return dst[:start], false
	}
	return dst, true
}

// listed tells whether one of the items before the nth has the same value.
func (o *op) listed(r *row, n int) bool {
	for i := range n {
		if bytes.Equal(r.field(o.texts[i].place), r.field(o.texts[n].place)) {
			return true
		}
	}
	return false
}

// closeMap ends the map at m: it puts the count into the header, or takes an empty map back.
func (o *op) closeMap(dst []byte, m level) (_ []byte, kept bool) {
	switch {
	case m.count > 0:
		dst = appendFixed(dst, o.bytes)
		m.count += o.entries
	case len(o.empty) > 0:
		dst = appendFixed(dst, o.empty)
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
