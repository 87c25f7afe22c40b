package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const (
	fleetSize   = 50
	fleetEvents = 20 // of each organisation
)

// fleet writes a list of organisations, each with an endpoint and a key of its own. The first is refused for ever, the
// second is answered after a minute.
func fleet(t *testing.T, dir string) (list string, ids map[string]bool) {
	t.Helper()
	var text strings.Builder
	ids = make(map[string]bool)
	for i := range fleetSize {
		name := fmt.Sprintf("org-%02d", i)
		events := lastHour(fleetEvents)
		for j := range events {
			events[j].ID = fmt.Sprintf("%s-%d", name, j)
			if i > 1 {
				ids[events[j].ID] = true
			}
		}
		s := newSource(t, events...)
		key := testKey
		switch i {
		case 0:
			key = "wrong"
		case 1:
			s.SetAnswers(func(a *exportertest.Answers) { a.Latency = time.Minute })
		}
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(key), 0o600))
		fmt.Fprintf(&text, "- {name: %s, key_file: %s, endpoint: %q}\n", name, file, s.url)
	}
	list = filepath.Join(dir, "organisations.yaml")
	require.NoError(t, os.WriteFile(list, []byte(text.String()), 0o600))
	return list, ids
}

// TestFiftyOrganisations runs one Fluent Bit with fifty inputs, rendered from a list. One is refused for ever and one
// waits for its endpoint: the others do not notice.
func TestFiftyOrganisations(t *testing.T) {
	dir := t.TempDir()
	list, ids := fleet(t, dir)
	var mu sync.Mutex
	arrived := make(map[string]bool)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		records, _, _ := jsonLines(r)
		mu.Lock()
		defer mu.Unlock()
		for _, record := range records {
			id, _ := record["event_id"].(string)
			arrived[id] = true
		}
	}))
	t.Cleanup(sink.Close)
	render := exec.Command("go", "run", "./cmd/wherobots-audit", "render", "-c", "conf/http.yaml", list)
	render.Dir = root
	text, err := render.Output()
	require.NoError(t, err)
	path := filepath.Join(dir, "fluent-bit.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	c := newConfRun(t, path, "http://127.0.0.1:1", append(hostPort(t, "HTTP", sink), "HTTP_TOKEN=t")...)
	p := c.start()
	begun := time.Now()
	p.until(c.patience, "events of all that are well", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for id := range ids {
			if !arrived[id] {
				return false
			}
		}
		return true
	})
	took := time.Since(begun)
	p.until(c.patience, "their checkpoints", func() bool {
		saved, _ := filepath.Glob(filepath.Join(c.state(), "org-*.json"))
		return len(saved) >= fleetSize-2
	})
	before, rss := processorTime(t, p.cmd.Process.Pid), residentKiB(t, p.cmd.Process.Pid)
	time.Sleep(10 * time.Second)
	idle := processorTime(t, p.cmd.Process.Pid) - before
	t.Logf("%d organisations: all events after %v, %d KiB resident, %v processor time in 10 s", fleetSize, took, rss, idle)
	p.stop()
	require.Less(t, took, 50*time.Second, "the slow one held the others up")
}

// processorTime is what a process has used, in ticks of 10 ms (proc(5)).
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		require.NoError(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func residentKiB(t *testing.T, pid int) (kib int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "VmRSS:")
	require.True(t, found)
	_, err = fmt.Sscanf(after, "%d", &kib)
	require.NoError(t, err)
	return kib
}
