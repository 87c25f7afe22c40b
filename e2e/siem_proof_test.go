package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// statusRecord is a status event of an hour as it is delivered.
func statusRecord(t *testing.T, name schema.Name, kind schema.Kind) map[string]any {
	t.Helper()
	hour := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	text, err := msgpack.JSON(schema.AppendStatus(nil, name, schema.Status{
		Kind: kind, Time: hour.Add(2 * time.Hour), From: hour, To: hour.Add(time.Hour), Count: 3, Revision: 2,
		Digest: "684316940564921c", Message: "m", Lag: "61", Version: "v",
	}))
	require.NoError(t, err)
	record := make(map[string]any)
	require.NoError(t, json.Unmarshal(text, &record))
	return record
}

// TestSearchesForHoursUseFieldsThatExist holds the searches of the add-on and of docs/proof.md against the records: a
// field that is renamed would make them find nothing, for ever.
func TestSearchesForHoursUseFieldsThatExist(t *testing.T) {
	t.Parallel()
	raw, ecs := statusRecord(t, schema.Raw, schema.StatusHour), statusRecord(t, schema.ECS, schema.StatusHour)
	saved := readSplunk(t, "default", "savedsearches.conf")
	alive := saved["Wherobots audit: no sign of life"]["search"]
	assert.Contains(t, alive, `record_type="wherobots_audit_status" status="alive"`)
	assert.Equal(t, "alive", statusRecord(t, schema.Raw, schema.StatusAlive)["status"])
	assert.NotContains(t, saved, "Wherobots audit: nothing arrived", "it cries in every quiet night")

	differ := saved["Wherobots audit: hours that differ"]["search"]
	assert.Contains(t, differ, `record_type="wherobots_audit_status" status="hour"`)
	assert.Equal(t, "wherobots_audit_status", raw["record_type"])
	assert.Equal(t, "hour", raw["status"])
	for _, name := range []string{"from", "count", "revision", "event_id"} {
		assert.Regexp(t, `\b`+name+`\b`, differ)
		assert.Contains(t, raw, name)
	}
	// strptime's %Y-%m-%dT%H:%M:%S%Z: whole seconds, and a zone.
	assert.Contains(t, differ, `strptime(from, "%Y-%m-%dT%H:%M:%S%Z")`)
	assert.Equal(t, "2026-03-04T05:00:00Z", raw["from"])
	assert.EqualValues(t, 2, raw["revision"])

	text, err := os.ReadFile(filepath.Join(root, "docs", "proof.md"))
	require.NoError(t, err)
	names := regexp.MustCompile(`\b(event|wherobots)\.(status\.)?[a-z]\w*`).FindAllString(string(text), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		if name == "wherobots.audit" { // the value of event.dataset of audit events, and part of a data stream's name
			continue
		}
		place := any(ecs)
		for key := range strings.SplitSeq(name, ".") {
			inner, isMap := place.(map[string]any)
			require.True(t, isMap, name)
			require.Contains(t, inner, key, name)
			place = inner[key]
		}
	}
	for _, name := range []string{"record_type", "status", "from", "count", "revision"} {
		assert.Contains(t, string(text), name)
		assert.Contains(t, raw, name)
	}
}
