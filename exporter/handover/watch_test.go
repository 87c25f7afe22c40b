package handover

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// watched is a watch in fake time on an engine whose figures the test sets. Ten records of one batch were
// handed over.
type watched struct {
	*testing.T
	w   *Watch
	l   *Ledger
	log *logline.Queue
	s   *snapshot
	err error
}

func (f *watched) read(context.Context) (*snapshot, error) { return f.s, f.err }

// noKeeper has nothing and keeps nothing.
type noKeeper struct{}

func (noKeeper) Keep([]byte, string) error { return errors.New("there is no room") }
func (noKeeper) Due() []byte               { return nil }
func (noKeeper) Tried([]byte, bool)        {}

// watch runs test with an engine that took in the ten records and has delivered nothing.
func watch(t *testing.T, test func(f *watched)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		f := &watched{T: t, l: NewLedger(OnDelivery, 1000), log: new(logline.Queue), s: newSnapshot()}
		f.w = NewWatch(nil, f.l, new(Facts), noKeeper{}, f.log, "commit_on delivery")
		f.w.api = f
		f.s.whole, f.s.ours, f.s.version = true, "audit", version{5, 1}
		f.s.inputOf("audit").records = 10
		f.s.inputOf("storage_backlog.1")
		f.s.outputOf("siem")
		f.s.chunks, f.s.memory, f.s.onDisk, f.s.errors = 1, 0, 1, 0
		f.hand(10)
		test(f)
	})
}

func (f *watched) hand(records int) {
	require.True(f, f.l.Push([]byte("batch"), records, ""))
	require.NotNil(f, f.l.Next())
	f.l.Accept()
}

// look lets so many seconds pass, with a look each, and returns what is safe and what is in doubt.
func (f *watched) look(seconds int) (safe uint32, doubt string) {
	for range seconds {
		time.Sleep(time.Second)
		f.w.look(f.Context())
	}
	return f.l.State()
}

func (f *watched) delivered() {
	f.s.outputOf("siem").processed = f.s.written()
	f.s.chunks, f.s.onDisk = 0, 0
}

func (f *watched) requireSafe(want uint32, seconds int) {
	f.Helper()
	safe, doubt := f.look(seconds)
	require.Equal(f, want, safe)
	require.Empty(f, doubt)
}

func (f *watched) requireDoubt(cause string, seconds int) {
	f.Helper()
	safe, doubt := f.look(seconds)
	require.Zero(f, safe)
	require.Contains(f, doubt, cause)
}

func (f *watched) requireSaid(text string) {
	f.Helper()
	for _, line := range f.log.Drain() {
		if line.Level == logline.LevelWarn {
			require.Contains(f, line.Text, text)
			return
		}
	}
	require.Fail(f, "nothing was said", text)
}

func TestOneSnapshotProvesDelivery(t *testing.T) {
	watch(t, func(f *watched) {
		f.requireSafe(0, 5)
		f.delivered()
		f.requireSafe(1, 1)
	})
}

func TestChunksThatAreGoneProveNothingIfNothingWasProcessed(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.chunks = 0
		f.requireSafe(0, 1)
		f.requireDoubt("processed by no output", 2)
	})
}

func TestWhatIsLostIsMissedOnce(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.chunks = 0
		f.requireDoubt("10 records were taken in", 3)
		f.l.Reset()
		f.hand(10)
		f.s.inputOf("audit").records = 20
		f.s.outputOf("siem").processed = 10
		f.requireSafe(2, 2)
	})
}

func TestWhatWasOnlySlowIsNotMissing(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.chunks = 0
		f.requireDoubt("10 records", 3)
		f.l.Reset()
		f.hand(10)
		f.s.inputOf("audit").records, f.s.outputOf("siem").processed = 20, 20
		f.requireSafe(2, 2)
		f.hand(10)
		f.s.inputOf("audit").records = 30
		_, doubt := f.look(3)
		require.Contains(t, doubt, "10 records", "and what is lost later is missed")
	})
}

func TestRecordsInAnEmitterAreNotDelivered(t *testing.T) {
	watch(t, func(f *watched) {
		*f.s.filterOf("rewrite_tag.0") = filterFigures{
			name: "rewrite_tag.0", records: 10, dropped: 10, emitted: 10, emits: true,
		}
		f.s.chunks = 0 // between the filter and the emitter, records are in no chunk
		f.requireSafe(0, 5)
		f.s.inputOf("emitter_for_rewrite_tag.0").records = 10
		f.s.chunks = 1
		f.requireSafe(0, 30)
		f.delivered()
		f.requireSafe(1, 1)
	})
}

func TestRecordsThatAnEmitterLostAreFetchedAgain(t *testing.T) {
	watch(t, func(f *watched) {
		*f.s.filterOf("rewrite_tag.0") = filterFigures{
			name: "rewrite_tag.0", records: 10, dropped: 10, emitted: 10, emits: true,
		}
		f.s.inputOf("emitter_for_rewrite_tag.0").records = 7
		f.delivered()
		f.requireSafe(0, 9)
		f.requireDoubt("3 records were lost in a filter's emitter", 3)
	})
}

func TestWhatNoOutputMatchesIsSaid(t *testing.T) {
	for name, v := range map[string]version{"counted by route": {5, 1}, "not counted": {4, 1}} {
		t.Run(name, func(t *testing.T) {
			watch(t, func(f *watched) {
				f.s.version, f.s.chunks = v, 0
				if v.routes() {
					f.s.unmatched["audit"] = 10
				}
				f.requireSafe(0, 50)
				f.requireSaid("no output matches this input's tag")
				f.requireSafe(0, 600)
			})
		})
	}
}

func TestRecordsThatFiltersDropAreNotMissing(t *testing.T) {
	watch(t, func(f *watched) {
		*f.s.filterOf("grep.0") = filterFigures{name: "grep.0", records: 10, dropped: 10}
		f.delivered()
		f.requireSafe(1, 1)
	})
}

func TestEmptyChunksAreNotWaitedFor(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.s.chunks = 7
		f.requireSafe(0, 5)
		f.w.facts.setEmpty(make([]bool, 7))
		f.requireSafe(1, 1)
	})
}

func TestADeadSecondOutputHoldsTheCheckpoint(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.s.outputOf("archive")
		f.s.chunks = 1
		f.requireSafe(0, 300)
	})
}

// Two outputs that each lack half of the records add up as two that share them do.
func TestHalvesThatAddUpAreNoProof(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.outputOf("archive").processed = 5
		f.s.outputOf("siem").processed = 5
		f.s.chunks, f.s.errors = 0, 1
		f.w.errors = 0
		f.requireDoubt("5 records", 3)
	})
	watch(t, func(f *watched) {
		f.s.outputOf("archive").processed = 5
		f.s.outputOf("siem").processed = 5
		f.s.chunks, f.w.errors = 0, 0 // no write failed, so they share
		f.requireSafe(1, 1)
	})
}

// A pause for memory drops nothing: the ring waits.
func TestAPauseIsNoDoubt(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.inputOf("audit").records = 0
		f.l.Pause()
		f.requireSafe(0, 300)
		f.l.Resume()
		f.s.inputOf("audit").records = 10
		f.delivered()
		f.requireSafe(1, 1)
	})
}

// What was never counted is in doubt, not safe.
func TestWhatTheEngineNeverCountsIsInDoubt(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.inputOf("audit").records = 0
		f.delivered()
		f.requireSafe(0, 55)
		f.requireDoubt("never counted", 10)
	})
}

func TestOtherInputsRecordsProveNothing(t *testing.T) {
	busy := func(f *watched, v version) {
		f.s.version = v
		f.s.inputs = append([]inputFigures{{name: "cpu.1", records: 100}}, f.s.inputs...)
		f.w.proof.meet(f.s)
		f.s.inputOf("cpu.1").records = 110
		f.s.outputOf("siem").processed = 110
		f.s.inputOf("audit").chunks = 0
		f.s.chunks = 3 // the other input's
	}
	watch(t, func(f *watched) {
		busy(f, version{5, 1})
		f.s.routed[route{"cpu.1", "siem"}] = 110
		f.requireSafe(0, 11)
		f.s.routed[route{"audit", "siem"}] = 10
		f.requireSafe(1, 2)
	})
	watch(t, func(f *watched) {
		busy(f, version{4, 1})
		f.requireSafe(0, 60)
		f.requireSaid("does not tell which input's records an output processed")
	})
	watch(t, func(f *watched) { // whose records the filter dropped is not known
		busy(f, version{5, 1})
		*f.s.filterOf("grep.0") = filterFigures{name: "grep.0", records: 120, dropped: 10}
		f.w.errors = unknown
		f.requireSafe(0, 60)
		f.requireSaid("filters that other inputs share drop records")
	})
}

// With handoff, batches may be found in storage all the while.
func TestAnEngineThatDoesNotAnswerIsNoStandstillByItself(t *testing.T) {
	watch(t, func(f *watched) {
		f.err = errors.New("refused")
		for n := range 60 {
			f.look(1)
			f.l.Deliver(uint32(n + 1))
			f.hand(1)
		}
		require.Empty(t, f.log.Drain())
	})
}

func TestAnEngineThatDoesNotAnswerProvesNothing(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.err = errors.New("refused")
		f.requireSafe(0, 60)
		f.requireSaid("refused")
	})
}
