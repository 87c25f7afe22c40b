package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// `make run` without a key prints the simulated endpoint's events, nothing but a
// JSON record a line on stdout; Ctrl-C ends it within two seconds; typed again,
// it goes on. What was handed over in the last second is repeated unless it could
// be proven to be stored or delivered before the engine ended, and no more than
// that. It measures time, so nothing runs beside it.
func TestMakeRun(t *testing.T) {
	onEachHost(t, func(t *testing.T, h host) {
		state := t.TempDir()
		times := map[string]int{}
		for round := range 3 {
			began := time.Now()
			run := startRun(t, h, state)
			want := 1
			if round == 0 {
				want = 500 // the past
			}
			run.until(60*time.Second, "records", func() bool { return bytes.Count(run.stdout(), []byte("\n")) >= want })
			if round == 0 { // it is committed when that is said, a second or so later
				run.until(30*time.Second, "the end of the backfill", run.logged("caught up at"))
			}
			t.Logf("%d records after %s", want, time.Since(began).Round(100*time.Millisecond))
			run.interrupt()
			for line := range bytes.Lines(run.stdout()) {
				var fields map[string]any
				require.NoError(t, json.Unmarshal(line, &fields), "stdout: %s", line)
				id, _ := fields["event_id"].(string)
				times[id]++
			}
		}
		repeated := 0
		for id, n := range times {
			assert.LessOrEqual(t, n, 2, "event %s", id)
			repeated += n - 1
		}
		assert.Less(t, repeated, 100, "of %d events: those of the last seconds, and not the past", len(times))
	})
}

// An endpoint needs a key: it is said, nothing is started.
func TestMakeRunWithoutKeyForEndpoint(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(filepath.Join(root, "e2e", "run.sh"))
	cmd.Env = append(withoutKey(os.Environ()), "STATE="+t.TempDir(), "ENDPOINT=http://127.0.0.1:1", "API_KEY=")
	output, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "ENDPOINT needs a key: API_KEY=… make run ENDPOINT=http://127.0.0.1:1")
}

// running is a `make run` with its stdout in a file.
type running struct {
	*process
	out string
}

func startRun(t *testing.T, h host, state string) running {
	t.Helper()
	r := &rig{host: h, dir: t.TempDir()}
	out, err := os.Create(r.path("stdout"))
	require.NoError(t, err)
	defer out.Close()
	log, err := os.Create(r.path("log"))
	require.NoError(t, err)
	defer log.Close()
	cmd := exec.Command(filepath.Join(root, "e2e", "run.sh"))
	cmd.Env = append(withoutKey(os.Environ()), "STATE="+state, "ENDPOINT=", "API_KEY=", "FLUENT_BIT="+enginePath(h))
	cmd.Stdout, cmd.Stderr = out, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return running{launch(t, r, cmd), out.Name()}
}

// enginePath is what FLUENT_BIT must be for run.sh to take this host; "none" is
// no engine.
func enginePath(h host) string {
	if e, real := h.(engine); real {
		return e.path
	}
	return "none"
}

func (r running) stdout() []byte {
	text, err := os.ReadFile(r.out)
	require.NoError(r.t, err)
	return text
}

// interrupt does what Ctrl-C does: SIGINT for the whole group.
func (r running) interrupt() {
	r.t.Helper()
	began := time.Now()
	require.NoError(r.t, syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT))
	r.wait(5 * time.Second)
	assert.Less(r.t, time.Since(began), 2*time.Second, "from Ctrl-C to the end")
	assert.Zero(r.t, r.cmd.ProcessState.ExitCode(), "make would call it an error")
}
