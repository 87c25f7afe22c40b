package exporter

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// inModernDelivery is inDelivery with version 2 of the monitoring API.
func inModernDelivery(t *testing.T, settings map[string]string, test func(h *simHost, s *simEngine)) {
	t.Helper()
	inDelivery(t, settings, func(h *simHost, s *simEngine) {
		s.modern = true
		test(h, s)
	})
}

// Under a steady stream the engine is never empty. What outputs have processed tells all the same, so that the
// checkpoint follows without a pause; batches of one size cannot be told apart, and then the pauses are short.
func TestTheCheckpointFollowsASteadyStream(t *testing.T) {
	for name, c := range map[string]struct {
		most int // events a second
		lag  time.Duration
	}{
		"batches of many sizes": {90, 12 * time.Second},
		"batches of one size":   {1, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inModernDelivery(t, map[string]string{"poll_interval": "1s"}, func(h *simHost, s *simEngine) {
				random := rand.New(rand.NewPCG(1, 1))
				s.set(func(s *simEngine) { s.latency = 2 * time.Second })
				h.start()
				for second := range 300 {
					time.Sleep(time.Second)
					h.happen(1 + random.IntN(c.most))
					if second > 20 {
						require.WithinDuration(t, time.Now(), h.through(), c.lag, "second %d, log:\n%s", second, h.logged())
					}
				}
				time.Sleep(time.Minute)
				h.requireOnce()
			})
		})
	}
}

// A retry lets later chunks overtake. Whatever the order, the checkpoint passes nothing that is not delivered.
func TestTheCheckpointPassesNothingThatIsOvertaken(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inModernDelivery(t, map[string]string{"poll_interval": "1s"}, func(h *simHost, s *simEngine) {
				random, varied := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
				s.set(func(s *simEngine) {
					s.latency = 500 * time.Millisecond
					s.vary = func() time.Duration { return time.Duration(varied.IntN(4)*varied.IntN(3000)) * time.Millisecond }
				})
				h.start()
				moved := h.through()
				for second := range 200 {
					time.Sleep(time.Second)
					for n := range 1 + random.IntN(4) {
						h.server.Add(exportertest.Event{ID: fmt.Sprint(second, "-", n), Time: h.now(), Action: "login"})
					}
					moved = h.requirePassedIsDelivered(moved)
				}
				require.WithinDuration(t, time.Now(), moved, time.Minute, "it follows; log:\n%s", h.logged())
			})
		})
	}
}

// requirePassedIsDelivered checks that every event up to the checkpoint has arrived, and returns the checkpoint.
func (h *simHost) requirePassedIsDelivered(before time.Time) time.Time {
	h.t.Helper()
	through := h.through()
	if !through.After(before) {
		return before
	}
	arrived := h.arrived()
	for _, event := range h.server.Events() {
		if event.Time.Before(through) {
			require.NotZero(h.t, arrived[event.ID], "event of %s, checkpoint %s", event.Time, through)
		}
	}
	return through
}

// A batch that vanishes before it is counted must not be taken for one of its size that came after it.
func TestABatchThatVanishesUnderASteadyStreamIsFetchedAgain(t *testing.T) {
	inModernDelivery(t, map[string]string{"poll_interval": "1s"}, func(h *simHost, s *simEngine) {
		h.start()
		for second := range 240 {
			time.Sleep(time.Second)
			h.happen(2)
			if second == 60 {
				s.set(func(s *simEngine) { s.swallow = 1 })
			}
		}
		time.Sleep(3 * time.Minute)
		h.requireAll()
		require.Contains(t, h.logged(), "never counted")
	})
}

// A backfill does not wait for silence.
func TestABackfillWithDeliveryGoesOn(t *testing.T) {
	settings := map[string]string{"start_time": "-88d", "batch_bytes": "128K"}
	inModernDelivery(t, settings, func(h *simHost, s *simEngine) {
		h.server.Add(exportertest.Generate(1, 8000, h.now().Add(-88*day), h.now())...)
		h.start()
		time.Sleep(35 * time.Second) // 22 batches
		h.requireOnce()
		time.Sleep(5 * time.Second)
		require.WithinDuration(t, time.Now(), h.through(), 45*time.Second, "and is committed then")
	})
}

// An engine that crashes again and again repeats little: at first one small batch is on its way, and what was delivered
// is committed at once, of a window that was not read whole too.
func TestKillsDuringABackfillCostFewCopies(t *testing.T) {
	for _, window := range []string{"24h", "720h"} {
		settings := map[string]string{"start_time": "-88d", "max_window": window, "batch_bytes": "1M"}
		inModernDelivery(t, settings, func(h *simHost, s *simEngine) {
			const events = 6600
			h.server.Add(exportertest.Generate(1, events, h.now().Add(-88*day), h.now())...)
			random := rand.New(rand.NewPCG(1, 1))
			for range 18 {
				h.start()
				time.Sleep(2*time.Second + time.Duration(random.IntN(3000))*time.Millisecond)
				h.kill()
			}
			h.start()
			time.Sleep(2 * time.Minute)
			h.requireAll()
			copies := 0
			for _, n := range h.arrived() {
				copies += n
			}
			require.Less(t, copies, 2*events, "with windows of %s", window)
		})
	}
}

// What is on disk of a window that was not read whole is for a restart: it hands over none of its events again.
func TestAPartOfAWindowIsNotHandedOverAgain(t *testing.T) {
	settings := map[string]string{"start_time": "-1d", "batch_bytes": "1M"}
	inModernDelivery(t, settings, func(h *simHost, s *simEngine) {
		h.server.Add(exportertest.Generate(1, 3000, h.now().Add(-23*time.Hour), h.now().Add(-time.Hour))...)
		h.start()
		begin := h.through()
		time.Sleep(4 * time.Second)
		require.Less(t, h.countDelivered(), 500, "only a small batch is on its way at first")
		time.Sleep(5 * time.Second)
		s.set(func(s *simEngine) { s.latency = time.Hour }) // what is handed over now is lost
		delivered := len(h.arrived())
		require.Greater(t, delivered, 500)
		time.Sleep(5 * time.Second)
		require.Equal(t, begin, h.through(), "the window is not read whole")
		h.kill()
		s.set(func(s *simEngine) { s.latency = time.Second })
		h.start()
		time.Sleep(time.Minute)
		h.requireAll()
		require.Less(t, h.countDelivered(), 3000+600, "what was delivered is known, but for the last seconds")
	})
}
