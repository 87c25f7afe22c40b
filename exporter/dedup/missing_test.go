package dedup

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomSums are what so many events add.
func randomSums(random *rand.Rand, n int) (sums []uint64) {
	for range n {
		sums = append(sums, random.Uint64())
	}
	return sums
}

// lack is the digest of these events.
func lack(sums ...uint64) (d Digest) {
	for _, sum := range sums {
		d = d.Plus(DigestOf(sum))
	}
	return d
}

func TestUpToThreeMissingEventsAreTold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for missing := 1; missing <= mostTold; missing++ {
		for events := missing; events < 12; events++ {
			for range 20 {
				sums := randomSums(random, events)
				random.Shuffle(events, func(a, b int) { sums[a], sums[b] = sums[b], sums[a] })
				got, ok := Missing(sums, lack(sums[:missing]...))
				require.True(t, ok, "%d of %d", missing, events)
				require.Equal(t, setOf(sums[:missing]...), got, "%d of %d", missing, events)
			}
		}
	}
}

func TestWhatCannotBeTold(t *testing.T) {
	sums := randomSums(rand.New(rand.NewPCG(1, 2)), 10)
	for name, lacking := range map[string]Digest{
		"none":                         {},
		"four":                         lack(sums[:4]...),
		"one that is not there":        lack(7),
		"two, of which one is":         lack(sums[0], 7),
		"two, the same one twice":      lack(sums[0], sums[0]),
		"three, of which two are":      lack(sums[0], sums[1], 7),
		"three, of which one is twice": lack(sums[0], sums[1], sums[1]),
		"another number than the sum":  {sum: sums[0], Count: 2},
	} {
		_, ok := Missing(sums, lacking)
		require.False(t, ok, name)
	}
	_, ok := Missing(sums[:2], lack(sums[:3]...))
	require.False(t, ok, "more than there are")
}

// Two versions of an event are two events with one sum.
func TestEqualSumsAreTold(t *testing.T) {
	for _, c := range []struct {
		sums    []uint64
		lacking Digest
		want    []uint64
	}{
		{[]uint64{5, 5, 9}, lack(5, 5), []uint64{5}},
		{[]uint64{5, 5, 9, 11}, lack(5, 5, 9), []uint64{5, 9}},
		{[]uint64{5, 5, 5, 11}, lack(5, 5, 5), []uint64{5}},
	} {
		got, ok := Missing(c.sums, c.lacking)
		require.True(t, ok, c.sums)
		require.Equal(t, setOf(c.want...), got)
	}
}

// Pairs among a day's events would take minutes.
func TestAmongHowManyEventsSomeAreLookedFor(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		events, missing int
		ok              bool
	}{
		{mostPairs + 1, 1, true},
		{mostPairs, 2, true},
		{mostPairs + 1, 2, false},
		{mostTrios, 3, true},
		{mostTrios + 1, 3, false},
	} {
		sums := randomSums(random, c.events)
		_, ok := Missing(sums, lack(sums[:c.missing]...))
		require.Equal(t, c.ok, ok, "%d of %d", c.missing, c.events)
	}
}
