package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inDelivery runs test against an engine that must deliver before the checkpoint moves.
func inDelivery(t *testing.T, settings map[string]string, test func(h *simHost, s *simEngine)) {
	t.Helper()
	inBubble(t, settings, func(h *simHost) { test(h, newSimEngine(h)) })
}

func (h *simHost) through() time.Time { return time.Unix(int64(h.e.Stats().ThroughSeconds), 0) }

func TestDeliveryMovesTheCheckpointOnlyOverWhatWasDelivered(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = 20 * time.Second })
		h.happen(50)
		h.start()
		begin := time.Now()
		for range 200 {
			if len(h.arrived()) == 0 {
				require.Less(t, h.through(), begin.Add(-50*time.Minute), "nothing has been delivered yet")
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		require.WithinDuration(t, begin, h.through(), 5*time.Second)
		h.requireOnce()
	})
}

// The chunk figure is up to 5 s old: a 0 that is read right after the hand-over is of the time before it.
func TestDeliveryDoesNotBelieveAnOldChunkFigure(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.start()
		for i := range 12 {
			time.Sleep(time.Minute + time.Duration(i)*370*time.Millisecond)
			s.set(func(s *simEngine) { s.latency = time.Hour })
			h.happen(3)
			before := len(h.arrived())
			time.Sleep(90 * time.Second)
			require.Len(t, h.arrived(), before)
			require.Less(t, h.through(), time.Now().Add(-80*time.Second), "round %d: 3 events are still in the engine", i)
			s.set(func(s *simEngine) { s.latency = time.Second })
		}
		time.Sleep(2 * time.Minute)
		h.requireOnce()
	})
}

func TestDeliverySurvivesKillsWithMemoryStorage(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "5s"}, func(h *simHost, s *simEngine) {
		for i := range 30 {
			h.happen(20)
			h.start()
			time.Sleep(time.Duration(i) * 870 * time.Millisecond)
			h.happen(5)
			time.Sleep(time.Duration(i%7) * 310 * time.Millisecond)
			h.kill()
		}
		h.start()
		time.Sleep(2 * time.Minute)
		h.requireAll()
	})
}

func TestDeliverySurvivesShutdownsThatLoseTheChunks(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "5s"}, func(h *simHost, s *simEngine) {
		for i := range 8 {
			h.happen(20)
			h.start()
			time.Sleep(time.Duration(i) * 2300 * time.Millisecond)
			h.shutdown()
		}
		h.start()
		time.Sleep(2 * time.Minute)
		h.requireAll()
	})
}

func TestWhatAnOutputDropsIsFetchedAgain(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(10)
		h.start()
		time.Sleep(time.Minute)
		h.requireOnce()
		s.set(func(s *simEngine) { s.drop = 1 })
		h.happen(10)
		time.Sleep(3 * time.Minute)
		require.Contains(t, h.logged(), "an output dropped records")
		require.EqualValues(t, 1, h.e.Stats().Refetches)
		h.requireOnce()
	})
}

func TestWhatOthersDropWhileNothingIsOnItsWayIsNoDoubt(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(10)
		h.start()
		time.Sleep(2 * time.Minute)
		s.set(func(s *simEngine) { s.drops = 99 })
		time.Sleep(time.Minute)
		h.happen(10)
		time.Sleep(2 * time.Minute)
		require.Zero(t, h.e.Stats().Refetches)
		h.requireOnce()
	})
}

func TestWhatTheEngineNeverCountsIsFetchedAgain(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(10)
		h.start()
		time.Sleep(time.Minute)
		s.set(func(s *simEngine) { s.swallow = 1 })
		h.happen(10)
		time.Sleep(5 * time.Minute)
		require.Contains(t, h.logged(), "never counted")
		h.requireOnce()
		require.WithinDuration(t, time.Now(), h.through(), 90*time.Second, "and the checkpoint goes on")
	})
}

// A processor that drops records makes the counter differ for ever: events must neither stop nor go round in circles.
func TestDeliveryGivesUpFetchingAgainWhatIsNeverCounted(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.lossy = true })
		h.start()
		for range 40 {
			time.Sleep(time.Minute)
			h.happen(3)
		}
		require.LessOrEqual(t, h.e.Stats().Refetches, int64(2+2), "now and then one more")
		require.GreaterOrEqual(t, h.e.Stats().Refetches, int64(2), h.logged())
		require.Contains(t, h.logged(), "does a processor drop some?")
		require.Less(t, h.through(), time.Now().Add(-30*time.Minute), "the checkpoint stands still")
	})
}

func TestDeliveryWithoutTheMonitoringAPI(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.away = true })
		h.happen(10)
		h.start()
		time.Sleep(5 * time.Second)
		begin := h.through()
		for range 5 {
			time.Sleep(2 * time.Minute)
			h.happen(10)
		}
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		require.Equal(t, begin, h.through(), "the checkpoint stands still")
		require.Contains(
			t, h.logged(),
			"the engine's monitoring API cannot be read, set http_server: on and storage.metrics: on",
		)
		require.Equal(t, 2, count(h.logged(), "cannot be read"), "a warning, and again after ten minutes")
		s.set(func(s *simEngine) { s.away = false })
		time.Sleep(2 * time.Minute)
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
		h.requireOnce()
	})
}

func TestTheFirstSecondsOfTheMonitoringAPIAreNoReasonToWarn(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(10)
		h.start()
		time.Sleep(time.Minute)
		require.NotContains(t, h.logged(), "\n2 ")
	})
}

func TestDeliveryWithAWrongEngineInput(t *testing.T) {
	for name, c := range map[string]struct {
		input, says string
		inputs      map[string]int64
	}{
		"there is none of that name": {
			"audit",
			`has no input "audit"; set engine_input to this input's alias; it has: cpu.1, wherobots_audit.0`,
			map[string]int64{"cpu.1": 7},
		},
		"it is another one": {"cpu.1", `counts 50000 records of input "cpu.1"`, map[string]int64{"cpu.1": 50_000}},
		"there are several": {
			"",
			`has 2 inputs named wherobots_audit.*; give this input an alias and set engine_input to it`,
			map[string]int64{"wherobots_audit.3": 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inDelivery(t, map[string]string{"engine_input": c.input}, func(h *simHost, s *simEngine) {
				s.set(func(s *simEngine) { s.inputs = c.inputs })
				if c.input == "cpu.1" { // an input without chunks is not told of
					s.set(func(s *simEngine) { s.name, s.inputs, s.extra = "cpu.1", nil, 50_000-10 })
				}
				h.happen(10)
				h.start()
				time.Sleep(10 * time.Second)
				begin := h.through()
				time.Sleep(3 * time.Minute)
				require.Contains(t, h.logged(), c.says)
				require.Contains(t, h.logged(), "The checkpoint stands still, events flow on")
				require.Equal(t, begin, h.through())
				h.requireOnce()
			})
		})
	}
}

func TestDeliveryFindsItsInputAmongSeveralByItsName(t *testing.T) {
	inDelivery(t, map[string]string{"engine_input": "tenant_a"}, func(h *simHost, s *simEngine) {
		s.name, s.inputs = "tenant_a", map[string]int64{"tenant_b": 1234, "wherobots_audit.2": 5}
		h.happen(10)
		h.start()
		time.Sleep(90 * time.Second)
		require.WithinDuration(t, time.Now(), h.through(), 90*time.Second, h.logged())
		h.requireOnce()
	})
}

// Under a steady stream there is always a chunk. The hand-over stops now and then so that the engine can drain.
func TestDeliveryUnderASteadyStream(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "1s"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = 3 * time.Second })
		h.start()
		for range 300 {
			time.Sleep(time.Second)
			h.happen(1)
		}
		require.WithinDuration(t, time.Now(), h.through(), 45*time.Second, h.logged())
		time.Sleep(time.Minute)
		h.requireOnce()
	})
}

// One dead output keeps chunks for ever. The others must get their events all the same.
func TestADeadOutputDoesNotStopTheOthers(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "5s"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.stuck = true })
		h.start()
		for range 30 {
			time.Sleep(10 * time.Second)
			h.happen(5)
		}
		time.Sleep(40 * time.Second) // while batches are held, and a group of them after that
		h.requireOnce()
		require.Less(t, h.through(), time.Now().Add(-4*time.Minute), "the checkpoint waits")
		s.set(func(s *simEngine) { s.stuck = false })
		time.Sleep(2 * time.Minute)
		require.WithinDuration(t, time.Now(), h.through(), time.Minute, h.logged())
	})
}
