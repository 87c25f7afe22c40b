package whole

import (
	"cmp"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// edges is where an answer's rows begin and end in time. What cuts an answer off leaves out what lies beyond one of
// them, if its rows are in the order of their times.
type edges struct {
	begun              bool
	first, last        int64 // seconds of the Unix epoch
	atFirst, atLast    int   // rows within these seconds
	whole              int   // of those within the first, how many are at its begin
	behind, before     int   // rows at the begin of the second behind the first, and within the one before the last
	rising, falling    bool
	previous           int64
	previousNanosecond int
}

// add notes the time of a row.
func (e *edges) add(second int64, nano int) {
	whole := 0
	if nano == 0 {
		whole = 1
	}
	if !e.begun {
		*e = edges{begun: true, first: second, last: second}
	} else if order := cmp.Or(cmp.Compare(second, e.previous), cmp.Compare(nano, e.previousNanosecond)); order != 0 {
		e.rising, e.falling = e.rising || order > 0, e.falling || order < 0
	}
	e.previous, e.previousNanosecond = second, nano
	switch {
	case second == e.first:
		e.atFirst, e.whole = e.atFirst+1, e.whole+whole
	case second == e.first+1:
		e.behind += whole
	case second < e.first:
		if e.behind = 0; second == e.first-1 {
			e.behind = e.whole
		}
		e.first, e.atFirst, e.whole = second, 1, whole
	}
	switch {
	case second == e.last:
		e.atLast++
	case second == e.last-1:
		e.before++
	case second > e.last:
		if e.before = 0; second == e.last+1 {
			e.before = e.atLast
		}
		e.last, e.atLast = second, 1
	}
}

// inOrder reports whether the rows are in the order of their times, or in the opposite one.
func (e *edges) inOrder() bool { return !e.rising || !e.falling }

// beyond returns the two windows that hold what w has and the rows do not, and a second of the rows.
func (e *edges) beyond(w plan.Window) (left, right plan.Window) {
	left = plan.Window{Start: w.Start, End: plan.Earlier(w.End, time.Unix(e.first+1, 0).UTC())}
	right = plan.Window{Start: plan.Later(w.Start, time.Unix(e.last-1, 0).UTC()), End: w.End}
	return left, right
}

// manyRows is from how many rows on an answer is not read again as a whole if its edges show enough. Below it that
// costs little, and shows more: rows may be missing in the middle as well.
const manyRows = 5000

// NothingBeyond reports whether an answer that is suspect for its size has everything, as far as that can be told from
// what w has before its first row and behind its last: next to nothing if it is honest. If not, Examine tells why.
func (l *RowLimit) NothingBeyond(w plan.Window, got Reading, read ReadPart) (bool, error) {
	e := &got.edges
	if got.Rows < manyRows || l.Known > 0 || l.Proven.varies > 0 || !e.inOrder() || e.last-e.first < 2 ||
		got.inside < got.Rows || got.bad > 0 || got.ended || !got.Framed {
		return false, nil
	}
	left, right := e.beyond(w)
	for _, edge := range []struct {
		w           plan.Window
		least, more int
	}{{left, e.atFirst, e.behind}, {right, e.atLast, e.before}} {
		part, err := read(edge.w, nil)
		if err != nil || part.Fresh > 0 || part.More || part.Rows < edge.least || part.Rows > edge.least+edge.more {
			return false, err
		}
	}
	return true, nil
}
