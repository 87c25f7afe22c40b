package dedup

import (
	"slices"
	"strconv"
)

// sharedIDs finds texts that stand in event_id but are none: those that a large part of an answer's rows has.
// Its rows are told apart as rows without an id from the next answer on. It counts in constant time and room,
// after Misra and Gries: with two counters, each id that more than a third of the rows have is in one at the
// end.
type sharedIDs struct {
	found func(id string, rows, of int) // is told of each once, as Shared takes it; nil = nobody
	ids   []uint64                      // hashes of those that are none

	counters [2]idCounter
	rows     int // of this answer that have an id
}

type idCounter struct {
	id           uint64
	weight, hits int
}

const (
	sharedRows  = 32 // rows of an answer with ids, at least, before an id can be shared by too many
	sharedShare = 40 // percent of them: half, less what the counters may have missed
	maxShared   = 8
)

// Shared sets the ids that are none, as found was told them, and who is told of further ones.
func (x *Identifier) Shared(ids []string, found func(id string, rows, of int)) {
	x.shared.found = found
	for _, text := range ids {
		if id, err := strconv.ParseUint(text, 16, 64); err == nil {
			x.shared.ids = append(x.shared.ids, id)
		}
	}
}

// begin ends the last answer.
func (s *sharedIDs) begin() {
	for _, c := range s.counters {
		if s.rows < sharedRows || c.weight == 0 || 100*c.hits < sharedShare*s.rows || len(s.ids) == maxShared {
			continue
		}
		s.ids = append(s.ids, c.id)
		if s.found != nil {
			s.found(strconv.FormatUint(c.id, 16), c.hits, s.rows)
		}
	}
	s.counters, s.rows = [2]idCounter{}, 0
}

// isNone counts an id and reports whether it is none.
func (s *sharedIDs) isNone(id uint64) bool {
	if len(s.ids) > 0 && slices.Contains(s.ids, id) {
		return true
	}
	s.rows++
	a, b := &s.counters[0], &s.counters[1]
	switch {
	case a.id == id:
		a.weight++
		a.hits++
	case b.id == id:
		b.weight++
		b.hits++
	case a.weight == 0:
		*a = idCounter{id, 1, 1}
	case b.weight == 0:
		*b = idCounter{id, 1, 1}
	default:
		a.weight--
		b.weight--
	}
	return false
}
