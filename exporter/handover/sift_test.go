package handover

import (
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// records makes a batch of so many records, each the number of its own.
func records(first, n int) (data []byte) {
	for i := range n {
		data = append(data, 0xcd, byte((first+i)>>8), byte(first+i))
	}
	return data
}

// numbersOf is the reverse of records.
func numbersOf(data []byte) (numbers []int) {
	for ; len(data) > 0; data = data[3:] {
		numbers = append(numbers, int(data[1])<<8|int(data[2]))
	}
	return numbers
}

// destination refuses whole what has a bad record.
type destination struct {
	bad       map[int]bool
	times     map[int]int // how often each record was handed over
	delivered map[int]int
	kept      map[int]int
	full      bool // nothing can be kept
}

func newDestination(bad map[int]bool) *destination {
	return &destination{bad: bad, times: map[int]int{}, delivered: map[int]int{}, kept: map[int]int{}}
}

func (d *destination) take(s *sift, p part) {
	numbers, refused := numbersOf(p.data()), false
	for _, n := range numbers {
		d.times[n]++
		refused = refused || d.bad[n]
	}
	switch {
	case !refused:
		for _, n := range numbers {
			d.delivered[n]++
		}
		s.delivered(p)
	case s.refused(p) && d.full:
		s.notKept(p)
	case s.again(p):
		d.kept[numbers[0]]++
		s.kept(p.of)
	}
}

// again reports whether the last refusal was one after which the record is kept.
func (s *sift) again(p part) bool {
	return p.to-p.from == 1 && p.of.again != nil && p.of.again[p.from]
}

func TestSiftKeepsWhatIsRefusedAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "records")
		bad := rapid.MapOf(rapid.IntRange(0, n-1), rapid.Just(true)).Draw(t, "bad")
		d, s := newDestination(bad), new(sift)
		s.add(1, records(0, n), n)
		s.add(2, records(n, 1), 1) // goes first, as the stack has it
		for steps := 0; ; steps++ {
			require.Less(t, steps, 8*(n+2), "bounded")
			p, ok := s.next()
			if ok {
				d.take(s, p)
				continue
			}
			if s.empty() {
				break
			}
			s.add(s.last+1, records(1000+steps, 1), 1) // what happens meanwhile is taken
		}
		require.Len(t, d.kept, len(bad))
		for i := range n {
			require.Equal(t, bad[i], d.kept[i] == 1, i)
			require.Equal(t, !bad[i], d.delivered[i] == 1, i)
			require.LessOrEqual(t, d.times[i], 2*(bits.Len(uint(n))+2), "record %d of %d", i, n)
		}
		require.Equal(t, s.last, s.done)
		require.Empty(t, s.batches)
	})
}

func TestSiftSendsOnlyWhatIsInDoubt(t *testing.T) {
	d, s := newDestination(map[int]bool{700: true}), new(sift)
	s.add(7, records(0, 1000), 1000)
	total := 0
	for p, ok := s.next(); ok; p, ok = s.next() {
		total += p.to - p.from
		d.take(s, p)
		require.LessOrEqual(t, s.pause(), 2*firstSiftPause, "others are taken in between")
	}
	require.Empty(t, s.suspects, "others were taken before and after")
	require.Equal(t, map[int]int{700: 1}, d.kept)
	require.Less(t, total, 3*1000, "all of it, and its halves, quarters, …")
	require.EqualValues(t, 7, s.done)
}

func TestADestinationThatTakesNothingRefusesNoRecordInParticular(t *testing.T) {
	all := map[int]bool{}
	for i := range 64 {
		all[i] = true
	}
	d, s := newDestination(all), new(sift)
	s.add(1, records(0, 64), 64)
	pauses := s.pause()
	for p, ok := s.next(); ok; p, ok = s.next() {
		d.take(s, p)
		pauses += s.pause()
	}
	require.Empty(t, d.kept)
	require.Zero(t, s.done)
	require.Equal(t, maxSiftPause, s.pause())
	require.Greater(t, pauses, 8*maxSiftPause)
	clear(all) // it takes everything again
	s.retry()
	p, ok := s.next()
	require.True(t, ok)
	require.Equal(t, 64, p.to-p.from, "in one part")
	d.take(s, p)
	require.True(t, s.empty())
	require.Zero(t, s.pause())
	require.EqualValues(t, 1, s.done)
}

// A record that cannot be kept keeps the checkpoint, not the records after it.
func TestWhatCannotBeKeptIsNotDone(t *testing.T) {
	d, s := newDestination(map[int]bool{3: true}), new(sift)
	d.full = true
	s.add(1, records(0, 8), 8)
	for range 2 {
		for p, ok := s.next(); ok; p, ok = s.next() {
			d.take(s, p)
		}
		require.True(t, s.hungry())
		s.add(s.last+1, records(100, 5), 5)
	}
	require.Zero(t, s.done)
	require.Len(t, s.unkept, 1)
	require.False(t, s.empty())
	require.Nil(t, s.batches[0].data, "7 delivered records need no memory")
	require.Equal(t, []int{3}, numbersOf(s.unkept[0].data))
	s.kept(s.unkept[0].of)
	require.EqualValues(t, 2, s.done)
}

func TestSiftBoundsItsMemory(t *testing.T) {
	s := new(sift)
	for i := range 100 {
		if !s.hungry() {
			require.Equal(t, maxSifted, i)
			return
		}
		s.add(uint32(i+1), records(i, 1), 1)
		p, _ := s.next()
		s.refused(p)
	}
	t.Fatal("it takes in batches for ever")
}

func TestRestIsWhatNobodyHas(t *testing.T) {
	s := new(sift)
	s.add(1, records(0, 8), 8)
	p, _ := s.next()
	s.refused(p)
	p, _ = s.next() // 0–3
	s.refused(p)
	p, _ = s.next() // 0–1
	s.delivered(p)
	_, _ = s.next() // 2–3 is with the engine
	rest := s.rest()
	require.Len(t, rest, 1)
	require.Equal(t, []int{4, 5, 6, 7}, numbersOf(rest[0].data))
	require.Equal(t, 4, rest[0].records)
}
