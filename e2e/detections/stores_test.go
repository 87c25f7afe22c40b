package detections

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// started skips the test where this machine cannot have a store.
func started[S interface{ Stop() }](t *testing.T, store S, err error) S {
	t.Helper()
	if errors.Is(err, siem.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(store.Stop)
	return store
}

// TestQueriesInVictoriaLogs runs each converted rule over planted events: it finds what the rule is meant to find.
func TestQueriesInVictoriaLogs(t *testing.T) {
	t.Parallel()
	v, err := siem.StartVictoriaLogs(t.TempDir(), "")
	v = started(t, v, err)
	all := plant(t)
	var lines bytes.Buffer
	for _, p := range all {
		record := p.raw()
		record["_time"] = time.Now().UTC().Format(time.RFC3339Nano)
		require.NoError(t, json.NewEncoder(&lines).Encode(record))
	}
	// As conf/victorialogs.yaml sends them.
	require.NoError(t, v.Insert("extra_fields=app=wherobots_audit&_stream_fields=app&_msg_field=_msg,message",
		lines.Bytes()))
	for file, query := range readQueries(t, "victorialogs") {
		rows, err := v.Query(query)
		require.NoError(t, err, file)
		if file == "correlation_bulk_deletion.yml" {
			require.Len(t, rows, 1, "one user deletes much, another little")
			assert.Equal(t, "u-17", rows[0]["user_id"])
			continue
		}
		var found []string
		for _, row := range rows {
			found = append(found, row["event_id"])
		}
		requireFound(t, meant(t, file, all), found, file+": "+query)
	}
}

// TestQueriesInOpenSearch does the same with documents of the schemas ecs and ocsf.
func TestQueriesInOpenSearch(t *testing.T) {
	t.Parallel()
	o, err := siem.StartOpenSearch(t.TempDir())
	o = started(t, o, err)
	putTemplate(t, o)
	requirePipeline(t, o)
	for _, index := range []string{"/ocsf", "/ocsf-fine"} {
		require.NoError(t, o.Do("PUT", index, ocsfIndex, nil))
	}
	all := plant(t)
	for _, c := range []struct {
		schema         schema.Name
		index, queries string
	}{
		{schema.ECS, "wherobots-audit-2026.03", "opensearch"},
		{schema.ECS, "wherobots-audit-2026.03", "elasticsearch"}, // the same language
		{schema.OCSF, "ocsf", "opensearch-ocsf"},
		{schema.OCSFFine, "ocsf-fine", "opensearch-ocsf"},
	} {
		require.NoError(t, o.Do("POST", "/_bulk?refresh=true", bulk(t, c.index, c.schema, all), nil))
		for file, query := range readQueries(t, c.queries) {
			found := search(t, o, c.index, query)
			requireFound(t, meant(t, file, all), found, c.queries+", "+file+": "+query)
		}
	}
}

// putTemplate puts the template of schema ecs.
func putTemplate(t *testing.T, o *siem.OpenSearch) {
	t.Helper()
	for _, put := range [][2]string{
		{"_component_template/wherobots-audit-ecs", "component-template-ecs.json"},
		{"_index_template/wherobots-audit", "index-template-ecs.json"},
	} {
		text, err := os.ReadFile(conf("elastic", put[1]))
		require.NoError(t, err)
		require.NoError(t, o.Do("PUT", "/"+put[0], text, nil))
	}
}

// requireFound names the first few that are missing or too many: there are thousands.
func requireFound(t *testing.T, want, found []string, what string) {
	t.Helper()
	few := func(of, without []string) (some []string) {
		known := make(map[string]bool)
		for _, id := range without {
			known[id] = true
		}
		for _, id := range of {
			if !known[id] && len(some) < 5 {
				some = append(some, id)
			}
		}
		return some
	}
	assert.Empty(t, few(want, found), "missing: %s", what)
	assert.Empty(t, few(found, want), "too many: %s", what)
	assert.Len(t, found, len(want), what)
}

// ocsfIndex is what the README asks of an index of schema ocsf.
var ocsfIndex = []byte(`{"mappings": {
  "date_detection": false,
  "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
  "properties": {"src_endpoint": {"properties": {"ip": {"type": "ip"}}}}
}}`)

// bulk is a request that stores the records of a schema.
func bulk(t *testing.T, index string, name schema.Name, all []planted) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for _, p := range all {
		document := p.records[name]
		document["@timestamp"] = time.Now().UTC().Format(time.RFC3339Nano)
		require.NoError(t, encoder.Encode(map[string]any{"index": map[string]string{"_index": index, "_id": p.id}}))
		require.NoError(t, encoder.Encode(document))
	}
	return b.Bytes()
}

// search returns the ids of the documents that a query in Lucene's language finds.
func search(t *testing.T, o *siem.OpenSearch, index, query string) (ids []string) {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	require.NoError(t, o.Do("POST", "/"+index+"/_search", map[string]any{
		"size": 10_000, "_source": false,
		"query": map[string]any{"query_string": map[string]any{"query": query, "analyze_wildcard": true}},
	}, &answer), query)
	for _, hit := range answer.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	return ids
}
