package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On a terminal, how far a backfill is stays one line at the bottom, and whatever else is said stays lines.
func TestProgressIsOneLineOnATerminal(t *testing.T) {
	t.Parallel()
	const (
		head  = "[2026/11/28 14:00:00.1] [ info] [input:wherobots_audit:audit] "
		back  = "\r\033[K"
		first = "backfill: 10 %, at 2026-01-02T00:00:00Z, 100 events, 10 events/s, about 1m30s left"
		then  = "backfill: all is read up to 2026-01-11T00:00:00Z, 900 events; it ends when they are delivered"
		end   = "caught up at 2026-01-11T00:00:00Z: 900 events delivered in 30s with 4 requests, 30 events/s"
	)
	log := []string{
		head + "backfill: reads from A to B", head + first, "another line", head + then, head + end, "the last",
	}
	cmd := exec.Command(filepath.Join(root, "e2e", "renew.sh"))
	cmd.Stdin = strings.NewReader(strings.Join(log, "\n")) // without a line end: an engine that is killed
	cmd.Env = append(os.Environ(), "COLUMNS=51")
	output, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, log[0]+"\n"+first[:50]+back+"another line\n"+first[:50]+back+then[:50]+back+log[4]+"\nthe last\n",
		string(output))
}
