package schema

import (
	"bytes"
	"slices"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// A template writes the records of good rows whose known columns fill the same places, so that the same maps
// and lists are there. It is what one of them was written as, with holes for what is the row's own, so that a
// record is a few copies from end to end: no map is opened or closed.
//
// For example, in a schema that puts event_id at event.id, and user_name at user.email if it is an address, else at
// user.name:
//
//	row       event_id=7, user_name=ada@example.com, x=1
//	bits      event_id is given: 1, user_name is given: 1, it is an address: 1
//	record    {"event": {"id": "7"}, "user": {"email": "ada@example.com"}, "unmapped": {"x": "1"}}
//	template  part 1: fixed  map of 3, "event", map of 1     texts  "id" = field 0
//	          part 2: fixed  "user", map of 1                texts  "email" = field 1
//	          part 3: fixed  nothing                         other  the map of what nobody knows
//
// The next row with these bits is three copies and its own texts.
//
// The columns that nobody knows are one of the holes, a map that is counted in each row (opFields): there may
// be any number of them, filled in any combination. In schema raw that is the whole record.

// template is a record's parts in their order.
type template []part

// part is something that never changes and what follows it: texts, or one other value, or nothing.
type part struct {
	fixed []byte
	texts []textEntry // none is empty
	other *op
}

func (t template) append(dst []byte, r *event.Row) []byte {
	for i := range t {
		p := &t[i]
		dst = append(dst, p.fixed...)
		switch {
		case p.other != nil:
			dst = p.other.appendValue(dst, r)
		case len(p.texts) > 0:
			dst, _ = appendFieldTexts(dst, r, p.texts)
		}
	}
	return dst
}

// templates are those of a program. Which one is right for a row depends on which of its fields are empty,
// and on the answers to some questions: one bit each, and no more of them than the tables ask for, however
// many columns there are.
type templates struct {
	known     map[uint64]template
	places    []int // of the fields
	questions []question
}

// question is what decides about an entry besides whether its field is empty: its form; or whether the list
// has the item's value already; or whether a map of fields has any.
type question struct {
	form  form
	place int
	op    *op
	item  int
}

const (
	maxVariantBits = 64
	maxTemplates   = 1024 // of 1 to 2 KB; rows that would need more of them are written without
)

// newTemplates finds out what the steps ask.
func newTemplates(steps []op) templates {
	t := templates{known: make(map[uint64]template)}
	for i := range steps {
		switch o := &steps[i]; o.kind {
		case opText:
			t.askText(o)
		case opList:
			for n := range o.items {
				t.askText(&o.items[n])
				if n > 0 {
					t.ask(question{op: o, item: n})
				}
			}
		case opFields:
			if !o.fixed {
				t.ask(question{op: o})
			}
		}
	}
	if len(t.places)+len(t.questions) > maxVariantBits {
		panic("schema table: rows differ in more ways than there are bits")
	}
	return t
}

func (t *templates) askText(o *op) {
	if !slices.Contains(t.places, o.place) {
		t.places = append(t.places, o.place)
	}
	switch o.form {
	case formIP, formNoIP:
		t.ask(question{form: formIP, place: o.place})
	case formEmail:
		t.ask(question{form: formEmail, place: o.place})
	}
}

func (t *templates) ask(q question) {
	if !slices.Contains(t.questions, q) {
		t.questions = append(t.questions, q)
	}
}

// variant is the same for two rows only if one template is right for both.
func (t *templates) variant(r *event.Row) (variant uint64) {
	for _, place := range t.places {
		variant <<= 1
		if len(r.Field(place)) > 0 {
			variant |= 1
		}
	}
	for i := range t.questions {
		variant <<= 1
		if t.questions[i].answer(r) {
			variant |= 1
		}
	}
	return variant
}

func (q *question) answer(r *event.Row) bool {
	switch {
	case q.op == nil:
		return q.form.fits(r.Field(q.place))
	case q.op.kind == opList:
		return q.op.listed(r, q.item)
	default:
		return q.op.given(r)
	}
}

// learn writes a row's record with the program's steps and makes the template of it.
func (t *templates) learn(dst []byte, r *event.Row, steps []op, variant uint64) []byte {
	if len(t.known) == maxTemplates {
		return write(dst, r, steps, nil)
	}
	var holes holes
	start := len(dst)
	dst = write(dst, r, steps, &holes)
	t.known[variant] = holes.template(dst, start)
	return dst
}

// holes are the places of a record that hold what is the row's own.
type holes []hole

type hole struct {
	start, end int
	value      *op
}

// append appends a step's value, and notes where when h is not nil.
func (h *holes) append(dst []byte, r *event.Row, o *op) []byte {
	start := len(dst)
	dst = o.appendValue(dst, r)
	if h != nil {
		*h = append(*h, hole{start, len(dst), o})
	}
	return dst
}

// template makes the template of the record that begins at start.
func (h holes) template(record []byte, start int) template {
	var t template
	for _, hole := range h {
		fixed := bytes.Clone(record[start:hole.start])
		start = hole.end
		if hole.value.kind != opText {
			t = append(t, part{fixed: fixed, other: hole.value})
			continue
		}
		if n := len(t); n == 0 || t[n-1].other != nil || len(fixed) > putBytes {
			t = append(t, part{fixed: fixed})
			fixed = nil
		}
		last := &t[len(t)-1]
		last.texts = append(last.texts, newTextEntry(fixed, hole.value.place))
	}
	return append(t, part{fixed: bytes.Clone(record[start:])})
}
