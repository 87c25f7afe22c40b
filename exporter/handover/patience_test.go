package handover

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counted counts how often the engine is asked.
type counted struct {
	*watched
	asked int
}

func (c *counted) read(ctx context.Context) (*snapshot, error) {
	c.asked++
	return c.watched.read(ctx)
}

// With nothing on its way the engine is asked seldom, and each second otherwise.
func TestHowOftenTheEngineIsAsked(t *testing.T) {
	watch(t, func(f *watched) {
		c := &counted{watched: f}
		f.w.api = c
		f.look(20)
		require.Equal(t, 20, c.asked)
		f.delivered()
		f.requireSafe(1, 1)
		c.asked = 0
		f.look(1)
		require.Equal(t, 1, c.asked)
		f.look(9)
		require.Equal(t, 1, c.asked)
		f.look(1)
		require.Equal(t, 2, c.asked)
	})
}

func TestWhenAStandstillIsSaid(t *testing.T) {
	watch(t, func(f *watched) {
		f.look(59)
		require.Empty(t, f.log.Drain())
		f.look(1)
		f.requireSaid("commit_on delivery: 1 chunks are still in Fluent Bit. The checkpoint stands still, events flow on")
		f.look(599)
		require.Empty(t, f.log.Drain())
		f.look(1)
		f.requireSaid("1 chunks are still in Fluent Bit")
	})
}

// Version 1 tells of chunks as they were up to five seconds ago: they must be younger than the count, and the outputs'
// figures younger than that.
func TestOlderFiguresNeedTheirAge(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.whole = false
		f.delivered()
		f.s.chunks = 2
		f.w.facts.setEmpty(make([]bool, 2))
		seconds := 1 + int((chunkAge+dropAge)/time.Second)
		f.requireSafe(0, seconds-1)
		f.requireSafe(1, 1)
	})
	watch(t, func(f *watched) {
		f.s.whole = false
		f.delivered()
		f.s.chunks = 2
		f.requireSafe(0, 300)
		f.requireSaid("2 chunks are still in Fluent Bit")
	})
}

// Where other inputs are busy, this one's chunks count, but for those that a full disk left empty.
func TestEmptyChunksOfThisInputAreNotWaitedFor(t *testing.T) {
	for n, want := range []uint32{0, 0, 1} {
		watch(t, func(f *watched) {
			f.s.inputs = append([]inputFigures{{name: "cpu.1", records: 100}}, f.s.inputs...)
			f.w.proof.meet(f.s)
			f.s.inputOf("cpu.1").records = 110
			f.s.inputOf("audit").chunks = 2
			f.s.routed[route{"audit", "siem"}] = 10
			f.s.chunks = 9
			own := make([]bool, 5)
			for i := range n {
				own[i] = true
			}
			f.w.facts.setEmpty(own)
			f.requireSafe(want, 30)
		})
	}
}

// What the engine counted late is not counted twice, and what nobody handed over is another input's.
func TestRecordsThatAreCountedLate(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.inputOf("audit").records = 0
		f.requireSafe(0, 60)
		f.requireDoubt("never counted", 1)
		f.log.Drain()
		f.l.Reset()
		f.hand(10)
		f.s.inputOf("audit").records = 20
		f.delivered()
		f.requireSafe(2, 3)
		require.EqualValues(t, 20, f.w.facts.state().counted)
		require.Empty(t, f.log.Drain())
	})
	watch(t, func(f *watched) {
		f.s.inputOf("audit").records = 11
		f.requireSafe(0, 60)
		f.requireSaid(`the engine counts 11 records of input "audit", but only 10 were handed over: engine_input ` +
			"names another input")
	})
}

// The engine's counter begins with what was there before this input's first batch.
func TestWhatIsCountedIsCountedFromTheBase(t *testing.T) {
	watch(t, func(f *watched) {
		f.w.base = 4
		f.s.inputOf("audit").records = 14
		f.look(1)
		require.EqualValues(t, 10, f.w.facts.state().counted)
		f.delivered()
		f.requireSafe(1, 1)
		f.s.inputOf("audit").records = 15
		f.look(20)
		require.EqualValues(t, 11, f.w.facts.state().counted, "nothing being on its way, too")
	})
}

// A processor that drops records makes the counter wrong for ever: fetching again must end, but not for good.
func TestHowOftenUncountedRecordsAreFetchedAgain(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.inputOf("audit").records = 0
		again := func(limit int) (seconds int) {
			for ; doubtNow(f.l) == "" && seconds < limit; seconds++ {
				f.look(1)
			}
			f.l.Reset()
			f.hand(10)
			return seconds
		}
		for n := range maxRecounts {
			require.InDelta(t, 61, again(120), 1, n)
		}
		f.log.Drain()
		f.look(100)
		require.Empty(t, doubtNow(f.l))
		f.requireSaid("again and again: does a processor drop some?")
		require.InDelta(t, recountAgain/time.Second-100, again(4000), 2)
	})
}

// Half an hour after the last time, and not before.
func TestWhenUncountedRecordsAreFetchedAgain(t *testing.T) {
	watch(t, func(f *watched) {
		now := time.Now()
		f.w.recounts, f.w.changedAt = maxRecounts, now.Add(-lostAfter)
		for ago, want := range map[time.Duration]finding{recountAgain - 1: immovable, recountAgain: doubtful} {
			f.w.recountAt = now.Add(-ago)
			require.Equal(t, want, f.w.count(f.s, 20, now).finding, ago)
			f.w.base = 0
		}
	})
}

// An engine that does not answer may be starting; events flow on, and it is said after half a minute.
func TestWhenAnEngineThatDoesNotAnswerIsSaid(t *testing.T) {
	watch(t, func(f *watched) {
		f.err = errors.New("connection reset")
		f.look(30)
		require.Empty(t, f.log.Drain())
		f.look(1)
		f.requireSaid("connection reset")
		f.err = context.Canceled
		f.w.failingAt = time.Time{}
		f.look(1)
		require.True(t, f.w.failingAt.IsZero(), "that is the end of the run")
	})
}
