package handover

import (
	"bytes"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
)

// sift finds, by halving, the records that the destination refuses for good in batches of which some were. It
// decides which part goes next and what follows from the answer; one part is with the engine at a time. It is
// not safe for use by several goroutines.
//
// A part that is refused is cut in two. A record that is refused alone is suspect. It is to be kept aside once it
// was refused alone again after something else was delivered: a destination that takes nothing at all refuses no
// record in particular. Each time a record was refused and nothing was taken since, the pause grows.
type sift struct {
	batches   []*sifted // in the order of their numbers; those before done are gone
	stack     []part    // to be handed over, the next one last
	suspects  []part    // refused alone since the last delivery
	unkept    []unkept
	fruitless int    // refusals of records alone since the last delivery
	done      uint32 // every batch up to this number is delivered or kept
	last      uint32 // number of the last batch that was added
}

// sifted is a batch of which not all is delivered or kept yet.
type sifted struct {
	number  uint32
	data    []byte
	ends    []int  // offset behind each record; nil = it was not cut yet
	again   []bool // of each record: it was refused alone, and then something was delivered
	pending int    // records that are neither delivered nor kept
}

// part is the records of a batch from one up to, and without, another.
type part struct {
	of       *sifted
	from, to int
}

// unkept is a record that is to be kept aside, but could not be.
type unkept struct {
	of   *sifted
	data []byte
}

// maxSifted is how many batches with suspects are held in memory.
const maxSifted = 4

// add takes in a batch, which is to be handed over next. The sift keeps data.
func (s *sift) add(number uint32, data []byte, records int) {
	b := &sifted{number: number, data: data, pending: records}
	s.batches = append(s.batches, b)
	s.last = number
	s.stack = append(s.stack, part{b, 0, records})
}

// hungry reports whether the next batch can be taken in.
func (s *sift) hungry() bool {
	held := 0
	for _, b := range s.batches {
		if b.data != nil {
			held++
		}
	}
	return len(s.stack) == 0 && held < maxSifted
}

// empty reports whether nothing is left to be done.
func (s *sift) empty() bool { return len(s.stack) == 0 && len(s.suspects) == 0 && len(s.unkept) == 0 }

// next returns the part to hand over now; ok is false when only suspects are left, or nothing.
func (s *sift) next() (p part, ok bool) {
	if len(s.stack) == 0 {
		return part{}, false
	}
	p = s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	return p, true
}

// data is what the part hands over.
func (p part) data() []byte {
	if p.of.ends == nil {
		return p.of.data
	}
	return p.of.data[p.of.begin(p.from):p.of.ends[p.to-1]]
}

func (b *sifted) begin(record int) int {
	if record == 0 {
		return 0
	}
	return b.ends[record-1]
}

// delivered notes that the destination took the part. So it takes something, and the suspects are tried again.
func (s *sift) delivered(p part) {
	s.fruitless = 0
	for _, suspect := range s.suspects {
		suspect.of.again[suspect.from] = true
	}
	s.retry()
	s.settle(p.of, p.to-p.from)
}

// retry puts the suspects behind what is to be handed over. Neighbours become one part: if it was not their fault,
// they are delivered together.
func (s *sift) retry() {
	var joined []part
	slices.SortFunc(s.suspects, func(a, b part) int {
		if a.of != b.of {
			return int(a.of.number) - int(b.of.number)
		}
		return a.from - b.from
	})
	for _, p := range s.suspects {
		if n := len(joined); n > 0 && joined[n-1].of == p.of && joined[n-1].to == p.from {
			joined[n-1].to = p.to
			continue
		}
		joined = append(joined, p)
	}
	slices.Reverse(joined)
	s.stack = append(joined, s.stack...)
	s.suspects = nil
}

// refused notes that the destination refused the part. It reports whether the part is a record to be kept aside: then
// kept or notKept must follow.
func (s *sift) refused(p part) (alone bool) {
	if p.of.ends == nil {
		p = s.cut(p)
	}
	switch middle := (p.from + p.to) / 2; {
	case p.to-p.from > 1:
		s.stack = append(s.stack, part{p.of, middle, p.to}, part{p.of, p.from, middle})
		return false
	case p.of.again[p.from]:
		return true
	default:
		s.fruitless++
		s.suspects = append(s.suspects, p)
		return false
	}
}

// cut finds the records of a batch. What is no msgpack stays one piece: it cannot come from the encoder.
func (s *sift) cut(p part) part {
	ends, err := msgpack.Ends(p.of.data)
	if err != nil || len(ends) != p.to {
		ends, p.to, p.of.pending = []int{len(p.of.data)}, 1, 1
	}
	p.of.ends, p.of.again = ends, make([]bool, len(ends))
	return p
}

// kept notes that a record is kept aside.
func (s *sift) kept(of *sifted) { s.settle(of, 1) }

// notKept remembers a record that could not be kept: nothing after it counts as done.
func (s *sift) notKept(p part) {
	s.unkept = append(s.unkept, unkept{p.of, bytes.Clone(p.data())})
	s.free(p.of)
}

// settle notes that so many records of a batch are delivered or kept.
func (s *sift) settle(b *sifted, records int) {
	b.pending -= records
	s.free(b)
	for len(s.batches) > 0 && s.batches[0].pending == 0 {
		s.done = s.batches[0].number
		s.batches = s.batches[1:]
	}
}

// free lets go of a batch's data when no part needs it.
func (s *sift) free(b *sifted) {
	of := func(p part) bool { return p.of == b }
	if !slices.ContainsFunc(s.stack, of) && !slices.ContainsFunc(s.suspects, of) {
		b.data = nil
	}
}

const (
	firstSiftPause = time.Second
	maxSiftPause   = 10 * time.Minute
)

// pause is how long to wait before the next part: longer each time a record was refused and nothing delivered since.
func (s *sift) pause() time.Duration {
	if s.fruitless == 0 {
		return 0
	}
	return min(firstSiftPause<<min(s.fruitless, 20), maxSiftPause)
}

// rest returns all that is neither delivered nor kept, but for what is with the engine, in the order of its batches.
func (s *sift) rest() (rest []batch) {
	s.retry()
	for _, p := range slices.Backward(s.stack) {
		rest = append(rest, batch{data: bytes.Clone(p.data()), records: p.to - p.from})
	}
	for _, u := range s.unkept {
		rest = append(rest, batch{data: u.data, records: 1})
	}
	return rest
}
