package detections

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// TestQueriesInElasticsearch does what TestQueriesInOpenSearch does with Elasticsearch's own languages: Lucene's, which
// the detection rules are in, ES|QL, and what the Kibana objects ask for.
func TestQueriesInElasticsearch(t *testing.T) {
	t.Parallel()
	e, err := siem.StartElasticsearch(t.TempDir())
	e = started(t, e, err)
	putTemplate(t, &e.OpenSearch)
	all := plant(t)
	const index = "wherobots-audit-2026.03"
	require.NoError(t, e.Do("POST", "/_bulk?refresh=true", bulk(t, index, schema.ECS, all), nil))
	for file, query := range readQueries(t, "elasticsearch") {
		requireFound(t, meant(t, file, all), search(t, &e.OpenSearch, index, query), file+": "+query)
	}
	for file, query := range readQueries(t, "elasticsearch-esql") {
		if file == "correlation_bulk_deletion.yml" {
			rows, err := e.ESQL(query)
			require.NoError(t, err, file)
			require.NotEmpty(t, rows)
			for _, row := range rows { // one, or two on either side of ten minutes
				assert.Equal(t, "u-17", row["user.id"], "one user deletes much, another little")
			}
			continue
		}
		rows, err := e.ESQL(query + " | keep _id | limit 10000")
		require.NoError(t, err, file)
		var found []string
		for _, row := range rows {
			found = append(found, row["_id"].(string))
		}
		requireFound(t, meant(t, file, all), found, file+": "+query)
	}
	requireKibanaObjects(t, e, all)
}

// kibanaObject is one that conf/elastic/dashboard.ndjson brings.
type kibanaObject struct {
	ID         string
	Attributes struct {
		Columns  []string
		VisState string
		Meta     struct{ SearchSourceJSON string } `json:"kibanaSavedObjectMeta"`
	}
}

// requireKibanaObjects runs every query of the dashboards in KQL, as Elasticsearch understands it, and requires that it
// finds some of the planted, and not all; and that every field that they count, sort or show by can be.
func requireKibanaObjects(t *testing.T, e *siem.Elasticsearch, all []planted) {
	t.Helper()
	text, err := os.ReadFile(conf("elastic", "dashboard.ndjson"))
	require.NoError(t, err)
	queries, fields := 0, []string{}
	for line := range bytes.Lines(text) {
		var o kibanaObject
		require.NoError(t, json.Unmarshal(line, &o))
		fields = append(fields, o.Attributes.Columns...)
		for _, field := range regexp.MustCompile(`"field": *"([^"]+)"`).FindAllStringSubmatch(o.Attributes.VisState, -1) {
			fields = append(fields, field[1])
		}
		if o.Attributes.Meta.SearchSourceJSON == "" {
			continue
		}
		var source struct {
			Query struct{ Query, Language string }
		}
		require.NoError(t, json.Unmarshal([]byte(o.Attributes.Meta.SearchSourceJSON), &source), o.ID)
		require.Equal(t, "kuery", source.Query.Language, o.ID)
		if source.Query.Query == "" { // a dashboard leaves it to its panels
			continue
		}
		queries++
		var answer struct{ Count int }
		require.NoError(t, e.Do("POST", "/wherobots-audit-*/_count", map[string]any{
			"query": map[string]any{"kql": map[string]string{"query": source.Query.Query}},
		}, &answer), o.ID)
		assert.Positive(t, answer.Count, "%s: %s", o.ID, source.Query.Query)
		assert.Less(t, answer.Count, len(all), "%s: %s", o.ID, source.Query.Query)
	}
	require.Greater(t, queries, 10)
	requireAggregatable(t, e, fields)
}

func requireAggregatable(t *testing.T, e *siem.Elasticsearch, fields []string) {
	t.Helper()
	require.Greater(t, len(fields), 20)
	var answer struct {
		Fields map[string]map[string]struct{ Aggregatable bool }
	}
	names := strings.Join(slices.Compact(slices.Sorted(slices.Values(fields))), ",")
	require.NoError(t, e.Do("GET", "/wherobots-audit-*/_field_caps?fields="+names, nil, &answer))
	for _, field := range fields {
		types := answer.Fields[field]
		require.Len(t, types, 1, field)
		for kind, can := range types {
			assert.True(t, can.Aggregatable || kind == "text", "%s is %s", field, kind)
		}
	}
}
