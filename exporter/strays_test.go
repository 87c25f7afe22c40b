package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// oddity returns what makes events odd in the way of that name.
func oddity(t *testing.T, name string) exportertest.Oddity {
	for _, o := range exportertest.Oddities {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("there is no oddity %q", name)
	return exportertest.Oddity{}
}

// happenOdd adds n odd events of this moment that appear so much later; 0 = now.
func (h *simHost) happenOdd(o exportertest.Oddity, n int, by time.Duration) {
	now := h.now()
	for i := range n {
		h.server.Add(o.Make(exportertest.Event{
			ID:     fmt.Sprintf("%s-%d-%d-%s", o.Name, now.UnixNano(), i, by),
			Time:   now.Add(time.Duration(i) * time.Millisecond),
			Action: "login", Visible: now.Add(by),
		}))
	}
}

// What has no time that its window has, or none at all, is found when it is late, and found once.
func TestReconciliationFindsLateStrays(t *testing.T) {
	for _, name := range []string{
		"one comma too many", "dated 2100", "dated 2999", "dated year 1", "dated two hours ago",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, reconciling(map[string]string{"max_window": "30m"}), func(h *simHost) {
				h.start()
				for range 6 {
					h.liveFor(5)
					h.happenOdd(oddity(t, name), 2, 0)
				}
				h.happenOdd(oddity(t, name), 7, 40*time.Minute)
				h.liveFor(100)
				h.happenOdd(oddity(t, name), 3, 0)
				h.liveFor(50)
				time.Sleep(6 * time.Minute)
				h.requireAll()
				require.EqualValues(t, 7, h.e.Stats().Reconciled, h.logged())
				h.liveFor(100)
				h.kill()
				h.start()
				h.liveFor(100)
				require.Zero(t, h.e.Stats().Reconciled, "what was found once is known: %s", h.logged())
				times := h.arrived()
				for _, e := range h.server.Events() {
					if e.Filed.IsZero() || e.Time.Year() != 2009 {
						require.LessOrEqual(t, times[e.ID], 2, e.ID)
					}
				}
			})
		})
	}
}

// event_time need not be the time that the endpoint goes by: that alone is no difference, and what is late is found.
func TestReconciliationWhenEventTimeIsAnotherThanTheFilters(t *testing.T) {
	for name, change := range map[string]func(*exportertest.Answers){
		"lags by a minute":     func(a *exportertest.Answers) { a.TimeLag = time.Minute },
		"lags by five minutes": func(a *exportertest.Answers) { a.TimeLag = 5 * time.Minute },
		"lags by an hour":      func(a *exportertest.Answers) { a.TimeLag = 67 * time.Minute },
		"ahead of the filter":  func(a *exportertest.Answers) { a.TimeLag = -3 * time.Minute },
		"local time, east": func(a *exportertest.Answers) {
			a.TimeLayout, a.TimeOffset = exportertest.LayoutNoZone, 2*time.Hour
		},
		"local time, west": func(a *exportertest.Answers) {
			a.TimeLayout, a.TimeOffset = exportertest.LayoutNoZone, -2*time.Hour
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{"max_window": "30m", "overlap": "3m", "poll_interval": "2m"}
			inBubble(t, reconciling(settings), func(h *simHost) {
				h.server.SetAnswers(change)
				h.start()
				time.Sleep(5 * time.Second)
				h.liveFor(200)
				require.Zero(t, h.e.Stats().Reconciled, h.logged())
				require.GreaterOrEqual(t, count(h.logged(), "found 0 events"), 3)
				time.Sleep(4 * time.Minute)
				h.requireOnce()

				late := h.happenLate(7, 40*time.Minute)
				h.liveFor(240)
				time.Sleep(4 * time.Minute)
				h.requireAll()
				require.EqualValues(t, len(late), h.e.Stats().Reconciled, h.logged())
			})
		})
	}
}

// A checkpoint of a version without strays is no reason to hand over again what it had.
func TestACheckpointWithoutStrays(t *testing.T) {
	inBubble(t, reconciling(map[string]string{"max_window": "30m"}), func(h *simHost) {
		h.start()
		for range 10 {
			h.happenOdd(oddity(t, "one comma too many"), 3, 0)
			h.happenOdd(oddity(t, "dated two hours ago"), 3, 0)
			h.liveFor(5)
		}
		time.Sleep(6 * time.Minute)
		h.shutdown()
		file, err := checkpoint.Open(h.settings["checkpoint_path"], checkpoint.Source{Endpoint: h.settings["endpoint"]})
		require.NoError(t, err)
		state, _ := file.State()
		require.Greater(t, len(state.Strays), 100)
		state.Strays = nil
		require.NoError(t, file.Save(state))
		require.NoError(t, file.Close())
		h.start()
		h.liveFor(180)
		time.Sleep(6 * time.Minute)
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		require.GreaterOrEqual(t, count(h.logged(), "found 0 events"), 2)
		h.requireOnce()
	})
}

// Events that windows answer again although they happened before them arrive once, after a restart too.
func TestEventsWhoseTimeLagsArriveOnce(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.TimeLag = 5 * time.Minute })
		for range 3 {
			h.start()
			time.Sleep(5 * time.Second)
			h.liveFor(30)
			time.Sleep(2 * time.Minute)
			h.shutdown()
		}
		h.requireOnce()
	})
}
