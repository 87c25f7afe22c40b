package csv

import (
	"bytes"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// This file reads exports that were put together of several: their header comes again in the middle, behind a byte
// order mark or not, and may have its columns in another order.

// headerAgain reports whether the row that was split, the first size bytes of the buffer, has the header's columns
// for fields, each once. From there on fields are in its order. No event has that: where one has its time, this has a
// name.
func (d *Decoder) headerAgain(size int) bool {
	s := &d.split
	if s.count != len(s.fields) {
		return false
	}
	if t, ok := parseEventTime(s.fields[d.timeAt]); ok && inRange(t) {
		return false
	}
	names := make([]string, s.count)
	for i, field := range s.fields {
		names[i] = string(bytes.Trim(field, `"`))
	}
	columns, ok := event.NewColumns(names)
	if !ok {
		return false
	}
	places := make(map[string]int, len(names))
	for place, name := range d.columns.Names {
		places[name] = place
	}
	order, same := make([]int, len(names)), true
	for i, name := range columns.Names {
		place, known := places[name]
		if !known {
			return false
		}
		order[i] = place
		same = same && place == i
	}
	d.timeAt, d.order = columns.Known[event.EventTime], order
	if same {
		d.order = nil
	}
	d.pass(size)
	return true
}

// ordered puts the fields of a row into the order of the answer's first header, which is not theirs. A row that lacks
// some keeps the others where they belong. It is valid until the next row.
func (d *Decoder) ordered(fields [][]byte) [][]byte {
	if len(d.places) < len(d.order) {
		d.places = make([][]byte, len(d.order))
	}
	places := d.places[:len(d.order)]
	clear(places)
	for i, field := range fields {
		places[d.order[i]] = field
	}
	return places
}

// skipMark goes by byte order marks at the beginning of a row, which are no part of its first field. It takes all that
// there are: it is called once or several times for a row, depending on where the buffer ended.
func (d *Decoder) skipMark() {
	for d.start < d.end && d.buf[d.start] == body.UTF8BOM[0] && bytes.HasPrefix(d.buf[d.start:d.end], body.UTF8BOM) {
		d.start += len(body.UTF8BOM)
	}
}
