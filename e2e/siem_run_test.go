package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// firstWithDefaults is the first engine that knows ${NAME:-default}, which the shipped configurations use.
var firstWithDefaults = [3]int{5, 0, 6}

// confEngine returns the real engine, for the tests of what only it can read.
func confEngine(t *testing.T) string {
	t.Helper()
	path, version := findEngine()
	if path == "" {
		t.Skip("no Fluent Bit on the PATH, and FLUENT_BIT names none")
	}
	var v [3]int
	_, err := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2])
	require.NoError(t, err, "version %q", version)
	for i, part := range firstWithDefaults {
		if v[i] > part {
			break
		}
		if v[i] < part {
			t.Skipf("Fluent Bit %s does not know ${NAME:-default}", version)
		}
	}
	return path
}

// confRun runs the real engine with a shipped configuration, unchanged, from the root of the repository. What
// differs from production comes in through the environment that the file documents.
type confRun struct {
	t        *testing.T
	file     string // below conf/
	rig      *rig
	env      []string
	patience time.Duration // with the destination
}

// newConfRun points the configuration at a source, a state directory and a port of the test's own.
func newConfRun(t *testing.T, file, endpoint string, env ...string) *confRun {
	t.Helper()
	r := &rig{host: engine{confEngine(t)}, dir: t.TempDir(), port: freePort(t)}
	c := &confRun{t: t, file: file, rig: r, patience: time.Minute}
	c.env = append(withoutKey(os.Environ()),
		"WHEROBOTS_API_KEY="+testKey,
		"WHEROBOTS_ENDPOINT="+endpoint,
		"WHEROBOTS_START_TIME=-2h",
		"WHEROBOTS_STATE_DIR="+c.state(),
		"FLUENT_BIT_HTTP_PORT="+strconv.Itoa(r.port),
		"FLUENT_BIT_RETRY_CAP=3")
	c.env = append(c.env, env...)
	return c
}

// state is made by the engine, with storage.path below it.
func (c *confRun) state() string { return c.rig.path("state") }

func (c *confRun) checkpoint() string { return filepath.Join(c.state(), "wherobots_audit.json") }

func (c *confRun) command(args ...string) *exec.Cmd {
	path := c.file
	if !filepath.IsAbs(path) {
		path = filepath.Join("conf", path)
	}
	cmd := exec.Command(enginePath(c.rig.host), append([]string{"-c", path}, args...)...)
	cmd.Dir, cmd.Env = root, c.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (c *confRun) start() *process {
	c.t.Helper()
	log, err := os.OpenFile(c.rig.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(c.t, err)
	defer log.Close()
	cmd := c.command()
	cmd.Stdout, cmd.Stderr = log, log
	return launch(c.t, c.rig, cmd)
}

// deliverAll runs the engine until the checkpoint has come to the present, which with commit_on delivery is
// when every output is rid of every chunk, and stops it.
func (c *confRun) deliverAll() {
	c.t.Helper()
	begun := time.Now().Truncate(time.Second)
	p := c.start()
	p.until(c.patience, "checkpoint at the present", func() bool { return !c.through().Before(begun) })
	p.stop()
	chunks, err := filepath.Glob(filepath.Join(c.state(), "storage", "*", "*.flb"))
	require.NoError(c.t, err)
	require.Empty(c.t, chunks, "chunks that no output took")
}

// through is up to when the checkpoint says that everything is safe; zero without one.
func (c *confRun) through() time.Time {
	c.t.Helper()
	text, err := os.ReadFile(c.checkpoint())
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}
	}
	require.NoError(c.t, err)
	var file struct{ Through string }
	require.NoError(c.t, json.Unmarshal(text, &file))
	through, err := time.Parse(time.RFC3339Nano, file.Through)
	if err != nil {
		return time.Time{} // nothing yet
	}
	return through
}

// crashOnce runs the engine until a condition holds, and kills it. The checkpoint is not there yet: with
// commit_on delivery it comes seconds after the delivery, so the next run sends everything again.
func (c *confRun) crashOnce(what string, condition func() bool) {
	c.t.Helper()
	p := c.start()
	p.until(c.patience, what, condition)
	p.kill()
	require.True(
		c.t, c.through().IsZero() || c.through().Before(time.Now().Add(-time.Hour)),
		"killed too late to send anything again",
	)
}

// lastHour returns n events of the last hour, which start_time in newConfRun includes.
func lastHour(n int) []exportertest.Event {
	now := time.Now().UTC().Truncate(time.Second)
	return exportertest.Generate(3, n, now.Add(-time.Hour), now.Add(-time.Minute))
}

// hostPort are the variables that point a destination's host, port and TLS at a server of the test's.
func hostPort(t *testing.T, prefix string, server *httptest.Server) []string {
	t.Helper()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(u.Host)
	require.NoError(t, err)
	return []string{prefix + "_HOST=" + host, prefix + "_PORT=" + port, prefix + "_TLS=off"}
}

// eventIDs is what must arrive.
func eventIDs(events []exportertest.Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

// auditIDs leaves out the plugin's own status events.
func auditIDs[T any](stored map[string]T) []string {
	var ids []string
	for id := range stored {
		if !strings.HasPrefix(id, "status-") {
			ids = append(ids, id)
		}
	}
	return ids
}

// pastEventWithEverything has a value in every column.
func pastEventWithEverything() exportertest.Event {
	return exportertest.Event{
		ID: "id", Action: "action", UserID: "user", UserName: "name", UserAgent: "agent", SourceIP: "192.0.2.1",
		ResourceName: "resource",
		ResourceID:   "resource-id", ComputeRegion: "region", ClientChain: "chain", SourceClient: "client",
	}
}

// sideBySide runs subtests at the same time, however few processors there are: these wait most of the time.
func sideBySide[T any](t *testing.T, cases map[string]T, test func(*testing.T, T)) {
	t.Helper()
	t.Parallel()
	var running sync.WaitGroup
	for name, c := range cases {
		running.Go(func() { t.Run(name, func(t *testing.T) { test(t, c) }) })
	}
	running.Wait()
}
