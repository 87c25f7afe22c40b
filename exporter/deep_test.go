package exporter

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// spread adds n events over a stretch of the past, the last of them now, and hides every so manieth until it is said
// to appear.
func (h *simHost) spread(n int, over time.Duration, late int, appears func() time.Time) {
	random, begin := rand.New(rand.NewPCG(1, 2)), h.now().Add(-over)
	for i := range n {
		e := exportertest.Event{
			ID: fmt.Sprintf("spread-%d", i), Time: begin.Add(time.Duration(random.Int64N(int64(over)))), Action: "login",
		}
		if i < late {
			e.Visible = appears()
		}
		h.server.Add(e)
	}
}

// 100 of 5,000 events of 20 days appear after the collection had passed, wherever and however late: all arrive, and
// each alone.
func TestWhateverAppearsLateInTheRetentionArrives(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"handoff":   {},
		"no minute": {"reconcile_interval": "0"},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{"start_time": "-21d", "deep_reconcile_interval": "1h", "reconcile_interval": "6h"}
			for key, value := range settings {
				all[key] = value
			}
			inBubble(t, all, func(h *simHost) {
				random, begin := rand.New(rand.NewPCG(3, 4)), h.now()
				h.spread(5000, 20*day, 100, func() time.Time {
					return begin.Add(time.Hour + time.Duration(random.Int64N(int64(3*time.Hour))))
				})
				h.start()
				time.Sleep(30 * time.Minute)
				require.Len(t, h.arrived(), 4900)
				time.Sleep(2 * time.Hour)
				h.kill() // in the middle of a pass
				h.start()
				time.Sleep(10 * time.Hour)
				h.requireAll()
				h.requireCopies(300)
				t.Logf("%d found, %d copies", h.e.Stats().Reconciled, h.e.Stats().Copies)
				found := h.e.Stats().Reconciled
				time.Sleep(5 * time.Hour)
				require.Equal(t, found, h.e.Stats().Reconciled, "and nothing is found twice")
			})
		})
	}
}

// The hours say what was handed over, so that anybody can compare.
func TestHoursAreWhatWasHandedOver(t *testing.T) {
	settings := map[string]string{"start_time": "-3d", "reconcile_interval": "1h", "reconcile_window": "5h"}
	inBubble(t, settings, func(h *simHost) {
		h.spread(500, 2*day, 0, nil)
		h.start()
		time.Sleep(5 * time.Minute)
		for range 8 {
			h.liveFor(50)
			h.happenLate(2, 25*time.Minute)
			time.Sleep(10 * time.Minute)
			if h.now().Hour()%3 == 0 {
				h.kill()
				h.start()
			}
		}
		time.Sleep(3 * time.Hour)
		h.requireAll()
		want := make(map[int64]dedup.Digest)
		for _, e := range h.server.Events() {
			hour := dedup.HourOf(e.Time)
			want[hour] = want[hour].Plus(dedup.DigestOf(dedup.PublishedID([]byte(e.ID))))
		}
		h.shutdown()
		state, _, err := checkpoint.Read(h.settings["checkpoint_path"], checkpoint.Source{Endpoint: h.settings["endpoint"]})
		require.NoError(t, err)
		hours, err := dedup.LoadHours(state.Hours, state.Through)
		require.NoError(t, err)
		for hour, d := range want {
			require.Equal(t, d, hours.Of(hour), time.Unix(hour*3600, 0).UTC())
		}
	})
}

// An honest endpoint is hardly asked more: a pass over a month takes fewer requests than 2 % of the polls of the week
// that it lasts by default.
func TestDeepReconciliationCostsLittle(t *testing.T) {
	requests := make(map[string]int64)
	for _, interval := range []string{"0", "1d"} {
		settings := map[string]string{
			"start_time": "-30d", "poll_interval": "10m", "deep_reconcile_interval": interval,
		}
		inBubble(t, settings, func(h *simHost) {
			h.spread(3000, 30*day, 0, nil)
			h.start()
			h.happen(20)
			time.Sleep(day + time.Hour) // a pass, and the beginning of the next
			h.requireOnce()
			require.Zero(t, h.e.Stats().Reconciled)
			requests[interval] = h.e.Stats().Requests()
		})
	}
	more := requests["1d"] - requests["0"]
	require.Greater(t, more, int64(25), "it is read at all")
	require.LessOrEqual(t, float64(more), 0.02*7*24*60)
}
