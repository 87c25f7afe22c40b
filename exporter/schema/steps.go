package schema

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// A shape is a program: a list of steps, each with its keys and constants already encoded, that one pass over
// a row carries out. Which entries a map gets is known only when they are written, so a map's header is
// written first and its count put in at the end. Most good rows have little of that: once a record was
// written that way, a template writes those of rows that fill the same maps.

// Encoder writes the records of one schema for the rows of one response. It belongs to one goroutine.
type Encoder struct {
	good, bad []op
	templates templates
	actions   *actionCache // of the good rows' opAction; nil without one
	fine      *fineClasses // nil but for OCSFFine
}

type opKind uint8

const (
	opText     opKind = iota // a field's value, if it has the form
	opInt                    // a field's value, as a number
	opList                   // a list of fields' values
	opFields                 // a map of nothing but fields' values
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
	form    form         // opText
	fixed   bool         // opFields: the map stays though it is empty
	entries int          // opConstant, opAction: how many entries are written
	place   int          // place in row.fields
	bytes   []byte       // what is written first: a key, a key and a map's header, or constant entries
	end     *mapEnd      // opClose
	items   []op         // of kind opText; opList: its values, without a key; opFields: those for which texts has no room
	texts   []textEntry  // opFields
	actions *actionCache // opAction
	fields  []byte       // opFields: entries that are always the same
	more    int          // how many these are
	lacking []byte       // opText, opList: the entry where the row has no value
}

// mapEnd is what is done at the end of a map.
type mapEnd struct {
	wide    uint8  // bytes of the map's count, 0 when it is part of the type byte
	fixed   bool   // the map stays though it is empty
	beside  []byte // entries to add when it is not empty
	besides int    // how many these are
	empty   []byte // the one entry of a map that would else be empty
}

// level is a map that is being written.
type level struct {
	start int // where its key begins
	body  int // where its entries begin
	count int
}

// maxDepth is how deep maps nest in the tables, with room to spare.
const maxDepth = 8

func (p *Encoder) Append(dst []byte, r *event.Row) []byte {
	if r.Bad != "" {
		return write(dst, r, p.bad, nil)
	}
	if p.fine != nil {
		p = p.fine.encoder(r)
	}
	variant := p.templates.variant(r)
	t, ok := p.templates.known[variant]
	if !ok {
		return p.templates.learn(dst, r, p.good, variant)
	}
	return t.append(dst, r)
}

// write carries out steps. In holes, unless it is nil, it notes where it puts what is the row's own.
func write(dst []byte, r *event.Row, steps []op, holes *holes) []byte {
	var levels [maxDepth]level
	depth := 0
	for i := range steps {
		o := &steps[i]
		at := &levels[depth]
		switch o.kind {
		case opOpen:
			depth++
			levels[depth] = level{start: len(dst), body: len(dst) + len(o.bytes)}
			dst = append(dst, o.bytes...)
		case opClose:
			var kept bool
			dst, kept = o.end.close(dst, *at)
			if depth--; kept {
				levels[depth].count++
			}
		case opConstant:
			dst = append(dst, o.bytes...)
			at.count += o.entries
		case opList:
			var written bool
			if dst, written = o.appendList(dst, r, holes); written {
				at.count++
			} else if o.lacking != nil {
				dst = append(dst, o.lacking...)
				at.count++
			}
		default:
			if o.applies(r) {
				dst = holes.append(append(dst, o.bytes...), r, o)
				at.count += max(o.entries, 1)
			} else if o.lacking != nil {
				dst = append(dst, o.lacking...)
				at.count++
			}
		}
	}
	return dst
}

// applies reports whether the row has the value that the step writes.
func (o *op) applies(r *event.Row) bool {
	switch o.kind {
	case opText:
		text := r.Field(o.place)
		return len(text) > 0 && o.form.fits(text)
	case opInt:
		return len(r.Field(o.place)) > 0
	case opFields:
		return o.fixed || o.given(r)
	case opRawLine:
		return len(r.Raw) > 0
	default:
		return true
	}
}

// given reports whether one of the fields of an opFields is not empty.
func (o *op) given(r *event.Row) bool {
	for i := range o.texts {
		if len(r.Field(o.texts[i].place)) > 0 {
			return true
		}
	}
	for i := range o.items {
		if len(r.Field(o.items[i].place)) > 0 {
			return true
		}
	}
	return false
}

// appendValue appends what the step takes from the row.
func (o *op) appendValue(dst []byte, r *event.Row) []byte {
	switch o.kind {
	case opText:
		return appendFieldText(dst, r, r.Fields[o.place])
	case opInt:
		return appendInt(dst, decimal(r.Fields[o.place]))
	case opFields:
		return o.appendFields(dst, r)
	case opAction:
		return o.actions.append(dst, r.Field(o.place))
	case opTime:
		return appendInt(dst, r.Time.UnixMilli())
	case opReason:
		return appendString(dst, strings.ToValidUTF8(r.Bad, "\ufffd"))
	default: // opRawLine
		return appendText(dst, r.Raw)
	}
}

// appendFields appends a map.
func (o *op) appendFields(dst []byte, r *event.Row) []byte {
	dst, wide := appendOpenHeader(dst, len(o.texts)+len(o.items)+o.more)
	body := len(dst)
	dst, count := appendFieldTexts(append(dst, o.fields...), r, o.texts)
	count += o.more
	for i := range o.items {
		if item := &o.items[i]; item.applies(r) {
			dst = item.appendValue(append(dst, item.bytes...), r)
			count++
		}
	}
	setCount(dst[:body], wide, count)
	return dst
}

// appendList appends a list without the values that are absent, unfit or in it already. It has at most 15 items.
func (o *op) appendList(dst []byte, r *event.Row, holes *holes) (_ []byte, written bool) {
	start := len(dst)
	dst = append(append(dst, o.bytes...), 0x90)
	header := len(dst) - 1
	for i := range o.items {
		if item := &o.items[i]; item.applies(r) && !o.listed(r, i) {
			dst = holes.append(dst, r, item)
			dst[header]++
		}
	}
	if dst[header] == 0x90 {
		return dst[:start], false
	}
	return dst, true
}

// listed reports whether one of the items before the nth has the same value.
func (o *op) listed(r *event.Row, n int) bool {
	for i := range n {
		if bytes.Equal(r.Field(o.items[i].place), r.Field(o.items[n].place)) {
			return true
		}
	}
	return false
}

// close ends the map at m: it puts the count into the header, or takes an empty map back.
func (e *mapEnd) close(dst []byte, m level) (_ []byte, kept bool) {
	switch {
	case m.count > 0:
		dst = append(dst, e.beside...)
		m.count += e.besides
	case len(e.empty) > 0:
		dst = append(dst, e.empty...)
		m.count = 1
	case !e.fixed:
		return dst[:m.start], false
	}
	setCount(dst[:m.body], e.wide, m.count)
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

// setCount puts a map's count into the header that dst ends with.
func setCount(dst []byte, wide uint8, count int) {
	switch header := dst[len(dst)-max(int(wide), 1):]; wide {
	case 0:
		header[0] |= byte(count)
	case 2:
		binary.BigEndian.PutUint16(header, uint16(count))
	default:
		binary.BigEndian.PutUint32(header, uint32(count))
	}
}

// appendFieldText appends one of the row's fields.
func appendFieldText(dst []byte, r *event.Row, field []byte) []byte {
	if r.ASCII {
		return appendString(dst, field)
	}
	return appendText(dst, field)
}
