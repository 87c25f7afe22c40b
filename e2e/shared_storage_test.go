package e2e

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A second Fluent Bit with the same storage would take the first one's events for its own backlog and deliver them to
// its own destination. It does not start, and they are still there when the first one's destination takes them. (The
// bundled host has no backlog.)
func TestASecondFluentBitTakesNothingFromTheFirst(t *testing.T) {
	t.Parallel()
	if len(hosts) == 1 || old(hosts[1]) {
		t.Skip("there is no Fluent Bit from 4.1 on")
	}
	s, first := proofRig(t, hosts[1], "handoff", true)
	first.outputs = []output{{name: "siem", match: "*", refuses: true}}
	p := first.start(t)
	p.until(time.Minute, "a checkpoint that has passed them", func() bool { return stored(t, first) })

	second := *first
	second.inputs = []map[string]string{maps.Clone(first.inputs[0])}
	second.set("checkpoint_path", first.path("second.json"), "start_time", "now")
	second.listen(t)
	second.outputs = []output{{name: "siem", match: "*"}}
	require.NotZero(t, second.start(t).code(40*time.Second))
	require.Contains(t, first.log(t), fmt.Sprintf("is used by process %d", p.cmd.Process.Pid))
	require.Empty(t, first.records(t, 1000))
	require.True(t, stored(t, first), "its events are still there")
	p.kill()
	recovers(t, s, first)
}

// stored reports whether all events wait in chunk files, and the collection has caught up.
func stored(t *testing.T, r *rig) bool {
	content := 0
	for _, length := range r.chunkFiles(t) {
		content += max(length, 0)
	}
	return content > 5000 && (&process{t: t, rig: r}).logged("caught up at")()
}
