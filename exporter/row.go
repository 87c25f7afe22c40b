package exporter

import (
	"strconv"
	"time"
)

// row is one row of a response, on its way from the decoder to the encoder. It is used again for each row: what it points to is valid
// until the next one is read.
type row struct {
	columns *columns
	fields  [][]byte  // by place in columns.names; a ragged row may have fewer or more
	time    time.Time // event_time, or the window's end when the row has none that can be read; always UTC
	line    int       // where the row starts in the response, the header being line 1
	ascii   bool      // all of the row is, so that its fields need no look for bytes that are no UTF-8; false = not known
	bad     string    // why the row is no good row; "" for a good one
	raw     []byte    // the row as it came, without its line end; only set for a bad row

	store [][]byte // room for fields, see decoder.quick
}

// room returns room for n fields, the same each time.
func (r *row) room(n int) [][]byte {
	if cap(r.store) < n {
		r.store = make([][]byte, n)
	}
	return r.store[:n]
}

// release forgets the row but for its room: a huge one would be kept in memory by what points to it.
func (r *row) release() {
	clear(r.store)
	*r = row{store: r.store}
}

// value is the row's field of a known column, nil when the response or the row lacks it.
func (r *row) value(c column) []byte {
	i := r.columns.known[c]
	if i < 0 || i >= len(r.fields) {
		return nil
	}
	return r.fields[i]
}

func itoa(n int) string { return strconv.Itoa(n) }
