package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// startElasticsearch starts a node that has the shipped templates.
func startElasticsearch(dir string) (*siem.Elasticsearch, error) {
	e, err := siem.StartElasticsearch(dir)
	if err != nil {
		return nil, err
	}
	return e, putTemplates(&e.OpenSearch)
}

// TestRealElasticsearch does with Elasticsearch's files what TestRealOpenSearch does with OpenSearch's.
func TestRealElasticsearch(t *testing.T) {
	e := store(t, startElasticsearch)
	sideBySide(t, map[string]bulkFile{
		"months": {
			"elasticsearch.yaml", "ELASTIC", "ELASTIC_API_KEY=a2V5", "wherobots-audit-*", 2_000, []float64{1},
		},
		"data stream": {
			"elasticsearch-data-stream.yaml", "ELASTIC", "ELASTIC_PASSWORD=secret",
			"logs-wherobots.audit-default", 5_000,
			[]float64{1},
		},
	}, func(t *testing.T, f bulkFile) { killedOften(t, &e.OpenSearch, f) })
}

// TestRealElasticsearchSearches runs the searches of docs/proof.md in ES|QL, and that for ids, over what the bundled
// host delivers.
func TestRealElasticsearchSearches(t *testing.T) {
	t.Parallel()
	e := store(t, startElasticsearch)
	lives(t, e)
	events := lastDay(2_000)
	lines := printed(t, events, closedHours(events)-1, hourly...)
	const months, stream = "wherobots-audit-2026.01", "logs-wherobots.audit-default"
	bulkPrinted(t, &e.OpenSearch, "index", months, lines) // with nothing in a data stream
	requireOneDocumentEach(t, &e.OpenSearch, months, events)
	requireNoHourDiffers(t, &e.OpenSearch, months)
	require.Empty(t, hoursInESQL(t, e))
	require.NoError(t, e.Do("DELETE", "/"+months, nil, nil))
	provenByScroll(t, &e.OpenSearch)
	require.NoError(t, e.Do("DELETE", "/wherobots-audit-*", nil, nil))

	lacking, want := spoiled(t, lines)
	bulkPrinted(t, &e.OpenSearch, "create", stream, lacking)
	raw := statusRecord(t, schema.Raw, schema.StatusHour) // an index of another schema that the search goes through
	require.NoError(t, e.Do("PUT", "/wherobots-audit-raw-2026.03/_create/raw?refresh=true", raw, nil))
	require.Equal(t, want, hoursInESQL(t, e))
}

// spoiled takes one event out of the third hour, all out of the fourth, and adds one to the fifth. It returns the rest,
// each once, and the rows that the search is to find.
func spoiled(t *testing.T, lines [][]byte) (rest [][]byte, want []map[string]any) {
	t.Helper()
	byHour, seen := map[string][][]byte{}, map[any]bool{}
	for _, line := range lines {
		record, _ := stamped(t, line, "@timestamp")
		event := record["event"].(map[string]any)
		if seen[event["id"]] { // delivered again
			continue
		}
		seen[event["id"]] = true
		if event["dataset"] != "wherobots.audit" {
			rest = append(rest, line)
			continue
		}
		stamp, err := time.Parse(time.RFC3339Nano, record["@timestamp"].(string))
		require.NoError(t, err)
		hour := stamp.Truncate(time.Hour).Format("2006-01-02T15:04:05.000Z")
		byHour[hour] = append(byHour[hour], line)
	}
	hours := slices.Sorted(maps.Keys(byHour))
	require.Greater(t, len(hours), 20)
	for i, hour := range hours {
		events := byHour[hour]
		said := len(events)
		switch i {
		case 2:
			events = events[1:]
		case 3:
			events = nil
		case 4:
			id := regexp.MustCompile(`"id":"[^"]+"`)
			require.Regexp(t, id, string(events[0]))
			events = append(events, id.ReplaceAll(events[0], []byte(`"id":"forged"`)))
		}
		rest = append(rest, events...)
		if said != len(events) {
			want = append(want, map[string]any{"hour": hour, "said": float64(said), "indexed": float64(len(events))})
		}
	}
	require.Len(t, want, 3)
	return rest, want
}

// hoursInESQL are the rows of the documented search.
func hoursInESQL(t *testing.T, e *siem.Elasticsearch) []map[string]any {
	t.Helper()
	rows, err := e.ESQL(documented(t, "docs/proof.md", "**Elasticsearch, ES|QL**"))
	require.NoError(t, err)
	return rows
}

// lives requires of the documented search for no sign of life that it finds a row while there is none, or only an old
// one, and no row as soon as there is one.
func lives(t *testing.T, e *siem.Elasticsearch) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "proof.md"))
	require.NoError(t, err)
	search := regexp.MustCompile("(?m)^\\| ES\\\\\\|QL \\| `(.*)` \\|$").FindSubmatch(text)
	require.NotNil(t, search)
	rows := func() []map[string]any {
		rows, err := e.ESQL(strings.ReplaceAll(string(search[1]), `\|`, "|"))
		require.NoError(t, err)
		return rows
	}
	put := func(id string, kind schema.Kind, ago time.Duration) {
		record := statusRecord(t, schema.ECS, kind)
		record["@timestamp"] = time.Now().Add(-ago).UTC()
		require.NoError(t, e.Do("PUT", "/wherobots-audit-2026.01/_doc/"+id+"?refresh=true", record, nil))
	}
	put("old", schema.StatusAlive, 3*time.Hour)
	put("other", schema.StatusHour, time.Minute)
	require.Equal(t, []map[string]any{{"n": 0.0}}, rows())
	put("new", schema.StatusAlive, time.Hour)
	require.Empty(t, rows())
	require.NoError(t, e.Do("DELETE", "/wherobots-audit-2026.01", nil, nil))
}
