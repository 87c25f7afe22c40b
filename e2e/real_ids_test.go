package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// october is the stretch of the queries in docs/proof.md, here replaced by the last two days.
var october = strings.NewReplacer(
	"2026-10-01T00:00:00Z", time.Now().UTC().Add(-48*time.Hour).Format(time.RFC3339),
	"2026-11-01T00:00:00Z", time.Now().UTC().Add(time.Hour).Format(time.RFC3339),
	"2026-10-01Z", time.Now().UTC().Add(-48*time.Hour).Format(time.RFC3339),
	"2026-11-01Z", time.Now().UTC().Add(time.Hour).Format(time.RFC3339),
)

// proven takes events out of a store by the documented query, and has wherobots-audit find what the store lacks: the
// last three. store gets the others as JSON lines in a shape, and says which address stands for the documented one.
func proven(
	t *testing.T, title, ids, shape string, store func(t *testing.T, lines [][]byte) (documented, address string),
) {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	events := lastDay(12_500) // more than a page
	s := newSource(t, events...)
	file := filepath.Join(t.TempDir(), "missing.jsonl")
	text := mustCommand(t, "export", "--endpoint", s.url, "--from", "-2d", "--schema", shape, "--time-key", "@timestamp")
	lines := bytes.Split(bytes.TrimSpace([]byte(text)), []byte("\n"))
	for len(lines[len(lines)-1]) > 0 && lines[len(lines)-1][0] != '{' { // what is said of the end
		lines = lines[:len(lines)-1]
	}
	require.Len(t, lines, len(events))
	documentedAddress, address := store(t, lines[:len(lines)-3])

	script := october.Replace(documented(t, "docs/proof.md", title))
	script = strings.ReplaceAll(script, documentedAddress, address)
	script = strings.ReplaceAll(script, "-K elastic.curlrc ", "")
	run := exec.Command("bash", "-euo", "pipefail", "-c", script)
	run.Dir = t.TempDir()
	out, err := run.CombinedOutput()
	require.NoError(t, err, string(out))

	report, err := command(t, "verify", "--endpoint", s.url, "--from", "-2d", "--to", "-20m",
		"--ids", filepath.Join(run.Dir, ids), "--emit", file, "--schema", shape)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, report)
	require.Equal(t, 4, exit.ExitCode(), report)
	assert.Contains(t, report, fmt.Sprintf("%d event_ids; missing 3 (exported, not in the list), extra 0", len(events)-3))
	missing, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Len(t, bytes.Split(bytes.TrimSpace(missing), []byte("\n")), 3)
}

// The documented queries of ids, run against real stores that lack three events.
func TestRealIDsOfVictoriaLogs(t *testing.T) {
	v := store(t, startVictoriaLogs)
	proven(t, "**VictoriaLogs** (`raw`)", "ids.jsonl", "raw", func(t *testing.T, lines [][]byte) (string, string) {
		insert := query("_time_field", "@timestamp", "_msg_field", "action_name")
		require.NoError(t, v.Insert(insert, bytes.Join(lines, []byte("\n"))))
		require.NoError(t, v.Flush())
		return "http://victorialogs:9428", v.URL()
	})
}

func TestRealIDsOfOpenSearch(t *testing.T) {
	provenByScroll(t, store(t, startOpenSearch))
}

func provenByScroll(t *testing.T, o *siem.OpenSearch) {
	t.Helper()
	proven(t, "**Elasticsearch, OpenSearch**", "ids.txt", "ecs", func(t *testing.T, lines [][]byte) (string, string) {
		var bulk bytes.Buffer
		for _, line := range lines {
			var record struct {
				Event struct {
					ID string `json:"id"`
				} `json:"event"`
			}
			require.NoError(t, json.Unmarshal(line, &record))
			fmt.Fprintf(&bulk, "{\"create\":{\"_id\":%q}}\n%s\n", record.Event.ID, line)
		}
		require.NoError(t, o.Do("POST", "/wherobots-audit-2026/_bulk?refresh=true", bulk.Bytes(), nil))
		return "https://elastic:9200", o.URL()
	})
}
