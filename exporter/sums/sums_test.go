package sums

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDone(t *testing.T) {
	for _, c := range []struct {
		records []int64
		left    int64
		want    int
		ok      bool
	}{
		{nil, 0, 0, true},
		{[]int64{5, 7, 9}, 0, 3, true},
		{[]int64{5, 7, 9}, 9, 2, true},
		{[]int64{5, 7, 9}, 16, 1, true},
		{[]int64{5, 7, 9}, 21, 0, true},
		{[]int64{5, 7, 9}, 12, 0, true}, // the third is done, which is of no use before the first is
		{[]int64{5, 7, 7}, 7, 1, true},  // one of the last two
		{[]int64{1, 1}, 1, 0, true},
		{[]int64{2, 3, 5}, 5, 0, true}, // the first two, or the last
		{[]int64{5, 7, 9}, 8, 0, false},
		{[]int64{5, 7, 9}, 22, 0, false},
		{[]int64{5, 7, 9}, -1, 0, false},
		{make([]int64, Most+1), 0, 0, false},
	} {
		got, ok := Done(c.records, c.left)
		require.Equal(t, c.want, got, c)
		require.Equal(t, c.ok, ok, c)
	}
}

// Whichever batches are left, in whatever order the others were done, none of them is believed to be done.
func TestDoneNeverBelievesWhatIsLeft(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		records := make([]int64, 1+random.IntN(6))
		for i := range records {
			records[i] = 1 + random.Int64N(8)
		}
		left, firstLeft := int64(0), len(records)
		for i := range records {
			if random.IntN(2) == 0 {
				left += records[i]
				firstLeft = min(firstLeft, i)
			}
		}
		n, ok := Done(records, left)
		require.True(t, ok)
		require.LessOrEqual(t, n, firstLeft, "%v, %d left", records, left)
	}
}
