package handover

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/sums"
)

// streaming runs test with an engine that has delivered the first batch, of ten records, and was given three more, of
// 5, 7 and 9 records, which it has taken in.
func streaming(t *testing.T, test func(f *watched)) {
	streamingAfter(t, func(*watched) {}, test)
}

// streamingAfter calls prepare before the first batch is seen delivered.
func streamingAfter(t *testing.T, prepare, test func(f *watched)) {
	watch(t, func(f *watched) {
		prepare(f)
		f.delivered()
		f.requireSafe(1, 1)
		for _, n := range []int{5, 7, 9} {
			f.hand(n)
		}
		f.s.inputOf("audit").records = 31
		f.s.chunks = 3
		test(f)
	})
}

// processed lets an output have processed so many records of the three batches, and looks once.
func (f *watched) processed(output string, n int64) (safe uint32, doubt string) {
	f.s.outputOf(output).processed = 10 + n
	return f.look(1)
}

func (f *watched) requireProcessedProves(want uint32, n int64) {
	f.Helper()
	safe, doubt := f.processed("siem", n)
	require.Equal(f, want, safe)
	require.Empty(f, doubt)
}

func TestABatchIsDeliveredAlthoughOthersAreOnTheirWay(t *testing.T) {
	streaming(t, func(f *watched) {
		f.requireProcessedProves(1, 0)
		f.requireProcessedProves(2, 5)
		f.requireProcessedProves(3, 12)
		f.requireProcessedProves(4, 21)
		require.False(t, f.l.hold)
	})
}

// What was processed does not tell which batches were: a retry lets the others overtake.
func TestABatchThatWasOvertakenIsNotDelivered(t *testing.T) {
	streaming(t, func(f *watched) {
		f.requireProcessedProves(1, 7)  // the second
		f.requireProcessedProves(1, 16) // and the third
		f.requireProcessedProves(4, 21)
	})
}

// Two batches of the same size are not told apart.
func TestBatchesOfOneSizeAreNotToldApart(t *testing.T) {
	streaming(t, func(f *watched) {
		f.hand(5)
		f.requireProcessedProves(1, 21) // 5 are left: the first or the last
		f.requireProcessedProves(5, 26)
	})
}

// Figures may be older than the last hand-over, and a batch may never have been taken in.
func TestABatchThatWasNeverTakenInIsNotDelivered(t *testing.T) {
	streaming(t, func(f *watched) {
		f.s.inputOf("audit").records = 31 - 7 // the second vanished in the ring
		f.requireProcessedProves(2, 14)
	})
}

// All outputs must have a batch; one that never got a record needs none.
func TestABatchIsDeliveredWhenEveryOutputHasIt(t *testing.T) {
	both := func(f *watched) {
		f.s.outputOf("archive").processed = 10
		f.s.outputOf("metrics").processed = 0
	}
	streamingAfter(t, both, func(f *watched) {
		f.requireProcessedProves(1, 12)
		f.s.outputOf("archive").processed = 10 + 5
		f.requireProcessedProves(2, 12)
		f.s.outputOf("archive").processed = 10 + 5 + 9
		f.requireProcessedProves(2, 21)
		f.s.outputOf("archive").processed = 10 + 21
		f.requireProcessedProves(4, 21)
	})
	streamingAfter(t, both, func(f *watched) {
		f.s.outputOf("archive").processed = 10 + 21
		f.requireProcessedProves(1, 0)
	})
	streamingAfter(t, both, func(f *watched) { // its first record shows that it takes some
		f.s.outputOf("archive").processed = 10 + 12
		f.s.outputOf("metrics").processed = 12
		f.requireProcessedProves(1, 12)
	})
	partly := func(f *watched) {
		f.s.outputOf("some").processed = 4
	}
	streamingAfter(t, partly, func(f *watched) {
		f.requireProcessedProves(1, 12)
	})
}

// Where records change in number, or others are among them, an output's count says nothing of single batches.
func TestAStreamEndsWhereRecordsChangeInNumber(t *testing.T) {
	for name, change := range map[string]func(s *snapshot){
		"a filter drops": func(s *snapshot) { s.filterOf("grep.0").dropped = 9 },
		"a filter adds":  func(s *snapshot) { s.filterOf("lua.0").added = 1 },
		"a filter emits": func(s *snapshot) {
			s.filterOf("rewrite_tag.0").emitted, s.filterOf("rewrite_tag.0").dropped = 9, 9
			s.inputOf("emitter_for_rewrite_tag.0").records = 9
		},
		"another input":             func(s *snapshot) { s.inputOf("cpu.1").records = 9 },
		"the backlog":               func(s *snapshot) { s.inputOf("storage_backlog.1").records = 9 },
		"no batches have so many":   func(s *snapshot) { s.outputOf("siem").processed = 10 + 11 },
		"more than was handed over": func(s *snapshot) { s.outputOf("siem").processed = 10 + 22 },
	} {
		t.Run(name, func(t *testing.T) {
			prepare := func(f *watched) {
				f.s.inputs = append([]inputFigures{{name: "cpu.1"}}, f.s.inputs...)
			}
			streamingAfter(t, prepare, func(f *watched) {
				f.s.outputOf("siem").processed = 10 + 12
				change(f.s)
				f.requireSafe(1, 1)
				require.False(t, f.w.stream.on)
				f.requireSafe(1, 5)
			})
		})
	}
}

// Records that are known to be lost were never to be delivered: what follows them is proved as before.
func TestAStreamGoesOnBehindALoss(t *testing.T) {
	lost := func(n int64) func(f *watched) {
		return func(f *watched) {
			f.s.inputs = append([]inputFigures{{name: "cpu.1", records: 4}}, f.s.inputs...)
			f.w.proof.lost = n
		}
	}
	watch(t, func(f *watched) {
		lost(4)(f)
		f.delivered()
		f.s.outputOf("siem").processed = 10
		f.requireSafe(1, 1)
		f.hand(5)
		f.hand(7)
		f.s.inputOf("audit").records, f.s.chunks = 22, 2
		f.requireProcessedProves(2, 5)
	})
	watch(t, func(f *watched) { // nothing was delivered so far: nobody knows which outputs take records
		lost(14)(f)
		f.s.chunks, f.s.onDisk = 0, 0
		f.requireSafe(1, 1)
		require.False(t, f.w.stream.on)
	})
}

// There are 2ⁿ sets of n batches: beyond a few they are not looked at, until there are fewer again.
func TestHowManyBatchesAreToldApart(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.requireSafe(1, 1)
		for n := range sums.Most {
			f.hand(1 << n)
		}
		f.s.chunks = 12
		f.requireProcessedProves(2, 1)
		f.hand(1 << sums.Most)
		f.requireProcessedProves(3, 1+2)
		f.hand(1)
		f.hand(1)
		f.requireProcessedProves(3, 1+2+4)
		require.True(t, f.w.stream.on)
	})
}

// A drop makes everything doubtful that is on its way.
func TestAStreamEndsWithADrop(t *testing.T) {
	streaming(t, func(f *watched) {
		f.s.outputOf("siem").dropped = 7
		safe, doubt := f.processed("siem", 5)
		require.EqualValues(t, 1, safe)
		require.Contains(t, doubt, "dropped records")
	})
}

// A batch that became safe otherwise may still be on its way.
func TestAStreamEndsWhereABatchBecameSafeOtherwise(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.requireSafe(1, 1)
		for _, n := range []int{7, 7, 9} {
			f.hand(n)
		}
		f.s.inputOf("audit").records, f.s.chunks = 33, 2
		f.l.Deliver(2)
		f.requireProcessedProves(2, 7) // which may be that one
		require.False(t, f.w.stream.on)
	})
}

// A batch that is being copied may be processed before its cleanup is seen.
func TestFiguresMayCountABatchThatIsBeingCopied(t *testing.T) {
	streaming(t, func(f *watched) {
		require.True(f, f.l.Push([]byte("batch"), 5, ""))
		require.NotNil(f, f.l.Next())
		f.s.outputOf("siem").processed = 10 + 5 // the first or this one
		f.w.look(f.Context())
		f.l.Accept()
		f.requireSafe(1, 1)
	})
}

// Several inputs: what outputs processed of this one counts.
func TestAStreamBesideOtherInputs(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.inputs = append([]inputFigures{{name: "cpu.1", records: 100}}, f.s.inputs...)
		f.w.proof.meet(f.s)
		f.s.inputOf("cpu.1").records = 110
		f.s.inputOf("audit").chunks = 0
		f.s.routed[route{"audit", "siem"}] = 10
		f.requireSafe(0, 10)
		f.requireSafe(1, 5)
		f.hand(5)
		f.hand(7)
		f.s.inputOf("audit").records, f.s.inputOf("audit").chunks = 22, 1
		f.s.inputOf("cpu.1").records = 200
		f.s.routed[route{"audit", "siem"}] = 15
		f.requireSafe(2, 1)
	})
}

// The same figures read twice are no second evidence.
func TestFiguresReadAgainAreNoneMore(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.chunks, f.s.text = 0, 1
		for range 2 {
			f.w.look(t.Context())
		}
		_, doubt := f.l.State()
		require.Empty(t, doubt)
	})
}

// The engine gets time to drain for a part of the time only, and less when it is quick.
func TestTheHandOverStopsForAPartOfTheTime(t *testing.T) {
	watch(t, func(f *watched) {
		f.delivered()
		f.requireSafe(1, 1)
		f.w.stream.on = false
		for _, drain := range []int{2, 1, 4} {
			f.w.stream.on = false
			open := max(int(f.w.group().Seconds()), 2)
			f.hand(10)
			f.s.inputOf("audit").records += 10
			f.s.chunks = 1
			f.look(open - 1)
			require.False(t, f.l.hold)
			f.look(1)
			require.True(t, f.l.hold)
			f.look(drain - 1)
			require.True(t, f.l.hold)
			f.delivered()
			f.look(1)
			require.False(t, f.l.hold)
			require.InDelta(t, min(4*float64(drain), 6), f.w.group().Seconds(), 1)
		}
	})
}

// An output that takes nothing keeps batches from the others for less and less of the time.
func TestAnOutputThatTakesNothingStopsTheOthersLessAndLess(t *testing.T) {
	watch(t, func(f *watched) {
		f.s.outputOf("archive")
		f.s.outputOf("siem").processed = 10
		held := func() (seconds int) {
			for range 180 {
				if f.look(1); f.l.hold {
					seconds++
				}
			}
			return seconds
		}
		first, second := held(), held()
		require.Greater(t, first, 80)
		require.Less(t, second, 75)
		f.delivered()
		f.s.outputOf("archive").processed = 10
		f.look(90)
		require.EqualValues(t, 1, f.l.safe)
		require.LessOrEqual(t, f.w.group(), groupMost)
	})
}
