package handover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// An emitter is emptied every 25 ms; what is not in it after ten seconds is lost.
func TestForHowLongAnEmitterIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := engineWith(10, 0, 0), new(proof)
		*s.filterOf("rewrite_tag.0") = filterFigures{name: "rewrite_tag.0", records: 10, emitted: 10, emits: true}
		v, obstructed := p.obstacles(s)
		require.True(t, obstructed)
		require.Equal(t, notYet, v.finding)
		time.Sleep(emitterPatience - 1)
		v, _ = p.obstacles(s)
		require.Equal(t, notYet, v.finding)
		time.Sleep(time.Nanosecond)
		v, obstructed = p.obstacles(s)
		require.True(t, obstructed)
		require.Equal(t, doubtful, v.finding)
		_, obstructed = p.obstacles(s)
		require.False(t, obstructed, "what is lost is told once")
	})
}

// While the emitter is paused, its records wait.
func TestAPausedEmitterIsWaitedForWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := engineWith(10, 0, 0), new(proof)
		*s.filterOf("rewrite_tag.0") = filterFigures{name: "rewrite_tag.0", records: 10, emitted: 10, emits: true}
		s.inputOf("emitter_for_rewrite_tag.0").paused = true
		for range 100 {
			v, _ := p.obstacles(s)
			require.Equal(t, notYet, v.finding)
			time.Sleep(time.Second)
		}
	})
}

// Filters that change records of other inputs hide what became of this one's.
func TestWhichFiltersAreThisInputsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		f    filterFigures
		want bool
	}{
		"drops some of ours":         {filterFigures{records: 10, dropped: 3}, true},
		"adds to ours":               {filterFigures{records: 4, added: 3}, true},
		"drops others' too":          {filterFigures{records: 11, dropped: 3}, false},
		"adds to others' too":        {filterFigures{records: 11, added: 3}, false},
		"sees others', changes none": {filterFigures{records: 11}, true},
		"emits":                      {filterFigures{records: 10, emitted: 1}, false},
	} {
		s := engineWith(10, 0, 0)
		*s.filterOf("grep.0") = c.f
		require.Equal(t, c.want, new(proof).ownFilters(s), name)
	}
}

// What outputs have done is held against what was written: one has all of it, or several share it.
func TestTheBalanceOfRecords(t *testing.T) {
	for name, c := range map[string]struct {
		done      []int64
		writeSafe bool
		version   version
		want      []finding // of figures in a row
	}{
		"one output has all":                 {[]int64{10}, false, version{5, 1}, []finding{proven}},
		"the second one has all":             {[]int64{3, 10}, false, version{5, 1}, []finding{proven}},
		"more than all":                      {[]int64{12}, false, version{5, 1}, []finding{proven}},
		"one lacks some":                     {[]int64{7}, true, version{5, 1}, []finding{notYet, doubtful}},
		"none has any, by route":             {[]int64{0}, true, version{5, 1}, []finding{notYet, doubtful}},
		"none has any, no routes":            {[]int64{0}, true, version{4, 1}, []finding{notYet, immovable, notYet}},
		"two share, no write failed":         {[]int64{4, 6}, true, version{4, 1}, []finding{proven}},
		"two share, a write may have failed": {[]int64{4, 6}, false, version{4, 1}, []finding{notYet, doubtful}},
		"two share some, by route":           {[]int64{4, 4}, true, version{5, 1}, []finding{proven}},
		"two share some, no routes":          {[]int64{4, 4}, true, version{4, 1}, []finding{notYet, doubtful}},
		"one of two has some":                {[]int64{7, 0}, true, version{5, 1}, []finding{notYet, doubtful}},
	} {
		s, p, lost := newSnapshot(), &proof{writeSafe: c.writeSafe}, int64(0)
		s.version = c.version
		for n, want := range c.want {
			require.Equal(t, want, p.balance(s, c.done, 10, &lost).finding, "%s, %d", name, n)
		}
	}
}

// What was lost is not missed again, unless it comes after all: then it was slow.
func TestWhatWasThoughtLostMayHaveBeenSlow(t *testing.T) {
	s, p, lost := newSnapshot(), &proof{}, int64(0)
	s.version = version{5, 1}
	require.Equal(t, notYet, p.balance(s, []int64{7}, 10, &lost).finding)
	require.Equal(t, doubtful, p.balance(s, []int64{7}, 10, &lost).finding)
	require.EqualValues(t, 3, lost)
	require.Equal(t, proven, p.balance(s, []int64{17}, 20, &lost).finding)
	require.EqualValues(t, 3, lost, "as many are missing still")
	require.Equal(t, proven, p.balance(s, []int64{19}, 20, &lost).finding)
	require.EqualValues(t, 1, lost, "two of them came")
	require.Equal(t, proven, p.balance(s, []int64{30}, 30, &lost).finding)
	require.Zero(t, lost)
}

// What is known to be lost is in no share either.
func TestOutputsShareWhatIsNotLost(t *testing.T) {
	s, p, lost := newSnapshot(), &proof{writeSafe: true}, int64(2)
	s.version = version{4, 1}
	require.Equal(t, proven, p.balance(s, []int64{4, 4}, 10, &lost).finding)
	require.Equal(t, notYet, p.balance(s, []int64{6, 6}, 20, &lost).finding)
}

// A record that is missing once is looked for again: figures of outputs may come a moment later.
func TestWhatIsMissingOnceIsNotLost(t *testing.T) {
	s, p, lost := newSnapshot(), &proof{}, int64(0)
	s.version = version{5, 1}
	for n := range int64(5) {
		require.Equal(t, notYet, p.balance(s, []int64{10*n + 7}, 10*n+10, &lost).finding)
		require.Equal(t, proven, p.balance(s, []int64{10*n + 10}, 10*n+10, &lost).finding)
	}
	require.Zero(t, lost)
}

// Suspects of several batches are tried again in the order in which they came.
func TestSuspectsAreTriedAgainInTheirOrder(t *testing.T) {
	s := new(sift)
	for n := range 3 {
		s.add(uint32(n+1), records(10*n, 2), 2)
		for p, ok := s.next(); ok; p, ok = s.next() {
			s.refused(p)
		}
	}
	require.Len(t, s.suspects, 6)
	for i, j := 0, len(s.suspects)-1; i < j; i, j = i+1, j-1 {
		s.suspects[i], s.suspects[j] = s.suspects[j], s.suspects[i]
	}
	s.retry()
	var order [][]int
	for p, ok := s.next(); ok; p, ok = s.next() {
		order = append(order, numbersOf(p.data()))
	}
	require.Equal(t, [][]int{{0, 1}, {10, 11}, {20, 21}}, order)
}
