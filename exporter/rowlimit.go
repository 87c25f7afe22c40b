package exporter

import (
	"math/bits"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// rowLimit finds out whether the endpoint leaves rows out of its answers without saying so: 200, well-formed, and
// no more than so many rows. Nobody documents such a limit, and nothing in one answer proves one. So an answer that
// looks cut off is read again in two parts, and only when these have events that it lacks, and lacks again when it
// is asked for once more, the limit is taken for known.
//
// Its zero value knows none.
type rowLimit struct {
	known  int // rows; an answer with as many is cut off; 0 = none is known
	beyond int // answers with more rows than that since the last one with as many
	vain   int // times that headers promised rows that there were not

	polls  rowCounts // of what is collected
	second rowCounts // of what is read again by reconciliation

	// cut is plan.Planner's.
	cut func(w plan.Window, at time.Time) (left, right plan.Window, ok bool)
	// told is when a second was told that has what cannot be read whole.
	told map[int64]time.Time
}

const (
	leastLimit  = 50  // rows; fewer come too often to mean anything
	leastRound  = 100 // rows from which on a round number is suspect
	mostVain    = 3   // such headers are believed so often in vain
	mostBeyond  = 20  // answers beyond a limit that show that it is none any more
	gapInterval = time.Hour
)

// suspicion is how much an answer looks as if it had been cut off.
type suspicion int

const (
	unsuspected suspicion = iota
	repeated              // another window had as many rows
	round                 // it has a round number of rows
	promised              // its headers say that there are more
	atLimit               // it has at least as many as the limit that is known
)

// atMost is how many rows a window should have at most that may have n.
func (l *rowLimit) atMost(n int) int {
	if l.known == 0 {
		return n
	}
	return min(n, l.known*8/10)
}

// reached reports whether an answer has as many rows as the endpoint gives at most.
func (l *rowLimit) reached(got reading) bool { return l.known > 0 && got.rows >= l.known }

// judge says what the answer for w looks like. counts has the answers before it.
func (l *rowLimit) judge(counts *rowCounts, w plan.Window, got reading) suspicion {
	switch {
	case l.reached(got):
		return atLimit
	case got.more && got.rows > 1 && l.vain < mostVain:
		return promised
	case !counts.add(w, got):
		return unsuspected
	case got.round():
		return round
	default:
		return repeated
	}
}

// outgrown reports whether the limit is none any more, and forgets it then: the endpoint has answered with more rows
// for a while.
func (l *rowLimit) outgrown(rows int) bool {
	switch {
	case l.known == 0 || rows < l.known:
		return false
	case rows == l.known:
		l.beyond = 0
		return false
	}
	if l.beyond++; l.beyond < mostBeyond {
		return false
	}
	l.known, l.beyond = 0, 0
	return true
}

// isRound reports whether people choose such a number for a limit.
func isRound(rows int) bool {
	return rows >= leastRound && (rows%100 == 0 || bits.OnesCount(uint(rows)) == 1)
}

// verdict is what reading an answer's window again in parts has shown.
type verdict int

const (
	honest      verdict = iota // the answer had everything
	grown                      // it had everything then; more has appeared, and was read
	limited                    // the endpoint leaves rows out
	undecided                  // it may do so
	indivisible                // the window cannot be cut
)

// readPart reads a window and adds its events to union, unless that is nil.
type readPart func(w plan.Window, union *dedup.Seen) (reading, error)

// mark adds an event to union and returns 1 if it was not there.
func mark(union *dedup.Seen, r *event.Row, who dedup.Identity) int {
	if union == nil || union.Mark(who, r.Time, 0) != dedup.Fresh {
		return 0
	}
	return 1
}

// examine reads w again in two parts, where there are rows on both sides; got is what it had. A part that has all the
// rows proves nothing and is examined in its place. The number is that of the limit.
func (l *rowLimit) examine(w plan.Window, got reading, read readPart) (verdict, int, error) {
	for {
		left, right, ok := l.cut(w, got.middle(w))
		if !ok {
			return indivisible, got.rows, nil
		}
		union := new(dedup.Seen)
		before, err := read(left, union)
		if err != nil {
			return undecided, 0, err
		}
		behind, err := read(right, union)
		switch {
		case err != nil:
			return undecided, 0, err
		case before.fresh+behind.fresh > 0, before.other+behind.other > got.rows:
			return confirm(w, got, union, read)
		case before.rows >= got.rows:
			w, got = left, before
		case behind.rows >= got.rows:
			w, got = right, behind
		default:
			return honest, got.rows, nil
		}
	}
}

// confirm reads w once more after its parts had more events than it: these may have happened meanwhile.
func confirm(w plan.Window, got reading, union *dedup.Seen, read readPart) (verdict, int, error) {
	again, err := read(w, union)
	switch {
	case err != nil:
		return undecided, 0, err
	case again.rows > got.rows && !again.more:
		return grown, got.rows, nil
	case again.fresh+again.other > 0 || got.rows < leastLimit || again.rows > got.rows:
		return undecided, got.rows, nil
	}
	return limited, got.rows, nil
}

// fresh reports whether the number has never been shown to be honest.
func (c *rowCount) fresh() bool { return c.wait < firstWait }

// rowCounts knows how many rows answers had, and tells those that come again: a limit that is none of round
// numbers shows by that alone. An answer with more rows clears those with fewer, since no limit lies between.
// Its zero value is ready.
type rowCounts struct {
	counts map[int]*rowCount
}

// rowCount is about the answers with one number of rows.
type rowCount struct {
	times int         // they came since there was a larger one, or since they were shown to be honest
	wait  int         // so many times make them suspect
	first plan.Window // of these times
	last  plan.Window
}

const (
	mostRowCounts = 10_000 // that are remembered
	firstWait     = 4      // times until an honest number is suspect again, then twice as many: limits can be new
)

// add notes an answer for w and reports whether it is suspect.
func (c *rowCounts) add(w plan.Window, got reading) bool {
	rows := got.rows
	if rows < leastLimit {
		return false
	}
	for fewer, count := range c.counts {
		if fewer < rows {
			count.times = 0
		}
	}
	count := c.of(rows)
	if count.times == 0 {
		count.first, count.last = w, plan.Window{}
	}
	if count.last != w { // otherwise it is asked for again after a failure
		count.times++
	}
	count.last = w
	return count.times >= count.wait || count.fresh() && got.round()
}

// of returns what is known of a number of rows.
func (c *rowCounts) of(rows int) *rowCount {
	if c.counts == nil || len(c.counts) >= mostRowCounts {
		c.counts = make(map[int]*rowCount)
	}
	count := c.counts[rows]
	if count == nil {
		count = &rowCount{wait: 2}
		c.counts[rows] = count
	}
	return count
}

// honest notes that answers with so many rows have everything.
func (c *rowCounts) honest(rows int) {
	count := c.of(rows)
	count.times, count.wait = 0, max(firstWait, 2*count.wait)
}

// takeFirst returns, once, where the first window begins that had so many rows, zero if none had: what its
// answer left out was not noticed when it came.
func (c *rowCounts) takeFirst(rows int) time.Time {
	count := c.counts[rows]
	if count == nil || count.times == 0 {
		return time.Time{}
	}
	count.times = 0
	return count.first.Start
}
