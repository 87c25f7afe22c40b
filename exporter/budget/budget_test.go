package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mega = 1_000_000

// Until something is delivered, one batch is on its way, however small it is.
func TestOneBatchUntilSomethingIsDelivered(t *testing.T) {
	b := New(8 * mega)
	require.True(t, b.Allows(100, 0, time.Now()))
	require.False(t, b.Withheld())
	require.False(t, b.Allows(100, 100, time.Now()))
	require.True(t, b.Withheld())
	b.Proven()
	require.False(t, b.Withheld())
	require.True(t, b.Allows(100, 100, time.Now()))
}

// What a crash repeats grows only with what was delivered before.
func TestWhatIsOnItsWayGrowsWithDelivery(t *testing.T) {
	b := New(8 * mega)
	require.LessOrEqual(t, b.BatchBytes(8*mega), 128_000)
	proofs := 0
	for b.BatchBytes(8*mega) < 8*mega {
		before := b.BatchBytes(8 * mega)
		b.Proven()
		proofs++
		require.LessOrEqual(t, b.BatchBytes(8*mega), 2*before)
		require.True(t, b.Allows(b.BatchBytes(8*mega), 2*b.BatchBytes(8*mega), time.Now()), "three batches")
	}
	require.LessOrEqual(t, proofs, 7)
	for range 100 {
		b.Proven()
	}
	require.False(t, b.Allows(8*mega, 32*mega, time.Now()))
	b.Again()
	require.LessOrEqual(t, b.BatchBytes(8*mega), 128_000)
	require.False(t, b.Allows(100, 100, time.Now()), "a doubt begins anew")
}

// An output that takes nothing must not stop the others.
func TestAFreeBudgetBoundsNothing(t *testing.T) {
	b := New(mega)
	b.Free()
	require.True(t, b.Allows(mega, 1000*mega, time.Now()))
	b.Proven()
	require.False(t, b.Allows(mega, 1000*mega, time.Now()), "until something is delivered")
}

func TestTheZeroBudgetBoundsNothing(t *testing.T) {
	var b Budget
	b.Proven()
	b.Again()
	require.True(t, b.Allows(mega, 1000*mega, time.Now()))
	require.Equal(t, mega, b.BatchBytes(mega))
}
