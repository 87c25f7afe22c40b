package handover

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// ledgerTest runs in fake time with a ledger that has handed over and accepted batch 1 at this very moment.
func ledgerTest(t *testing.T, test func(t *testing.T, l *Ledger)) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger(OnTime, 1000)
		require.True(t, l.Push([]byte("one"), 1, ""))
		require.Equal(t, "one", string(l.Next()))
		l.Accept()
		test(t, l)
	})
}

func safeNow(l *Ledger) uint32 { safe, _ := l.State(); return safe }

func doubtNow(l *Ledger) string { _, doubt := l.State(); return doubt }

func TestABatchIsSafeWhenACollectCallComesASecondAfterItsCleanup(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		time.Sleep(999 * time.Millisecond)
		l.Next()
		require.Zero(t, safeNow(l))
		time.Sleep(time.Minute)
		require.Zero(t, safeNow(l), "time alone proves nothing: the engine may hang")
		l.Next()
		require.EqualValues(t, 1, safeNow(l))
	})
}

func TestNothingIsHandedOverDuringAHold(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		l.Push([]byte("two"), 1, "")
		time.Sleep(2 * time.Second)
		l.Next()
		l.Accept()
		l.Push([]byte("three"), 1, "")
		l.Pause()
		for range 5 {
			time.Sleep(time.Second)
			require.Nil(t, l.Next())
		}
		l.Resume()
	})
}

func TestAPauseRightAfterACleanupLeavesDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		time.Sleep(500 * time.Millisecond)
		l.Pause()
		time.Sleep(10 * time.Second)
		require.Nil(t, l.Next())
		require.Zero(t, safeNow(l))
		l.Resume()
		require.Contains(t, doubtNow(l), "paused")
	})
}

func TestAPauseAfterTheBatchIsSafeLeavesNoDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		time.Sleep(time.Second)
		l.Next()
		l.Pause()
		l.Resume()
		require.Empty(t, doubtNow(l))
		require.EqualValues(t, 1, safeNow(l))
	})
}

func TestTheSecondPauseOfAShutdownMakesSafe(t *testing.T) {
	for name, c := range map[string]struct {
		first, second time.Duration // after the cleanup
		safe          uint32
	}{
		"the ring was emptied":       {100 * time.Millisecond, 600 * time.Millisecond, 1},
		"too soon to be sure":        {100 * time.Millisecond, 400 * time.Millisecond, 0},
		"too late to be a shutdown":  {100 * time.Millisecond, 90 * time.Second, 0},
		"a shutdown with long grace": {100 * time.Millisecond, 30 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ledgerTest(t, func(t *testing.T, l *Ledger) {
				time.Sleep(c.first)
				l.Pause()
				require.Zero(t, safeNow(l), "one pause may be one for memory")
				time.Sleep(c.second - c.first)
				l.Pause()
				require.Equal(t, c.safe, safeNow(l))
			})
		})
	}
}

func TestASlowCleanupLeavesDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		l.Push([]byte("two"), 1, "")
		require.NotNil(t, l.Next())
		time.Sleep(time.Second) // the engine retries a full ring for a second and then drops
		l.Accept()
		require.Contains(t, doubtNow(l), "buffer was full")
		l.Push([]byte("three"), 1, "")
		require.Nil(t, l.Next(), "what is in doubt is fetched again first")
		l.Reset()
		require.Empty(t, doubtNow(l))
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		for range queueBatches {
			require.True(t, l.Push([]byte("x"), 1, ""))
		}
		require.False(t, l.Push([]byte("x"), 1, ""))
		require.NotNil(t, l.Next())
		require.False(t, l.Push([]byte("x"), 1, ""), "the engine still reads the last one")
		l.Accept()
		<-l.Changed
		require.True(t, l.Push([]byte("x"), 1, ""))
	})
}

// largeBatch is one that needs a full buffer of a ledger for batches of 1 MiB.
func largeBatch(l *Ledger) []byte {
	return append(l.Buffer(append(l.Buffer(nil), make([]byte, 1<<16)...)), 'x')
}

// What the engine reads must not be written again before its cleanup: it is not copied for the engine.
func TestABufferIsUsedAgainAfterItsCleanup(t *testing.T) {
	l := NewLedger(OnTime, 1<<20)
	first := largeBatch(l)
	l.Push(first, 1, "")
	require.Equal(t, &first[0], &l.Next()[0])
	require.NotSame(t, &first[0], &largeBatch(l)[0])
	l.Reset()
	require.NotSame(t, &first[0], &largeBatch(l)[0], "nor after a doubt")
	l.Accept()
	require.Same(t, &first[0], &largeBatch(l)[0])
}

func TestAFullBufferIsGivenUpWhileNothingIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger(OnTime, 1<<20)
		for _, wait := range []time.Duration{time.Second, time.Minute} {
			first := largeBatch(l)
			l.Push(first, 1, "")
			l.Next()
			l.Accept()
			time.Sleep(wait)
			l.Next()
			again := largeBatch(l)
			require.Equal(t, wait == time.Second, &first[0] == &again[0])
			require.Nil(t, l.queue[:1][0].data, "nor is it held where it was queued")
		}
	})
}

func TestWithDeliveryOnlyDeliveryMakesSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger(OnDelivery, 1000)
		l.Push([]byte("one"), 7, "")
		l.Next()
		l.Accept()
		time.Sleep(time.Hour)
		l.Next()
		l.Pause()
		time.Sleep(time.Second)
		l.Pause()
		require.Zero(t, safeNow(l))
		h := l.handed()
		require.EqualValues(t, 1, h.number)
		require.EqualValues(t, 7, h.records)
		require.False(t, h.since.IsZero())
		l.Deliver(h.number)
		require.EqualValues(t, 1, safeNow(l))
		require.True(t, l.handed().since.IsZero())
	})
}

// What may have been lost is fetched again: then little is on its way, as at the start.
func TestADoubtMakesBatchesSmall(t *testing.T) {
	l := NewLedger(OnDelivery, 1_000_000)
	first := l.BatchBytes()
	require.Less(t, first, 200_000)
	hand := func() []byte {
		l.Push([]byte("batch"), 1, "")
		data := l.Next()
		l.Accept()
		return data
	}
	require.NotNil(t, hand())
	require.Nil(t, hand())
	l.Deliver(1)
	require.Greater(t, l.BatchBytes(), first)
	require.NotNil(t, hand())
	l.doubtful("it may be lost")
	l.Reset()
	require.Equal(t, first, l.BatchBytes())
	require.NotNil(t, hand())
	require.Nil(t, hand())
	require.Equal(t, 1_000_000, NewLedger(OnStorage, 1_000_000).BatchBytes(), "storage needs no delivery")
}
