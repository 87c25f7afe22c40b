package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// With exit_when_complete the host ends by itself, with status 0, when the stretch is delivered: as the container of a
// Job must. Started again it ends again, and sends nothing twice.
func TestAJobEndsByItself(t *testing.T) {
	t.Parallel()
	for _, commitOn := range []string{"handoff", "delivery"} {
		t.Run(commitOn, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s := newSource(t, past(100)...)
				r := newRig(t, h, s.url)
				r.port = freePort(t)
				r.set("exit_when_complete", "on", "end_time", time.Now().UTC().Format(time.RFC3339), "commit_on", commitOn,
					"engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
				p := r.start(t)
				require.Zero(t, p.code(60*time.Second))
				require.True(t, p.logged("is complete; Fluent Bit ends (exit_when_complete)")())
				requireEach(t, s.Events(), r.records(t, 0))
				for file, length := range r.chunkFiles(t) {
					require.Zero(t, length, "%s waits for its delivery", file)
				}

				p = r.start(t)
				require.Zero(t, p.code(60*time.Second))
				requireEach(t, s.Events(), r.records(t, 0))
			})
		})
	}
}

// Two inputs end the host when both are complete; one without end_time keeps it.
func TestAJobOfSeveralInputs(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(50)...)
		middle := time.Now().UTC().Add(-3 * time.Hour).Format(time.RFC3339)
		r := newRig(t, h, s.url)
		r.port = freePort(t)
		api := "http://127.0.0.1:" + strconv.Itoa(r.port)
		r.set("exit_when_complete", "on", "end_time", middle, "engine_url", api, "engine_input", "audit")
		r.add("second", map[string]string{
			"endpoint": s.url, "api_key": testKey, "start_time": middle, "engine_url": api, "engine_input": "second",
		})
		p := r.start(t)
		p.until(60*time.Second, "the line", p.logged("exit_when_complete does nothing: the input with checkpoint_path "))
		p.until(20*time.Second, "the events", func() bool { return r.lines(t) >= 50 })
		p.stop()

		r.inputs[1]["end_time"] = time.Now().UTC().Format(time.RFC3339)
		p = r.start(t)
		require.Zero(t, p.code(60*time.Second))
	})
}
