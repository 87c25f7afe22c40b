package dedup

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// room returns the bytes that an event costs.
func (s *Seen) room() int {
	bytes := 0
	for i := range s.parts {
		bytes += len(s.parts[i].blocks)*24*seenBlockEntries + 4*len(s.parts[i].index)
	}
	return bytes / max(1, s.Count)
}

// After an outage a day's events are seen at once. Their memory must not stay when they are forgotten.
func TestForgottenEventsGiveTheirMemoryBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := new(Seen)
	for n := range int64(200_000) {
		s.Mark(Identity{random.Uint64(), 1}, second(n), 1)
	}
	require.LessOrEqual(t, s.room(), 40)
	for _, left := range []int64{50_000, 20_000} {
		s.Expire(second(200_000 - left))
		require.EqualValues(t, left, s.Count)
		require.LessOrEqual(t, s.room(), 40, "%d events", left)
	}
	s.Expire(second(200_000))
	for i := range s.parts {
		require.Empty(t, s.parts[i].index)
	}
}

// Growing needs the room of an index twice, but only of a part of it.
func TestEventsAreSpreadOverTheParts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := new(Seen)
	for range 16_000 {
		s.Mark(Identity{random.Uint64(), 1}, second(1), 1)
	}
	for i := range s.parts {
		require.InDelta(t, 16_000/seenParts, s.parts[i].n, 200)
	}
}

// An event that is dated in the far future must be forgotten with those of today.
func TestWhatIsDatedTooLateIsForgottenInTime(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(100), 1)
	s.Mark(Identity{2, 2}, second(200), 1)
	s.Mark(Identity{3, 3}, second(math.MaxUint32), 1)
	oldest, ok := s.Oldest()
	require.True(t, ok)
	require.Equal(t, second(100), oldest)
	s.Limit(second(200))
	s.Expire(second(150))
	require.Equal(t, 2, s.Count)
	s.Expire(second(200))
	require.True(t, s.Has(Identity{2, 2}))
	require.True(t, s.Has(Identity{3, 3}), "it counts as one of the limit's second")
	s.Expire(second(201))
	require.False(t, s.Has(Identity{3, 3}))
	require.Zero(t, s.Count)
	_, ok = s.Oldest()
	require.False(t, ok)
}

func TestHasTellsVersionsApartAndRemembersNothing(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(1), 1)
	require.True(t, s.Has(Identity{1, 1}))
	require.False(t, s.Has(Identity{1, 2}))
	require.False(t, s.Has(Identity{2, 1}))
	require.Equal(t, Changed, s.Mark(Identity{1, 2}, second(1), 1))
}

// Rows come in groups, each of which is touched before it is marked; a set without any events has no places.
func TestTouchingChangesNothing(t *testing.T) {
	s := new(Seen)
	group := []Identity{{1, 1}, {math.MaxUint64, 2}}
	for range 2 {
		s.Touch(group)
		for _, who := range group {
			s.Mark(who, second(1), 1)
		}
	}
	require.Equal(t, 2, s.Count)
}

// What is read into room that was reserved allocates nothing, even if most of it has the same part.
func TestReservedRoomIsEnoughAndNotMore(t *testing.T) {
	const events = 2 * seenBlockEntries
	s, id := new(Seen), uint64(0)
	s.Reserve(events)
	for i := range s.parts {
		bytes := 4*len(s.parts[i].index) + 24*seenBlockEntries*len(s.parts[i].blocks)
		require.LessOrEqual(t, bytes, 40*(events+seenBlockEntries))
	}
	require.Zero(t, testing.AllocsPerRun(1, func() {
		for range events * 3 / 10 {
			id++
			s.Mark(Identity{id, 1}, second(1), 1)
		}
	}))
	require.EqualValues(t, id, s.Count)
	require.EqualValues(t, id, s.parts[0].n)
}
