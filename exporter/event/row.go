// Package event is the currency of the rooms: a row of the export, its columns, and its time. It imports nothing, and
// everybody imports it.
package event

import (
	"time"
)

// Row is one row of a response, on its way from the decoder to the encoder. It is used again for each row:
// what it points to is valid until the next one is read.
type Row struct {
	Columns *Columns
	Fields  [][]byte  // by place in columns.names; a ragged row may have fewer or more
	Time    time.Time // event_time, or the window's end when the row has none that can be read; always UTC
	Line    int       // where the row starts in the response, the header being line 1
	ASCII   bool      // all of the row is, so that its fields need no look for bytes that are no UTF-8; false = not known
	Bad     string    // why the row is no good row; "" for a good one
	Raw     []byte    // the row as it came, without its line end; only set for a bad row

	store [][]byte // room for fields, see decoder.quick
}

// Room returns room for n fields, the same each time.
func (r *Row) Room(n int) [][]byte {
	if cap(r.store) < n {
		r.store = make([][]byte, n)
	}
	return r.store[:n]
}

// Release forgets the row but for its room: a huge one would be kept in memory by what points to it.
func (r *Row) Release() {
	clear(r.store)
	*r = Row{store: r.store}
}

// Value is the row's field of a known column, nil when the response or the row lacks it.
func (r *Row) Value(c column) []byte {
	i := r.Columns.Known[c]
	if i < 0 || i >= len(r.Fields) {
		return nil
	}
	return r.Fields[i]
}

// Field is the row's field at a place, nil when a ragged row does not reach it.
func (r *Row) Field(place int) []byte {
	if uint(place) >= uint(len(r.Fields)) {
		return nil
	}
	return r.Fields[place]
}
