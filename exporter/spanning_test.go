package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A backfill of many windows with few events does not take a collect call for each: a batch goes on over
// windows while the engine is busy with the one before.
func TestABatchGoesOnOverWindows(t *testing.T) {
	for _, commitOn := range []string{"handoff", "delivery"} {
		inModernDelivery(t, map[string]string{"start_time": "-88d", "commit_on": commitOn}, func(h *simHost, s *simEngine) {
			h.server.Add(exportertest.Generate(1, 2000, h.now().Add(-88*day), h.now())...)
			h.start()
			time.Sleep(15 * time.Second)
			h.requireAll()
			time.Sleep(time.Minute)
			require.Less(t, h.e.Stats().LagSeconds, 70.)
			h.requireOnce()
		})
	}
}

// A window's rows wait in the batch, and the checkpoint waits for them: whenever the engine is killed,
// nothing is lost.
func TestABatchThatGoesOnOverWindowsSurvivesKills(t *testing.T) {
	settings := map[string]string{"start_time": "-88d", "max_window": "1h", "batch_bytes": "64K"}
	inBubble(t, settings, func(h *simHost) {
		h.server.Add(exportertest.Generate(1, 2000, h.now().Add(-88*day), h.now())...)
		for i := range 20 {
			h.start()
			time.Sleep(time.Duration(i) * 170 * time.Millisecond)
			h.kill()
		}
		h.start()
		time.Sleep(2 * time.Minute)
		h.requireAll()
	})
}
