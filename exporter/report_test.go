package exporter

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Of a backfill the log says every ten seconds how far it is, and at once that it is over.
func TestABackfillSaysHowFarItIs(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-90d"}, func(h *simHost) {
		h.server.Add(exportertest.Generate(1, 500, h.now().Add(-89*day), h.now().Add(-time.Minute))...)
		h.slowly(4 * time.Second) // eight answers, and halves of the two largest
		h.start()
		time.Sleep(time.Minute)
		log := h.logged()
		require.Equal(t, 1, strings.Count(log, "backfill: reads from "), log)
		require.Equal(t, 1, strings.Count(log, "backfill: will take about "), log)
		require.Equal(t, 4, strings.Count(log, " events/s, "), log)
		require.Regexp(t, `caught up at \S+: 500 events handed over in (44|45|46)s with 11 requests, 11 events/s`, log)
		time.Sleep(time.Hour)
		require.Equal(t, 1, strings.Count(h.logged(), "caught up at "), "once")
	})
}

// Caught up means delivered where that is what counts.
func TestCaughtUpMeansDelivered(t *testing.T) {
	inDelivery(t, map[string]string{"start_time": "-9d"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = time.Minute })
		h.server.Add(exportertest.Generate(1, 200, h.now().Add(-9*day), h.now())...)
		h.start()
		time.Sleep(40 * time.Second)
		require.Contains(t, h.logged(), "it ends when they are delivered")
		require.NotContains(t, h.logged(), "caught up at")
		for range 600 {
			time.Sleep(time.Second)
			if strings.Contains(h.logged(), "caught up at") {
				break
			}
		}
		require.Contains(t, h.logged(), "200 events delivered in ")
		h.requireAll()
	})
}

// What has to be read again belongs to the backfill: it goes on, and says so.
func TestABackfillThatIsFetchedAgainGoesOn(t *testing.T) {
	inDelivery(t, map[string]string{"start_time": "-9d"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency, s.drop = time.Minute, 1 })
		h.server.Add(exportertest.Generate(1, 200, h.now().Add(-8*day), h.now())...)
		h.slowly(8 * time.Second)
		h.start()
		time.Sleep(5 * time.Minute)
		_, after, found := strings.Cut(h.logged(), "fetches again everything after")
		require.True(t, found, h.logged())
		require.Contains(t, after, " %, at ", "it reads")
		require.Equal(t, 1, strings.Count(after, "caught up at "), after)
		require.Equal(t, 1, strings.Count(h.logged(), "backfill: reads from"), "it is the same one")
		h.requireAll()
	})
}

// slowly makes every answer of the export take so long.
func (h *simHost) slowly(d time.Duration) {
	h.wrap = func(next http.RoundTripper) http.RoundTripper {
		return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == exportertest.Path {
				time.Sleep(d)
			}
			return next.RoundTrip(r)
		})
	}
}

// However windows, overlap and pauses are set, and however slow the endpoint is: a backfill is told of
// every ten seconds at most, and ordinary polls are none. That it caught up is said once at each start, and
// at the end of a backfill.
func TestProgressIsTerse(t *testing.T) {
	at := func(d time.Duration) string { // seen from when a bubble's test begins
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(10*365*day + d).Format(time.RFC3339)
	}
	for name, c := range map[string]struct {
		settings        map[string]string
		answer, run     time.Duration
		begun, caughtUp int // lines
	}{
		"a backfill that takes long": {
			map[string]string{"start_time": "-10d", "max_window": "6h"},
			10 * time.Second,
			5 * time.Minute, 1, 0,
		},
		"an end in the near future": {
			map[string]string{"end_time": at(5 * time.Minute), "overlap": "1h", "max_window": "1m", "poll_interval": "30s"},
			0, 8 * time.Minute, 0, 1,
		},
		"an end in the past": {
			map[string]string{"end_time": at(-30 * time.Minute), "overlap": "30m", "max_window": "1m", "poll_interval": "10s"},
			0, 20 * time.Minute, 0, 1,
		},
		"overlaps that take long": {
			map[string]string{"start_time": "-30m", "max_window": "1m", "poll_interval": "10s"},
			10 * time.Second, 30 * time.Minute, 1, 1,
		},
		// After the first sweep, of a minute, the second is so much behind.
		"windows shorter than poll_interval": {
			map[string]string{"start_time": "-10m", "overlap": "20s", "max_window": "1s", "poll_interval": "3s"},
			100 * time.Millisecond, 4 * time.Minute, 2, 2,
		},
		"a long poll_interval": {
			map[string]string{"start_time": "-9d", "max_window": "1h", "poll_interval": "24h"},
			time.Second, 50 * time.Hour, 1, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, c.settings, func(h *simHost) {
				h.slowly(c.answer)
				h.start()
				time.Sleep(c.run)
				log := h.logged()
				require.Equal(t, c.begun, strings.Count(log, "backfill: reads from "), log)
				require.Equal(t, c.caughtUp, strings.Count(log, "caught up at "), log)
				require.LessOrEqual(t, strings.Count(log, "backfill: "), c.begun*(int(c.run/(10*time.Second))+2), log)
			})
		})
	}
}
