package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// countingSink is a destination over HTTP that counts how often each event arrives.
type countingSink struct {
	*httptest.Server

	mu      sync.Mutex
	arrived map[string]int
}

func newCountingSink(t *testing.T) *countingSink {
	s := &countingSink{arrived: make(map[string]int)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		records, _, _ := jsonLines(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, record := range records {
			if id, _ := record["event_id"].(string); !strings.HasPrefix(id, "status-") {
				s.arrived[id]++
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// once returns how many of the events arrived, all of them once.
func (s *countingSink) once(t *testing.T, events []exportertest.Event) (n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		require.LessOrEqual(t, s.arrived[e.ID], 1, "event %s of %s", e.ID, e.Time)
		n += s.arrived[e.ID]
	}
	require.Len(t, s.arrived, n, "events of no source")
	return n
}

// rendered runs `wherobots-audit render` and returns the files that it wrote.
func rendered(t *testing.T, args ...string) (files []string) {
	t.Helper()
	out := t.TempDir()
	command := filepath.Join(root, "build", "wherobots-audit")
	render := exec.Command(command, append([]string{"render", "--out", out}, args...)...)
	render.Dir = root
	text, err := render.CombinedOutput()
	require.NoError(t, err, "%s", text)
	files, err = filepath.Glob(filepath.Join(out, "*.yaml"))
	require.NoError(t, err)
	return files
}

// TestSlicesOfABackfill runs what the pods of the Indexed Job in docs/organisations.md run: each its own slice, with a
// state of its own, side by side. Each ends by itself with status 0, and together they deliver every event once.
func TestSlicesOfABackfill(t *testing.T) {
	t.Parallel()
	confEngine(t)
	now := time.Now().UTC().Truncate(time.Second)
	s := newSource(t, exportertest.Generate(5, 3000, now.Add(-80*24*time.Hour), now.Add(-time.Hour-time.Minute))...)
	sink := newCountingSink(t)
	// A slice that ends now would wait for its overlap.
	files := rendered(t, "-c", "conf/http.yaml", "--slices", "3", "--from=-90d", "--to=-1h")
	require.Len(t, files, 3)
	var pods []*process
	for _, file := range files {
		pods = append(pods, newConfRun(t, file, s.url, append(hostPort(t, "HTTP", sink.Server), "HTTP_TOKEN=t")...).start())
	}
	for n, pod := range pods {
		require.Zero(t, pod.code(time.Minute), "slice %d", n)
	}
	require.Equal(t, len(s.Events()), sink.once(t, s.Events()))
}

// TestShards runs each shard of a list in a Fluent Bit of its own: every organisation is collected, by one of them.
func TestShards(t *testing.T) {
	t.Parallel()
	confEngine(t)
	dir := t.TempDir()
	var list strings.Builder
	var events []exportertest.Event
	for n := range 6 {
		name := fmt.Sprint("org-", n)
		own := lastHour(20)
		for i := range own {
			own[i].ID = fmt.Sprint(name, "-", i)
		}
		events = append(events, own...)
		key := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(key, []byte(testKey), 0o600))
		fmt.Fprintf(&list, "- {name: %s, key_file: %s, endpoint: %q}\n", name, key, newSource(t, own...).url)
	}
	path := filepath.Join(dir, "organisations.yaml")
	require.NoError(t, os.WriteFile(path, []byte(list.String()), 0o600))
	sink := newCountingSink(t)
	files := rendered(t, "-c", "conf/http.yaml", "--shards", "2", path)
	require.Len(t, files, 2)
	var pods []*process
	for _, file := range files {
		c := newConfRun(t, file, "http://127.0.0.1:1", append(hostPort(t, "HTTP", sink.Server), "HTTP_TOKEN=t")...)
		pods = append(pods, c.start())
	}
	pods[0].until(time.Minute, "every event", func() bool { return sink.once(t, events) == len(events) })
	for _, pod := range pods {
		pod.stop()
	}
	require.Equal(t, len(events), sink.once(t, events))
}
