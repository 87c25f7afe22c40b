package whole

import (
	"errors"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
)

// Unframed decides whether answers that HTTP does not prove whole (HTTP/1.0, or neither length nor chunks)
// can be believed: one that was cut behind a row looks like a whole one. So a window is read until an answer
// has the same rows as the largest one before it. New events may come in between for as long as the window is
// young: an answer with more rows than the largest is believed too when it ends with the same row, since a
// cut moves the end.
//
// The rows are forwarded at each reading; dedup drops those that came before.
type Unframed struct {
	largest reading
	current reading
	times   int    // readings that came to an end
	torn    uint64 // identity of the row without a line end that a reading ended with; 0 = none
}

// ErrCutAlike is about an answer without length that was the same twice, and lacks what its parts have.
var ErrCutAlike = errors.New("the answers have no length and lack events that their parts have: connections are cut")

// ErrCutOff is about an answer that ends with what is no row, and lacks what its parts have.
var ErrCutOff = errors.New("the answer ends with what is no row, each time, and lacks events that its parts have")

// Framing decides whether an answer that is believed without a length is examined in parts as well: connections may be
// cut at the same place each time. The first is, then the second, fourth, eighth … of those that come without a framed
// one in between, since some endpoints never say a length.
//
// Its zero value is ready.
type Framing struct {
	unframed int // answers since the last framed one
	next     int // of them that is examined
}

// Suspect notes an answer and reports whether it is to be examined.
func (f *Framing) Suspect(got Reading) bool {
	if got.Framed {
		*f = Framing{}
		return false
	}
	if got.events() == 0 { // which has to come twice, too
		return false
	}
	f.unframed++
	return f.unframed >= f.next
}

// Honest notes that the answer had everything.
func (f *Framing) Honest(got Reading) {
	if !got.Framed {
		f.next = 2 * f.unframed
	}
}

// reading is what is kept of an answer's rows: their number, a sum of their ids in any order, and the last
// id. Contents may differ from answer to answer.
type reading struct {
	rows int
	sum  dedup.Sum
	last uint64
}

// MostReadings is how often a window is read at once before it is given up for a while.
const MostReadings = 5

// errUnframed ends a window whose answers are all different.
var errUnframed = errors.New("the answers have no length, and each has other rows: connections may be cut")

// Note counts a row. It reports whether the row can be taken: one that ends without a line end may be cut inside its
// last field, and has to come twice.
func (u *Unframed) Note(who dedup.Identity, torn bool) bool {
	u.current.rows++
	u.current.sum.Add(who.ID)
	u.current.last = who.ID
	if !torn {
		return true
	}
	text := who.ID ^ who.Content
	again := u.torn == text
	u.torn = text
	if !again {
		u.current.rows-- // it proves nothing
	}
	return again
}

// End ends a reading. It reports whether the window counts as read, and fails when it is time to give up.
func (u *Unframed) End() (believed bool, err error) {
	r := u.current
	u.current = reading{}
	u.times++
	first := u.times == 1
	switch {
	case !first && (r.rows == u.largest.rows && r.sum == u.largest.sum || r.isMoreThan(u.largest)):
		return true, nil
	case u.times == MostReadings:
		return false, errUnframed
	case first || r.rows >= u.largest.rows:
		u.largest = r
	}
	return false, nil
}

// isMoreThan reports whether r has more rows than one before it, and ends with the same.
func (r reading) isMoreThan(before reading) bool {
	return before.rows > 0 && r.rows > before.rows && r.last == before.last
}
