package whole

import (
	"cmp"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// This file looks for what a large answer lacks without reading all of it again. What cuts an answer off leaves out
// what lies before its first rows or behind its last; what leaves out a part in between, a gap there; and what leaves
// out some here and some there, something everywhere. So the stretches at both ends are read again, and the few that
// have rows further apart than those around them.

// order notes the times of an answer's rows, and where it can be cut into stretches of about as many rows.
type order struct {
	rows            int
	rising, falling bool
	second          int64 // of the last row, since the Unix epoch
	nano            int
	whole           int // rows at the very begin of that second
	marks           []mark
	step, next      int // rows between two marks; how many rows there are when the next one is due
}

// mark is the begin of a second, in the order of the rows.
type mark struct {
	second int64
	rows   int // that came before
	whole  int // rows at its very begin, which are in the windows on both sides
}

const (
	firstStep = 64   // rows
	mostMarks = 128  // beyond them, each other is left out …
	mostStep  = 2048 // … until a stretch has so many rows: five of them show what leaves out one row in a thousand
)

// add notes the time of a row.
func (o *order) add(second int64, nano int) {
	if o.rows > 0 {
		later := cmp.Or(cmp.Compare(second, o.second), cmp.Compare(nano, o.nano))
		o.rising, o.falling = o.rising || later > 0, o.falling || later < 0
	}
	if second != o.second {
		if o.rows >= max(o.next, firstStep) {
			o.mark(second)
		}
		o.whole = 0
	}
	if nano == 0 {
		o.whole++
		if last := len(o.marks) - 1; last >= 0 && o.marks[last].second == second {
			o.marks[last].whole++
		}
	}
	o.rows++
	o.second, o.nano = second, nano
}

// mark makes a mark ahead of the row with the next second.
func (o *order) mark(second int64) {
	if len(o.marks) >= mostMarks && o.step < mostStep {
		for i := range mostMarks / 2 {
			o.marks[i] = o.marks[2*i+1]
		}
		o.marks, o.step = o.marks[:mostMarks/2], 2*o.step
	}
	if o.marks == nil {
		o.marks, o.step = make([]mark, 0, mostMarks), firstStep
	}
	m := mark{second: second, rows: o.rows}
	if second < o.second { // the rows before it are the later ones
		if m.second = second + 1; m.second == o.second {
			m.whole = o.whole
		}
	}
	o.marks, o.next = append(o.marks, m), o.rows+o.step
}

// stretch is a part of an answer.
type stretch struct {
	w           plan.Window
	least, most int // rows of the answer that lie in it, depending on which of its ends belong to it
	thin        float64
}

// stretches cuts w at the marks.
func (o *order) stretches(w plan.Window) (list []stretch) {
	marks := slices.Clone(o.marks)
	if o.falling {
		slices.Reverse(marks)
		for i := range marks {
			marks[i].rows = o.rows - marks[i].rows
		}
	}
	start, before := w.Start, mark{}
	for _, m := range marks {
		at := time.Unix(m.second, 0).UTC()
		if !at.After(start) || !at.Before(w.End) {
			continue
		}
		rows := m.rows - before.rows
		list = append(list, stretch{w: plan.Window{Start: start, End: at}, least: rows - before.whole, most: rows + m.whole})
		start, before = at, m
	}
	rows := o.rows - before.rows
	return append(list, stretch{w: plan.Window{Start: start, End: w.End}, least: rows - before.whole, most: rows})
}

const (
	leastStretches = 8
	mostThin       = 3
)

// telling returns those of the stretches that lack something if the answer does: the first, the last, and those
// between that are longer, for as many rows, than both beside them. There may be none of these.
func telling(list []stretch) []stretch {
	for i := 1; i < len(list)-1; i++ {
		list[i].thin = list[i].spacing() / max(list[i-1].spacing(), list[i+1].spacing())
	}
	between := slices.Clone(list[1 : len(list)-1])
	slices.SortStableFunc(between, func(a, b stretch) int { return cmp.Compare(b.thin, a.thin) })
	return append([]stretch{list[0], list[len(list)-1]}, between[:mostThin]...)
}

// spacing is the time between two rows.
func (s *stretch) spacing() float64 { return float64(s.w.End.Sub(s.w.Start)) / float64(max(s.most, 1)) }

// manyRows is from how many rows on an answer is not read again as a whole if parts of it show enough. Below it that
// costs little.
const manyRows = 5000

// Sample reports whether an answer that is suspect for its size has everything, as far as that can be told from the
// parts of w that would show best what it lacks: about a twentieth of it, or ten thousand rows. If not, Examine tells
// why.
func (l *RowLimit) Sample(w plan.Window, got Reading, read ReadPart) (bool, error) {
	o := &got.order
	if got.Rows < manyRows || l.Known > 0 || l.Proven.varies > 0 || o.rising && o.falling ||
		got.inside < got.Rows || got.bad > 0 || got.ended || !got.Framed {
		return false, nil
	}
	list := o.stretches(w)
	if len(list) < leastStretches {
		return false, nil
	}
	for _, s := range telling(list) {
		part, err := read(s.w, nil)
		if err != nil || part.Fresh > 0 || part.More || part.ended || !part.Framed ||
			part.Rows < s.least || part.Rows > s.most {
			return false, err
		}
	}
	return true, nil
}
