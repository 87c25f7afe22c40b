package exporter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// ledgerTest runs in fake time with a ledger that has handed over and accepted batch 1 at this very moment.
func ledgerTest(t *testing.T, test func(t *testing.T, l *ledger)) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(true, 1000)
		require.True(t, l.push([]byte("one"), 1))
		require.Equal(t, "one", string(l.next()))
		l.accept()
		test(t, l)
	})
}

func safeNow(l *ledger) uint32 { safe, _ := l.state(); return safe }

func doubtNow(l *ledger) string { _, doubt := l.state(); return doubt }

func TestABatchIsSafeWhenACollectCallComesASecondAfterItsCleanup(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		time.Sleep(999 * time.Millisecond)
		l.next()
		require.Zero(t, safeNow(l))
		time.Sleep(time.Minute)
		require.Zero(t, safeNow(l), "time alone proves nothing: the engine may hang")
		l.next()
		require.EqualValues(t, 1, safeNow(l))
	})
}

func TestNothingIsHandedOverDuringAHold(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		l.push([]byte("two"), 1)
		time.Sleep(2 * time.Second)
		l.next()
		l.accept()
		l.push([]byte("three"), 1)
		l.pause()
		for range 5 {
			time.Sleep(time.Second)
			require.Nil(t, l.next())
		}
		l.resume()
	})
}

func TestAPauseRightAfterACleanupLeavesDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		time.Sleep(500 * time.Millisecond)
		l.pause()
		time.Sleep(10 * time.Second)
		require.Nil(t, l.next())
		require.Zero(t, safeNow(l))
		l.resume()
		require.Contains(t, doubtNow(l), "paused")
	})
}

func TestAPauseAfterTheBatchIsSafeLeavesNoDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		time.Sleep(time.Second)
		l.next()
		l.pause()
		l.resume()
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
			ledgerTest(t, func(t *testing.T, l *ledger) {
				time.Sleep(c.first)
				l.pause()
				require.Zero(t, safeNow(l), "one pause may be one for memory")
				time.Sleep(c.second - c.first)
				l.pause()
				require.Equal(t, c.safe, safeNow(l))
			})
		})
	}
}

func TestASlowCleanupLeavesDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		l.push([]byte("two"), 1)
		require.NotNil(t, l.next())
		time.Sleep(time.Second) // the engine retries a full ring for a second and then drops
		l.accept()
		require.Contains(t, doubtNow(l), "buffer was full")
		l.push([]byte("three"), 1)
		require.Nil(t, l.next(), "what is in doubt is fetched again first")
		l.reset()
		require.Empty(t, doubtNow(l))
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		for range queueBatches {
			require.True(t, l.push([]byte("x"), 1))
		}
		require.False(t, l.push([]byte("x"), 1))
		require.NotNil(t, l.next())
		require.False(t, l.push([]byte("x"), 1), "the engine still reads the last one")
		l.accept()
		<-l.changed
		require.True(t, l.push([]byte("x"), 1))
	})
}

// What the engine reads must not be written again before its cleanup: it is not copied for the engine.
func TestABufferIsUsedAgainAfterItsCleanup(t *testing.T) {
	l := newLedger(true, 10)
	first := append(l.buffer(), 'x')
	l.push(first, 1)
	require.Equal(t, &first[0], &l.next()[0])
	other := append(l.buffer(), 'y')
	require.NotSame(t, &first[0], &other[0])
	l.reset()
	require.NotSame(t, &first[0], &append(l.buffer(), 'z')[0], "nor after a doubt")
	l.accept()
	require.Same(t, &first[0], &append(l.buffer(), 'z')[0])
}

func TestABufferThatOneRecordMadeHugeIsNotKept(t *testing.T) {
	l := newLedger(true, 10)
	l.push(append(l.buffer(), make([]byte, usualRecord+11)...), 1)
	l.next()
	l.accept()
	require.Equal(t, usualRecord+10, cap(l.buffer()))
}

func TestWithDeliveryOnlyDeliveryMakesSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(false, 1000)
		l.push([]byte("one"), 7)
		l.next()
		l.accept()
		time.Sleep(time.Hour)
		l.next()
		l.pause()
		time.Sleep(time.Second)
		l.pause()
		require.Zero(t, safeNow(l))
		number, records, since := l.handed()
		require.EqualValues(t, 1, number)
		require.EqualValues(t, 7, records)
		require.False(t, since.IsZero())
		l.deliver(number)
		require.EqualValues(t, 1, safeNow(l))
		_, _, since = l.handed()
		require.True(t, since.IsZero())
	})
}

// A slow filter keeps the engine's main thread from writing a batch for longer than a second (measured).
func TestWhereTheEngineCanBeAskedABatchIsSafeWhenItHasTakenItIn(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		l.expectWitness()
		time.Sleep(2 * time.Second)
		l.next()
		require.Zero(t, safeNow(l), "not known yet whether it can be asked")
		l.testify(0, true)
		time.Sleep(10 * time.Second)
		l.next()
		require.Zero(t, safeNow(l), "it still works on it")
		l.testify(1, true)
		l.next()
		require.EqualValues(t, 1, safeNow(l))
	})
}

func TestAnEngineThatCannotBeAskedLeavesTimeToDecide(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		l.expectWitness()
		l.testify(0, false)
		time.Sleep(time.Second)
		l.next()
		require.EqualValues(t, 1, safeNow(l))
	})
}

// A processor may drop records, which are then never counted.
func TestWhatTheEngineNeverCountsHoldsTheCheckpointForAMinuteOnly(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *ledger) {
		l.expectWitness()
		l.testify(0, true)
		time.Sleep(lostAfter - time.Second)
		l.next()
		require.Zero(t, safeNow(l))
		time.Sleep(time.Second)
		l.next()
		require.EqualValues(t, 1, safeNow(l))
		l.push([]byte("two"), 2)
		l.next()
		l.accept()
		l.testify(2, true)
		time.Sleep(time.Second)
		l.next()
		require.EqualValues(t, 2, safeNow(l), "the one that is missing stays missing")
	})
}
