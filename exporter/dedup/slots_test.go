package dedup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Wherever looking begins, each slot is looked at once, and those of one cache line after another.
func TestSlotsAreLookedAtLineByLine(t *testing.T) {
	for _, slots := range []int{lineSlots, seenLeast, 3 * lineSlots, 64 * lineSlots} {
		p := &seenPart{index: make([]uint32, slots)}
		for home := range slots {
			looked := make(map[int]bool)
			for probe := range slots {
				slot := p.slot(home, probe)
				require.False(t, looked[slot], "%d slots from %d: %d again", slots, home, slot)
				looked[slot] = true
				require.Equal(t, (home/lineSlots+probe/lineSlots)%(slots/lineSlots), slot/lineSlots)
			}
			require.Equal(t, home, p.slot(home, 0))
		}
	}
}

// A full group may be asked for, be there an index or not.
func TestTouchOfAFullGroup(t *testing.T) {
	s, group := new(Seen), [Group]Identity{}
	for i := range group {
		group[i] = Identity{uint64(i) << 60, 1}
	}
	for range 2 {
		s.Touch(group[:])
		for _, who := range group {
			s.Mark(who, second(1), 1)
		}
	}
	require.Equal(t, Group, s.Count)
}
