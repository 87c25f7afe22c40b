package dedup

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func second(n int64) time.Time { return time.Unix(n, 0).UTC() }

func TestSeenKnowsEventsByIDAndContent(t *testing.T) {
	s := new(Seen)
	require.Equal(t, Fresh, s.Mark(Identity{5, 10}, second(100), 1))
	require.Equal(t, Known, s.Mark(Identity{5, 10}, second(100), 2))
	require.Equal(t, Changed, s.Mark(Identity{5, 11}, second(100), 2), "another version of the same event")
	require.Equal(t, Known, s.Mark(Identity{5, 11}, second(100), 3))
	require.Equal(t, Known, s.Mark(Identity{5, 10}, second(100), 3), "the first version stays known")
	require.Equal(t, Fresh, s.Mark(Identity{0, 0}, second(100), 3), "an id of 0 is an id")
	require.Equal(t, Known, s.Mark(Identity{0, 0}, second(100), 3))
	require.Equal(t, 3, s.Count)
}

func TestSeenAgainstAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s, model := new(Seen), map[Identity]seenEntry{}
	for range 200_000 {
		who := Identity{random.Uint64()%50_000*0x9e3779b97f4a7c15 | 1, random.Uint64() % 2}
		sec, batch := int64(random.IntN(1000)), uint32(random.IntN(20)+1)
		if _, there := model[who]; there {
			require.Equal(t, Known, s.Mark(who, second(sec), batch))
			continue
		}
		require.NotEqual(t, Known, s.Mark(who, second(sec), batch))
		model[who] = seenEntry{who.ID, who.Content, uint32(sec), batch}
	}
	require.Len(t, model, s.Count)
	s.Revert(15)
	s.Expire(second(0))
	for who, e := range model {
		if e.batch > 15 {
			delete(model, who)
		}
	}
	require.Len(t, model, s.Count)
	for who := range model {
		require.Equal(t, Known, s.Mark(who, second(0), 1))
	}
}

func TestSeenExpiresAtTheFloorAndNotAtIt(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(99), 1)
	s.Mark(Identity{2, 2}, second(100), 1)
	s.Expire(second(100))
	require.Equal(t, 1, s.Count)
	require.Equal(t, Known, s.Mark(Identity{2, 2}, second(100), 1), "windows include their start")
	require.Equal(t, Fresh, s.Mark(Identity{1, 1}, second(99), 1))
}

func TestSeenSightedAgainLaterIsKeptLonger(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(100), 1)
	s.Mark(Identity{1, 1}, second(200), 1)
	s.Expire(second(150))
	require.Equal(t, Known, s.Mark(Identity{1, 1}, second(200), 1))
}

func TestSeenStoresWhatIsCommitted(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(60), 1)
	s.Mark(Identity{2, 2}, second(120), 2)
	s.Mark(Identity{3, 3}, second(120), 3)
	s.Mark(Identity{2, 9}, second(121), 2) // another version
	stored := s.Store(second(100), 2)
	require.Len(t, stored, 2*seenStored, "not what is older than the floor, not what later batches carry")

	loaded, err := LoadSeen(stored)
	require.NoError(t, err)
	require.Equal(t, Known, loaded.Mark(Identity{2, 2}, second(120), 9))
	require.Equal(t, Known, loaded.Mark(Identity{2, 9}, second(121), 9))
	require.Equal(t, Fresh, loaded.Mark(Identity{3, 3}, second(120), 9))
	_, err = LoadSeen(stored[:len(stored)-1])
	require.ErrorContains(t, err, "torn entry")
}

// What a block has is told by its newest entry, wherever that is in it and however often entries were
// forgotten or sighted again.
func TestSeenExpiresAndStoresWholeBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s, model := new(Seen), map[Identity]seenEntry{}
	for round := range uint32(60) {
		for range random.IntN(4000) {
			who := Identity{random.Uint64()%20_000*0x9e3779b97f4a7c15 | 1, 0}
			sec := 100*round + uint32(random.IntN(300))
			s.Mark(who, second(int64(sec)), round)
			if e, there := model[who]; there {
				model[who] = seenEntry{who.ID, 0, max(e.second, sec), e.batch}
			} else {
				model[who] = seenEntry{who.ID, 0, sec, round}
			}
		}
		floor, batch := 100*round, round-uint32(random.IntN(2))
		want := 0
		for who, e := range model {
			if e.second < floor {
				delete(model, who)
			} else if e.batch <= batch {
				want++
			}
		}
		require.Len(t, s.Store(second(int64(floor)), batch), want*seenStored)
		s.Expire(second(int64(floor)))
		require.Equal(t, len(model), s.Count)
		if round%10 == 9 {
			s.Revert(batch)
			for who, e := range model {
				if e.batch > batch {
					delete(model, who)
				}
			}
			require.Equal(t, len(model), s.Count)
		}
	}
}

func TestSeenCarryMovesAnEntryToTheBatchThatHasIt(t *testing.T) {
	s := new(Seen)
	s.Mark(Identity{1, 1}, second(1), 1)
	s.Carry(Identity{1, 1}, 2)
	s.Revert(1)
	require.Equal(t, Fresh, s.Mark(Identity{1, 1}, second(1), 2), "batch 1 did not have it")
}

// An identity costs at most 40 bytes, whatever number of them is held.
func TestSeenCostsAtMost40BytesAnEvent(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := new(Seen)
	for n := 1; n <= 1_000_000; n++ {
		s.Mark(Identity{random.Uint64(), random.Uint64()}, second(1), 1)
		if n >= 10_000 && n%5_000 == 0 {
			bytes := 0
			for i := range s.parts {
				p := &s.parts[i]
				bytes += len(p.blocks)*int(unsafe.Sizeof(*p.blocks[0].entries)) +
					int(unsafe.Sizeof(p.blocks[0]))*cap(p.blocks) + 4*len(p.index)
			}
			require.LessOrEqual(t, bytes, 40*n, "at %d events", n)
		}
	}
}
