package dedup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// More events than were handed over, or as many and other ones, are a reason to look closer. Fewer are none: the
// endpoint may have forgotten some.
func TestADigestExceedsWhatItHasMoreOfOrOtherThan(t *testing.T) {
	two := Digest{sum: 7, Count: 2}
	for name, c := range map[string]struct {
		found Digest
		want  bool
	}{
		"the same": {two, false}, "one more": {Digest{9, 3}, true}, "as many others": {Digest{8, 2}, true},
		"one less": {Digest{3, 1}, false}, "none": {Digest{}, false},
	} {
		require.Equal(t, c.want, c.found.Exceeds(two), name)
	}
}

func TestADigestLessAnother(t *testing.T) {
	require.Equal(t, Digest{6, 2}, Digest{10, 3}.Minus(Digest{4, 1}))
	require.Equal(t, Digest{10, 3}, Digest{6, 2}.Plus(Digest{4, 1}))
}

// What a history has of a minute is added to, whichever minute it is.
func TestATallyAddsToWhatTheHistoryHas(t *testing.T) {
	for minute := range int64(3) {
		h := NewHistory()
		for id := range uint64(3) {
			h.Minutes[minute+1] = Digest{Count: 1} // events of another minute in between
			tally := h.Tally()
			tally.Add(Mix(id), minute)
			tally.End()
			tally.Add(Mix(10+id), minute) // after the end, too
			tally.End()
		}
		require.Equal(t, Digest{Mix(0) + Mix(1) + Mix(2) + Mix(10) + Mix(11) + Mix(12), 6}, h.Minutes[minute])
	}
}

func TestHistoriesAreMergedChangedAndLimited(t *testing.T) {
	h, other := NewHistory(), NewHistory()
	h.Minutes = map[int64]Digest{1: {10, 1}, 2: {20, 2}, 4: {40, 4}}
	other.Minutes = map[int64]Digest{2: {5, 1}, 3: {30, 3}}
	before := h.Clone()
	h.Merge(other)
	require.Equal(t, map[int64]Digest{1: {10, 1}, 2: {25, 3}, 3: {30, 3}, 4: {40, 4}}, h.Minutes)
	require.Equal(t, map[int64]Digest{1: {10, 1}, 2: {20, 2}, 4: {40, 4}}, before.Minutes, "the clone is its own")

	h.Apply(map[int64]Digest{1: Digest{}.Minus(Digest{10, 1}), 3: {7, 1}, 5: {50, 5}})
	require.Equal(t, map[int64]Digest{2: {25, 3}, 3: {37, 4}, 4: {40, 4}, 5: {50, 5}}, h.Minutes)

	h.Limit(time.Unix(4*60, 0))
	require.Equal(t, map[int64]Digest{2: {25, 3}, 3: {37, 4}, 4: {40, 4}}, h.Minutes, "the minute of the limit stays")
}

// A window that begins within a minute reads some of it again.
func TestTheMinuteOfTheFloorIsKept(t *testing.T) {
	floor := time.Unix(9*60+59, 0)
	p := NewPending()
	p.Add(1, Mix(7), 8)
	p.Add(1, Mix(8), 9)
	p.Expire(floor)
	h := NewHistory()
	p.Count(1, h)
	require.Equal(t, map[int64]Digest{9: {Mix(8), 1}}, h.Minutes)
	h.Expire(floor)
	require.Len(t, h.Minutes, 1)
}
