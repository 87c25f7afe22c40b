package whole

import (
	"math/bits"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// RowLimit finds out whether the endpoint leaves rows out of its answers without saying so: 200, well-formed, and
// no more than so many rows. Nobody documents such a limit, and nothing in one answer proves one. So an answer that
// looks cut off is read again in two parts, and only when these have events that it lacks, and lacks again when it
// is asked for once more, the limit is taken for known.
//
// Its zero value knows none.
type RowLimit struct {
	Known  int // rows; an answer with as many is cut off; 0 = none is known
	beyond int // answers with more rows than that since the last one with as many
	vain   int // times that headers Promised rows that there were not

	Polls  RowCounts // of what is collected
	Second RowCounts // of what is read again by reconciliation
	Proven Proven    // of both

	// Cut is plan.Planner's.
	Cut func(w plan.Window, at time.Time) (left, right plan.Window, ok bool)
	// told is when a second was told that has what cannot be read whole.
	told map[int64]time.Time
}

const (
	LeastLimit  = 50  // rows; fewer come too often to mean anything
	leastRound  = 100 // rows from which on a round number is suspect
	mostVain    = 3   // such headers are believed so often in vain
	mostBeyond  = 20  // answers beyond a limit that show that it is none any more
	gapInterval = time.Hour
)

// Suspicion is how much an answer looks as if it had been cut off.
type Suspicion int

const (
	Unsuspected Suspicion = iota
	Larger                // it is larger than any that was shown to be whole
	Repeated              // another window had as many rows
	Round                 // it has a round number of rows
	Promised              // its headers say that there are more
	AtLimit               // it has at least as many as the limit that is known
	OddEnd                // it ends with what is no row
)

// AtMost is how many rows a window should have at most that may have n.
func (l *RowLimit) AtMost(n int) int {
	if l.Known == 0 {
		return n
	}
	return min(n, l.Known*8/10)
}

// Reached reports whether an answer has as many rows as the endpoint gives at most.
func (l *RowLimit) Reached(got Reading) bool { return l.Known > 0 && got.Rows >= l.Known }

// Judge says what the answer for w looks like. counts has the answers before it.
func (l *RowLimit) Judge(counts *RowCounts, w plan.Window, got Reading) Suspicion {
	switch {
	case l.Reached(got):
		return AtLimit
	case got.More && got.Rows > 1 && l.vain < mostVain, got.Part && got.Rows > 1:
		return Promised
	case counts.add(w, got):
		if got.round() {
			return Round
		}
		return Repeated
	case l.Proven.larger(got, l.Known > 0, counts == &l.Second):
		return Larger
	default:
		return Unsuspected
	}
}

// Outgrown reports whether the limit is none any more, and forgets it then: the endpoint has answered with more rows
// for a while.
func (l *RowLimit) Outgrown(rows int) bool {
	switch {
	case l.Known == 0 || rows < l.Known || l.Proven.Varying():
		return false
	case rows == l.Known:
		l.beyond = 0
		return false
	}
	if l.beyond++; l.beyond < mostBeyond {
		return false
	}
	l.Known, l.beyond = 0, 0
	return true
}

// Learn notes that the endpoint answers with at most so many rows.
func (l *RowLimit) Learn(rows int) {
	l.Proven.cut(l.Known > 0 && rows < l.Known)
	l.Known, l.beyond, l.vain = rows, 0, 0
}

// InVain notes that headers promised rows that there were not.
func (l *RowLimit) InVain() { l.vain++ }

// Tell reports whether it is to be told that w cannot be read whole: for each second once in an hour. Windows share
// their ends, so that an instant at one of them is in two.
func (l *RowLimit) Tell(w plan.Window) bool {
	if l.told == nil || len(l.told) >= mostRowCounts {
		l.told = make(map[int64]time.Time)
	}
	for _, second := range []int64{w.Start.Unix(), w.End.Unix()} {
		if told, found := l.told[second]; found && time.Since(told) < gapInterval {
			return false
		}
	}
	l.told[w.Start.Unix()], l.told[w.End.Unix()] = time.Now(), time.Now()
	return true
}

// isRound reports whether people choose such a number for a limit.
func isRound(rows int) bool {
	return rows >= leastRound && (rows%100 == 0 || bits.OnesCount(uint(rows)) == 1)
}

// Verdict is what reading an answer's window again in parts has shown.
type Verdict int

const (
	Honest      Verdict = iota // the answer had everything
	Grown                      // it had everything then; more has appeared, and was read
	Limited                    // the endpoint leaves rows out
	Undecided                  // it may do so
	Indivisible                // the window cannot be cut
	Sampled                    // it had everything that parts of it have
)

// ReadPart reads a window and adds its events to union, unless that is nil.
type ReadPart func(w plan.Window, union *Union) (Reading, error)

// Examine reads w again in two parts, where there are rows on both sides; got is what it had. A part that has all the
// rows proves nothing and is examined in its place. The number is that of the limit.
func (l *RowLimit) Examine(w plan.Window, got Reading, read ReadPart) (Verdict, int, error) {
	at := got.middle(w)
	// An answer may have been cut at any share of its rows: then numbers prove nothing, and it is asked for once more to
	// know which rows it has.
	anywhere, all := !got.Framed || got.ended, new(Union)
	had := 0 // events of which the parts have to have each
	if anywhere {
		if _, err := read(w, all); err != nil {
			return Undecided, 0, err
		}
		had = all.good
	}
	for beside := false; ; { // beside: cut behind where all rows seemed to have happened
		left, right, ok := l.Cut(w, at)
		switch {
		case !ok && got.ended && got.events() <= 1:
			return Honest, got.Rows, nil // what was left out would have to be of the same instant as the only event
		case !ok:
			return Indivisible, got.Rows, nil
		}
		union, most := new(Union), got.events()
		if anywhere {
			union, most = all, 0
			all.cover()
		}
		before, err := read(left, union)
		if err != nil {
			return Undecided, 0, err
		}
		behind, err := read(right, union)
		switch {
		case err != nil:
			return Undecided, 0, err
		case before.Fresh+behind.Fresh > 0, before.Other+behind.Other > most:
			return confirm(w, got, union, read)
		case anywhere && all.again < had, before.good()+behind.good() < got.good():
			return Undecided, got.Rows, nil // parts are cut off too, so that they prove nothing
		case !got.More && (before.More || behind.More):
			return Undecided, got.Rows, nil // a part says that it lacks some
		case got.events() == 0 && before.events()+behind.events() == 0:
			return Honest, got.Rows, nil
		case before.events() < got.events() && behind.events() < got.events():
			return Honest, got.Rows, nil
		case before.events() >= got.events() && behind.events() >= got.events() && !beside:
			// All happened at the common end, so that what else did may be behind it, or before.
			at, beside = left.End.Add(time.Second), true
			continue
		case before.events() >= got.events():
			w, got = left, before
		default:
			w, got = right, behind
		}
		at, beside = got.middle(w), false
	}
}

// confirm reads w once more after its parts had more events than it: these may have happened meanwhile. Few rows
// teach no limit.
func confirm(w plan.Window, got Reading, union *Union, read ReadPart) (Verdict, int, error) {
	had := union.good
	union.cover()
	again, err := read(w, union)
	switch {
	case err != nil:
		return Undecided, 0, err
	case again.Rows > got.Rows && union.again >= had && !again.More && !again.ended:
		return Grown, got.Rows, nil
	case again.Fresh+again.Other > 0 || got.Rows < leastTaught || again.Rows > got.Rows:
		return Undecided, got.Rows, nil
	}
	return Limited, got.Rows, nil
}
