package handover

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// The engine gives up on a full ring after a second less a hair: a copy that took so long may have been dropped.
func TestHowLongACopyMayTake(t *testing.T) {
	for took, slow := range map[time.Duration]bool{ringFull - 1: false, ringFull: true} {
		synctest.Test(t, func(t *testing.T) {
			l := NewLedger(OnDelivery, 1000)
			l.Push(records(0, 1), 1, "")
			l.Next()
			time.Sleep(took)
			l.Accept()
			require.Equal(t, slow, doubtNow(l) != "")
			require.Equal(t, slow, l.SlowCopy())
			l.Reset()
			require.False(t, l.SlowCopy())
			l.doubtful("something was dropped")
			require.False(t, l.SlowCopy(), "another doubt")
			l.Push(records(0, 1), 1, "")
		})
	}
}

// A slow copy behind another doubt is not what the doubt is about.
func TestASlowCopyIsNotTheDoubtThatWasThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger(OnDelivery, 1000)
		l.Push(records(0, 1), 1, "")
		l.Next()
		l.doubtful("something was dropped")
		time.Sleep(ringFull)
		l.Accept()
		require.Equal(t, "something was dropped", doubtNow(l))
		require.False(t, l.SlowCopy())
	})
}

func TestWhichSecondPauseIsAShutdowns(t *testing.T) {
	for name, c := range map[string]struct {
		copied, first, second time.Duration
		safe                  uint32
	}{
		"the ring was emptied just now": {0, 0, ringEmptied, 1}, "not yet": {0, 0, ringEmptied - 1, 0},
		"at the end of the longest grace": {0, time.Second, time.Second + graceLimit, 1},
		"later":                           {0, time.Second, time.Second + graceLimit + 1, 0},
	} {
		ledgerTest(t, func(t *testing.T, l *Ledger) {
			time.Sleep(c.first)
			l.Pause()
			time.Sleep(c.second - c.first)
			l.Pause()
			require.Equal(t, c.safe, safeNow(l), name)
		})
	}
}

func TestAResumeWithoutAPauseIsNoDoubt(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		l.Resume()
		require.Empty(t, doubtNow(l))
	})
}

// A collector that the engine forgets is told from one that is paused.
func TestForHowLongTheEngineIsSilent(t *testing.T) {
	ledgerTest(t, func(t *testing.T, l *Ledger) {
		time.Sleep(time.Minute)
		require.Equal(t, time.Minute, l.SilentFor())
		l.Pause()
		require.Zero(t, l.SilentFor())
		l.Resume()
		require.Equal(t, time.Minute, l.SilentFor())
		l.Next()
		require.Zero(t, l.SilentFor())
	})
}

// A defect that comes again and again is said now and then.
func TestADefectIsSaidNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), logline.RareInterval+time.Second)
		defer cancel()
		log, runs := new(logline.Queue), 0
		persist(ctx, log, func() { runs++; panic("index out of range") })
		require.EqualValues(t, logline.RareInterval/idleInterval+1, runs)
		require.Len(t, log.Drain(), 2)
	})
}
