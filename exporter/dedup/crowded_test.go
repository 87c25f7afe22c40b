package dedup

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An exporter that writes None for each event_id must not cost the square of its rows: however many share an id, few
// slots are looked at for one of them.
func TestEventsThatShareAnIDTakeLinearTime(t *testing.T) {
	const events = 100_000
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []Identity
	for range events {
		all = append(all, Identity{ID: 7, Content: rnd.Uint64()})
	}
	at, s := time.Unix(1_700_000_000, 0), new(Seen)
	for i, who := range all {
		require.NotEqual(t, Known, s.Mark(who, at, 1), i)
		require.Less(t, slotsLookedAt(s, who), 500, i)
	}
	s, err := LoadSeen(s.Store(at, 1))
	require.NoError(t, err)
	require.Equal(t, events, s.Count)
	for i, who := range all {
		require.Equal(t, Known, s.Mark(who, at, 1), i)
		require.Less(t, slotsLookedAt(s, who), 500, i)
	}
}

// slotsLookedAt is how many slots a known event is found after, from the home of the key under which it was entered.
func slotsLookedAt(s *Seen, who Identity) (n int) {
	p := s.part(who.ID)
	_, place, _ := p.find(who)
	for home := p.home(place.key); p.slot(home, n) != place.slot; n++ {
	}
	return n + 1
}

// Whatever is forgotten, and whenever the index is made anew, what is left is known, and nothing else.
func TestSeenOfFewIDsAgainstAMap(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s, want, ids := new(Seen), make(map[Identity]int64), make(map[uint64]bool)
		for step := range 20_000 {
			who := Identity{ID: rnd.Uint64N(6) * 0x123456789abcdef, Content: rnd.Uint64N(300)}
			second := int64(step / 10)
			_, known := want[who]
			expected := map[bool]Sighting{true: Changed, false: Fresh}[ids[who.ID]]
			if known {
				expected = Known
			}
			require.Equal(t, expected, s.Mark(who, time.Unix(second, 0), 1), "seed %d, step %d", seed, step)
			want[who], ids[who.ID] = second, true
			if rnd.IntN(300) > 0 {
				continue
			}
			floor := second - rnd.Int64N(60)
			s.Expire(time.Unix(floor, 0))
			clear(ids)
			for who, second := range want {
				if second < floor {
					delete(want, who)
					continue
				}
				ids[who.ID] = true
			}
			require.Equal(t, len(want), s.Count)
			if rnd.IntN(3) == 0 {
				var err error
				s, err = LoadSeen(s.Store(time.Unix(0, 0), 1))
				require.NoError(t, err)
			}
		}
	}
}
