package exporter

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Of a backfill the log says now and then how far it is, and at once that it is over.
func TestABackfillSaysHowFarItIs(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-90d"}, func(h *simHost) {
		h.start()
		time.Sleep(20 * time.Second)
		log := h.logged()
		require.Equal(t, 1, strings.Count(log, "backfill: at "), log)
		require.Equal(t, 1, strings.Count(log, "caught up at "), log)
		time.Sleep(time.Hour)
		require.Equal(t, 1, strings.Count(h.logged(), "caught up at "), "once")
	})
}

func TestASlowBackfillSaysHowFarItIsEveryHalfMinute(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-10d", "max_window": "6h"}, func(h *simHost) {
		h.wrap = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				time.Sleep(10 * time.Second)
				return next.RoundTrip(r)
			})
		}
		h.start()
		time.Sleep(5 * time.Minute)
		require.InDelta(t, 10, strings.Count(h.logged(), "backfill: at "), 3)
		require.NotContains(t, h.logged(), "caught up at ")
	})
}
