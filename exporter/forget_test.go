package exporter

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// What was committed before a save that failed is known afterwards: it may be read again.
func TestAFailedSaveForgetsNothing(t *testing.T) {
	inBubble(t, map[string]string{"poll_interval": "5m"}, func(h *simHost) {
		h.start()
		for i := range 60 * 60 * 5 {
			h.server.Add(exportertest.Event{ID: "event-" + strconv.Itoa(i), Time: h.now(), Action: "login"})
			time.Sleep(200 * time.Millisecond)
		}
		before := h.arrived()
		dir := h.settings["checkpoint_path"]
		dir = dir[:strings.LastIndexByte(dir, '/')]
		require.NoError(t, os.Rename(dir, dir+".away"))
		time.Sleep(10 * time.Minute)
		require.Contains(t, h.logged(), "cannot be saved")
		require.NoError(t, os.Rename(dir+".away", dir))
		time.Sleep(15 * time.Minute)
		again := 0
		for id, n := range h.arrived() {
			if before[id] > 0 && n > before[id] {
				again++
			}
		}
		require.Zero(t, again, "events that were committed before the failure, handed over again")
	})
}
