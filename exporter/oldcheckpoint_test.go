package exporter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// testdata/checkpoint-1.json was written before the rooms were made, after 120 events, at
// 2009-12-29T00:10:01Z. A file of before must mean now what it meant then: identities, digests of minutes and
// all.
func TestACheckpointOfBeforeGoesOn(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "checkpoint-1.json"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	require.NoError(t, os.WriteFile(path, old, 0o600))

	file, err := checkpoint.Open(path, checkpoint.Source{Endpoint: "https://api.example.test"})
	require.NoError(t, err)
	state, found := file.State()
	require.True(t, found)
	require.NoError(t, file.Close())
	require.Equal(t, time.Date(2009, 12, 29, 0, 10, 0, 0, time.UTC), state.Through)
	require.Equal(t, time.Date(2009, 12, 28, 22, 0, 0, 0, time.UTC), state.From)
	require.Equal(t, time.Date(2009, 12, 29, 0, 1, 0, 0, time.UTC), state.Reconciled)
	require.Len(t, state.Columns, 12)
	require.Zero(t, state.Unsure)

	settings := map[string]string{
		"checkpoint_path": path, "overlap": "30m", "start_time": "-2h", "reconcile_interval": "1h",
	}
	inBubble(t, settings, func(h *simHost) {
		begin := time.Now().Add(-90 * time.Minute)
		for i := range 120 {
			h.server.Add(exportertest.Event{
				ID: fmt.Sprintf("event-%03d", i), Time: begin.Add(time.Duration(i) * 45 * time.Second),
				Action: "login", UserName: "ada@example.com",
			})
		}
		time.Sleep(10*time.Minute + 30*time.Second)
		h.server.Add(exportertest.Event{ID: "new", Time: time.Now(), Action: "login"})
		h.start()
		time.Sleep(5 * time.Hour)
		require.Equal(t, map[string]int{"new": 1}, h.arrived(), "all others are in the checkpoint:\n%s", h.logged())
	})
}
