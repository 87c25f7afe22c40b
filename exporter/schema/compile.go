package schema

import (
	"fmt"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// node is an entry of a record while its program is made: a map with kids, or a leaf.
type node struct {
	name   string
	inList bool // a map that is the one element of a list
	rest   bool // the map that unknown columns go to
	kids   []*node
	leaf   *op // nil for a map; opConstant holds the encoded value only
	text   any // a constant's value
	when   presence
}

// compile makes the program of a schema for a response's columns. It panics when the tables contradict
// themselves, which the tests would show.
func compile(def *schemaDef, table []field, names []string) *Encoder {
	good := compileRows(def, table, names, goodRows)
	e := &Encoder{good: good, bad: compileRows(def, table, names, badRows), templates: newTemplates(good)}
	for i := range good {
		if good[i].kind == opAction {
			e.actions = good[i].actions
		}
	}
	return e
}

func compileRows(def *schemaDef, table []field, names []string, rows rowKind) []op {
	root := &node{}
	root.addConstants(def.constants)
	if rows == badRows {
		root.addConstants(def.bad)
	} else {
		root.addConstants(def.good)
	}
	places := make(map[string]int, len(names))
	for place, name := range names {
		places[name] = place
	}
	for _, d := range def.derived {
		if d.rows == everyRow || d.rows == rows {
			root.derive(d, places)
		}
	}
	for i := range table {
		if place, given := places[table[i].name]; given && len(def.places(&table[i])) > 0 {
			root.addField(def, &table[i], op{kind: opText, place: place})
			delete(places, table[i].name)
		} else if !given {
			root.addConstants(def.unanswered(&table[i]))
		}
	}
	if rows == badRows {
		root.addField(def, &badFields[0], op{kind: opReason})
		root.addField(def, &badFields[1], op{kind: opRawLine})
		delete(places, fieldReason)
		delete(places, fieldRawLine)
	}
	for place, name := range names { // what is left, in the response's order
		if _, left := places[name]; left {
			root.addField(def, &field{name: name}, op{kind: opText, place: place})
		}
	}
	rest, _ := root.parent(def.rest)
	rest.rest = true
	return root.program()
}

// addField adds a leaf at each of the field's places. n is the record.
func (n *node) addField(def *schemaDef, f *field, leaf op) {
	places := def.places(f)
	if len(places) == 0 {
		if def.rest == "" {
			return
		}
		places = at(def.rest + f.name)
	}
	for _, place := range places {
		path, formName, _ := strings.Cut(place, "?")
		shape, ok := forms[formName]
		if formName == required {
			_, key := (&node{}).parent(path)
			leaf.lacking = newLacking(key).appendConstant(nil)
		}
		if !ok {
			panic(fmt.Sprintf("schema table: %s: no form %q", place, formName))
		}
		added := leaf
		leaf.lacking = nil
		if added.form = shape; shape == formInt {
			added.kind = opInt
		}
		n.add(path, added)
	}
}

func (n *node) addConstants(constants []constant) {
	for _, c := range constants {
		parent, key := n.parent(c.place)
		parent.kids = append(parent.kids, &node{name: key, leaf: &op{kind: opConstant}, text: c.value, when: c.when})
	}
}

// add adds a leaf. A path that ends in a list adds to that list.
func (n *node) add(path string, leaf op) {
	parent, key := n.parent(path)
	name, isList := strings.CutSuffix(key, "[]")
	if !isList {
		parent.kids = append(parent.kids, &node{name: name, leaf: &leaf})
		return
	}
	list := parent.kid(name)
	if list == nil {
		list = &node{name: name, leaf: &op{kind: opList}}
		parent.kids = append(parent.kids, list)
	}
	if leaf.lacking != nil {
		list.leaf.lacking, leaf.lacking = leaf.lacking, nil
	}
	list.leaf.items = append(list.leaf.items, leaf)
}

// required marks a place that a schema wants a value at: where there is none, it says so.
const required = "required"

// unanswered are the constants at the required places of a column that the response lacks.
func (def *schemaDef) unanswered(f *field) (constants []constant) {
	for _, place := range def.places(f) {
		if path, formName, _ := strings.Cut(place, "?"); formName == required {
			constants = append(constants, constant{strings.TrimSuffix(path, "[]"), newLacking(path).text, always})
		}
	}
	return constants
}

// newLacking stands at a required place for a value that is not there.
func newLacking(key string) *node {
	name, isList := strings.CutSuffix(key, "[]")
	if isList {
		return &node{name: name, leaf: &op{}, text: []string{unknown}}
	}
	return &node{name: name, leaf: &op{}, text: unknown}
}

// parent finds or makes the map that a path's last key is in.
func (n *node) parent(path string) (parent *node, key string) {
	for {
		first, rest, more := strings.Cut(path, ".")
		if !more {
			return n, first
		}
		name, inList := strings.CutSuffix(first, "[]")
		next := n.kid(name)
		if next == nil {
			next = &node{name: name, inList: inList}
			n.kids = append(n.kids, next)
		}
		n, path = next, rest
	}
}

// kid is the map or list of that name, nil when there is none.
func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name && (k.leaf == nil || k.leaf.kind == opList) {
			return k
		}
	}
	return nil
}

// derive adds what is worked out. Only opTime has a key of its own; an action's entries bring theirs.
func (n *node) derive(d derivation, places map[string]int) {
	object := n
	if d.object != "" {
		object, _ = n.parent(d.object + ".")
	}
	leaf := &op{kind: d.kind}
	if d.kind == opAction {
		place, given := places[event.ColumnNames[event.ActionName]]
		if !given {
			place = -1 // no row has it
		}
		leaf.place, leaf.entries, leaf.actions = place, d.entries.count, newActionCache(d.entries)
	}
	object.kids = append(object.kids, &node{name: "time", leaf: leaf})
}

// program writes the steps of a whole record.
func (n *node) program() []op {
	if n.rest && n.fieldsOnly(true) {
		return []op{n.fieldsStep(nil, true)}
	}
	steps := append([]op{{}}, n.body()...) // the record's own map has no key and is always there
	header, wide := appendOpenHeader(nil, n.most())
	steps[0] = op{kind: opOpen, bytes: header}
	steps = append(steps, op{kind: opClose, end: &mapEnd{wide: wide, fixed: true}})
	return steps
}

// body writes the steps of a map's entries: constants in one piece, then the rest in the table's order.
func (n *node) body() []op {
	fixed := op{kind: opConstant}
	var steps []op
	for _, k := range n.kids {
		switch {
		case k.constant():
			fixed.bytes = k.appendConstant(fixed.bytes)
			fixed.entries++
		case k.leaf == nil:
			steps = append(steps, k.mapSteps()...)
		case k.leaf.kind == opConstant: // beside or otherwise: the map's end writes it
		default:
			leaf := *k.leaf
			if leaf.kind != opAction {
				leaf.bytes = appendString(nil, k.name)
			}
			steps = append(steps, leaf)
		}
	}
	if fixed.entries > 0 {
		steps = append([]op{fixed}, steps...)
	}
	return steps
}

// mapSteps writes the steps of a map inside another.
func (n *node) mapSteps() []op {
	header := appendString(nil, n.name)
	if n.inList {
		header = append(header, 0x91)
	}
	if n.rest && n.fieldsOnly(false) {
		return []op{n.fieldsStep(header, false)}
	}
	header, wide := appendOpenHeader(header, n.most())
	end := &mapEnd{wide: wide}
	for _, k := range n.kids {
		switch k.when {
		case beside:
			end.beside = k.appendConstant(end.beside)
			end.besides++
		case otherwise:
			end.empty = k.appendConstant(end.empty)
		}
	}
	steps := append([]op{{kind: opOpen, bytes: header}}, n.body()...)
	return append(steps, op{kind: opClose, end: end})
}

// fieldsOnly reports whether a map has nothing but fields that need no form, or constants as well.
func (n *node) fieldsOnly(constants bool) bool {
	for _, k := range n.kids {
		if constants && k.leaf != nil && k.constant() {
			continue
		}
		if k.leaf == nil || k.leaf.kind != opText || k.leaf.form != anyText {
			return false
		}
	}
	return true
}

// fieldsStep writes such a map in one step.
func (n *node) fieldsStep(key []byte, fixed bool) op {
	step := op{kind: opFields, bytes: key, fixed: fixed}
	for _, k := range n.kids {
		if k.constant() {
			step.fields, step.more = k.appendConstant(step.fields), step.more+1
			continue
		}
		name := appendString(nil, k.name)
		if len(name) > putBytes {
			step.items = append(step.items, op{kind: opText, bytes: name, place: k.leaf.place})
			continue
		}
		step.texts = append(step.texts, newTextEntry(name, k.leaf.place))
	}
	return step
}

// most is how many entries a map can have.
func (n *node) most() int {
	most := 0
	for _, k := range n.kids {
		if k.leaf != nil && k.leaf.kind == opAction {
			most += k.leaf.entries
		} else {
			most++
		}
	}
	return most
}

// constant reports whether the entry is the same in every record.
func (n *node) constant() bool {
	if n.leaf != nil {
		return n.leaf.kind == opConstant && n.when == always
	}
	for _, k := range n.kids {
		if !k.constant() {
			return false
		}
	}
	return len(n.kids) > 0
}

// appendConstant appends the entry, key and value, of a constant or of a map of constants.
func (n *node) appendConstant(dst []byte) []byte {
	dst = appendString(dst, n.name)
	if n.leaf == nil {
		dst = appendMapHeader(dst, len(n.kids))
		for _, k := range n.kids {
			dst = k.appendConstant(dst)
		}
		return dst
	}
	switch value := n.text.(type) {
	case string:
		return appendString(dst, value)
	case int:
		return appendInt(dst, int64(value))
	case []string:
		return appendStrings(dst, value)
	default:
		panic(fmt.Sprintf("schema table: %s: no constant can be a %T", n.name, value))
	}
}

func appendStrings(dst []byte, values []string) []byte {
	dst = appendArrayHeader(dst, len(values))
	for _, value := range values {
		dst = appendString(dst, value)
	}
	return dst
}
