package dedup

import (
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// volatility watches columns that are not known: one may differ in each answer, as exported_at does. It keeps
// samples of the last answers' rows, and holds rows that come again against them. A column that changed while
// all known ones of its row stayed the same is volatile.
type volatility struct {
	found    func(column string) // is told of each volatile column once; nil = nobody
	volatile []string            // columns

	columns []watched // of this answer that are not known, maxWatched at most
	answer  uint32    // its number, from 1
	samples []sample  // by the top bits of their keys; nil = there was no unknown column yet
}

// watched is a column that is not known.
type watched struct {
	name     string
	place    int
	volatile bool
}

// sample is a row of an earlier answer.
type sample struct {
	key, known uint64 // of its id, or of the known columns where it has none; of those
	answer     uint32 // that had it last
	ambiguous  bool   // that answer had several rows with this key
	fields     [maxWatched]uint64
}

const (
	maxWatched  = 16
	sampleBits  = 8
	maxVolatile = 16 // columns that are remembered
)

// begin prepares for an answer with these columns.
func (v *volatility) begin(c *event.Columns) {
	was := v.columns
	v.columns = nil
	for place, name := range c.Names {
		if !slices.Contains(c.Known[:], place) && len(v.columns) < maxWatched {
			v.columns = append(v.columns, watched{name, place, slices.Contains(v.volatile, name)})
		}
	}
	if len(v.columns) == 0 {
		return
	}
	if same := func(a, b watched) bool { return a.name == b.name }; !slices.EqualFunc(was, v.columns, same) {
		v.samples = make([]sample, 1<<sampleBits)
	}
	v.answer++
}

// note holds a row against what is known of it. seeds are of all columns.
func (v *volatility) note(r *event.Row, key, known uint64, seeds []uint64) {
	s := &v.samples[key>>(64-sampleBits)]
	switch {
	case s.key != key && s.answer+1 >= v.answer && s.answer > 0:
		return // it may come again yet
	case s.key == key && s.answer == v.answer:
		s.ambiguous = true
		return
	}
	again := s.key == key && s.known == known && s.answer > 0 && !s.ambiguous
	s.key, s.known, s.answer, s.ambiguous = key, known, v.answer, false
	for i := range v.columns {
		c := &v.columns[i]
		hash := uint64(0)
		if field := r.Field(c.place); len(field) > 0 {
			hash = xxh3.HashSeed(field, seeds[c.place])
		}
		if again && hash != s.fields[i] && !c.volatile {
			c.volatile = true
			v.tell(c.name)
		}
		s.fields[i] = hash
	}
}

func (v *volatility) tell(column string) {
	if len(v.volatile) >= maxVolatile {
		return
	}
	v.volatile = append(v.volatile, column)
	if v.found != nil {
		v.found(column)
	}
}
