package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A longer overlap than that of the last run makes nothing come or count twice: what it reads again was handed over by
// a run that did not remember it. What is late there is found by reconciliation.
func TestALongerOverlapThanBeforeCountsNothingTwice(t *testing.T) {
	settings := map[string]string{
		"start_time": "-1d", "status_events": "on", "overlap": "2m", "reconcile_interval": "1h", "reconcile_window": "6h",
	}
	for _, end := range []func(*simHost){(*simHost).shutdown, (*simHost).kill} {
		inBubble(t, settings, func(h *simHost) {
			h.start()
			h.liveFor(70)
			for _, overlap := range []string{"20m", "1h", "10m", "90m"} {
				end(h)
				h.settings["overlap"] = overlap
				h.happenLate(2, 15*time.Minute)
				h.start()
				time.Sleep(10 * time.Second)
				end(h)
				h.start() // before what was not known is behind
				h.liveFor(20)
			}
			h.liveFor(100)
			time.Sleep(4 * time.Hour)
			h.requireAll()
			h.requireEachOnce()
			said, _ := h.lastHours()
			for hour, want := range h.indexedHours() {
				require.Equal(t, want, said[hour], "hour %s", time.Unix(hour*3600, 0).UTC())
			}
		})
	}
}
