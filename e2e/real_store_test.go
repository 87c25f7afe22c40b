package e2e

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Tests of real stores are named TestReal…: `make siem` runs them, `make e2e` does not.

// store starts one for a test, or skips the test where this machine cannot have it.
func store[S interface{ Stop() }](t *testing.T, start func(dir string) (S, error)) S {
	t.Helper()
	s, err := start(t.TempDir())
	if errors.Is(err, siem.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func startVictoriaLogs(dir string) (*siem.VictoriaLogs, error) {
	return siem.StartVictoriaLogs(dir, "")
}

// at are the variables that point a destination's host, port and TLS at a store.
func at(prefix string, s *siem.Server) []string {
	return []string{prefix + "_HOST=" + s.Host(), prefix + "_PORT=" + s.Port(), prefix + "_TLS=off"}
}

// realRun is a run with a real store, which may take its time on a busy machine.
func realRun(t *testing.T, file string, events []exportertest.Event, env ...string) *confRun {
	t.Helper()
	c := newConfRun(t, file, newSource(t, events...).url, env...)
	c.patience = 4 * time.Minute
	return c
}

// killWhen runs the engine until something has happened, and kills it.
func (c *confRun) killWhen(what string, condition func() bool) {
	c.t.Helper()
	p := c.start()
	p.until(c.patience, what, condition)
	p.kill()
}

// caughtUp reports whether the run that starts now has committed everything up to the present.
func (c *confRun) caughtUp() func() bool {
	before := len(c.rig.log(c.t))
	return func() bool { return strings.Contains(c.rig.log(c.t)[before:], "caught up at") }
}

// loseDisk takes away checkpoint and storage: the next run sends everything again.
func (c *confRun) loseDisk() {
	c.t.Helper()
	require.NoError(c.t, os.RemoveAll(c.state()))
}

// lastDay returns n events of the last 26 hours but one, which `-30h` as start_time includes.
func lastDay(n int) []exportertest.Event {
	now := time.Now().UTC().Truncate(time.Second)
	return exportertest.Generate(4, n, now.Add(-26*time.Hour), now.Add(-time.Hour))
}

const fromLastDay = "WHEROBOTS_START_TIME=-30h"

// closedHours is how many hours with events are over and told of: the last one is too young.
func closedHours(events []exportertest.Event) int {
	hours := map[time.Time]bool{}
	for _, e := range events {
		if hour := e.Time.Truncate(time.Hour); time.Since(hour) > 75*time.Minute {
			hours[hour] = true
		}
	}
	return len(hours)
}

// printed is what the bundled host delivers of all events, one line a record, and so many hours told of: what reaches a
// store on a machine without an engine, sent by the test.
func printed(t *testing.T, events []exportertest.Event, hours int, settings ...string) [][]byte {
	t.Helper()
	r := newRig(t, hosts[0], newSource(t, events...).url)
	r.set(settings...)
	p := r.start(t)
	var lines [][]byte
	p.until(4*time.Minute, "all events", func() bool {
		text, err := os.ReadFile(r.path("out"))
		if err != nil || len(text) == 0 || text[len(text)-1] != '\n' {
			return false
		}
		lines = slices.Collect(func(yield func([]byte) bool) {
			for line := range strings.Lines(string(text)) {
				if !yield([]byte(line)) {
					return
				}
			}
		})
		return len(lines) >= len(events) && strings.Count(string(text), "status-hour-") >= hours
	})
	p.stop()
	return lines
}

// stamped gives a record that the bundled host printed the field of its time.
func stamped(t *testing.T, line []byte, name string) (record map[string]any, stamp []byte) {
	t.Helper()
	r, err := bundled{}.parse(line)
	require.NoError(t, err)
	r.fields[name] = r.time.Format(time.RFC3339Nano)
	text, err := json.Marshal(r.fields)
	require.NoError(t, err)
	return r.fields, text
}

// documented is the first code block behind a heading or title in a document.
func documented(t *testing.T, path, title string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	block := regexp.MustCompile(`(?s)` + regexp.QuoteMeta(title) + ".*?\n```\\w*\n(.*?)\n```").FindSubmatch(text)
	require.NotNil(t, block, "%s: no code behind %q", path, title)
	return string(block[1])
}

func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}
