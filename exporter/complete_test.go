package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// Complete means committed: read is not enough.
func TestCompleteMeansCommitted(t *testing.T) {
	end := time.Date(2009, 12, 28, 23, 50, 0, 0, time.UTC).Format(time.RFC3339)
	inDelivery(t, map[string]string{"end_time": end, "overlap": "1m"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = 20 * time.Minute })
		h.server.Add(exportertest.Generate(1, 5, h.now().Add(-40*time.Minute), h.now().Add(-20*time.Minute))...)
		h.start()
		time.Sleep(10 * time.Minute)
		require.NotContains(t, h.logged(), "is complete")
		time.Sleep(time.Hour)
		require.Contains(t, h.logged(), "is complete", "the output delivers at last")
		require.Less(t, len(h.exports()), 100, "nothing is asked for in vain")
	})
}

// Each outage of the key that lasts for five minutes is told, whenever the polls fall.
func TestTwoRefusalsOfFiveMinutesAreTold(t *testing.T) {
	for offset := range 6 {
		inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
			h.start()
			h.liveWith(2)
			time.Sleep(time.Duration(offset) * 10 * time.Second)
			for range 2 {
				h.server.SetCredentials("another key", "")
				time.Sleep(5*time.Minute + 20*time.Second)
				h.server.SetCredentials("key", "")
				time.Sleep(12 * time.Minute)
			}
			require.Equal(t, 2, h.statuses(schema.Raw)[schema.StatusRefused], h.logged())
			require.Equal(t, 2, h.statuses(schema.Raw)[schema.StatusRefusedOver])
		})
	}
}
