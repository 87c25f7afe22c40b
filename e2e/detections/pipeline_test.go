package detections

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// requirePipeline sends documents through the ingest pipeline of conf/elastic, but for the processors geoip, whose
// databases no package has: in their place a processor sets what the one for networks would find. Everything else,
// and what the index template makes of the result, is OpenSearch's, which has these processors from Elasticsearch.
func requirePipeline(t *testing.T, o *siem.OpenSearch) {
	t.Helper()
	text, err := os.ReadFile(conf("elastic", "ingest-pipeline.json"))
	require.NoError(t, err)
	var pipeline struct {
		Processors []map[string]json.RawMessage `json:"processors"`
	}
	require.NoError(t, json.Unmarshal(text, &pipeline))
	found := json.RawMessage(`{"field": "source.as", "value": {"asn": 64496, "organization_name": "Example"}}`)
	left := 0
	for _, p := range pipeline.Processors {
		if p["geoip"] != nil {
			delete(p, "geoip")
			p["set"] = found
			continue
		}
		left++
	}
	require.Equal(t, 3, left, "two processors rename, one reads the user agent")
	require.NoError(t, o.Do("PUT", "/_ingest/pipeline/wherobots-audit", pipeline, nil))

	const index = "/wherobots-audit-2026.04"
	const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
		"Chrome/126.0.0.0 Safari/537.36"
	for id, document := range map[string]any{
		"whole": map[string]any{
			"@timestamp": "2026-04-01T00:00:00Z", "source": map[string]any{"ip": "203.0.113.7"},
			"user_agent": map[string]any{"original": agent},
		},
		"empty": map[string]any{"@timestamp": "2026-04-01T00:00:00Z"}, // a status event has neither
	} {
		require.NoError(t, o.Do("PUT", index+"/_doc/"+id+"?refresh=true&pipeline=wherobots-audit", document, nil))
	}
	var whole struct {
		Source struct {
			Source struct {
				AS struct {
					Number       int
					Organization struct{ Name string }
					ASN          *int
				}
			}
			UserAgent struct {
				Name, Original string
				OS             struct{ Name string }
			} `json:"user_agent"`
		} `json:"_source"`
	}
	require.NoError(t, o.Do("GET", index+"/_doc/whole", nil, &whole))
	assert.Equal(t, 64496, whole.Source.Source.AS.Number)
	assert.Equal(t, "Example", whole.Source.Source.AS.Organization.Name)
	assert.Nil(t, whole.Source.Source.AS.ASN)
	assert.Equal(t, agent, whole.Source.UserAgent.Original)
	assert.Equal(t, "Chrome", whole.Source.UserAgent.Name)
	assert.Equal(t, "Windows", whole.Source.UserAgent.OS.Name)
	for query, id := range map[string]string{
		"source.as.number:64496 AND source.ip:203.0.113.7": "whole", "user_agent.name:Chrome": "whole",
		"NOT _exists_:user_agent.original": "empty",
	} {
		assert.Equal(t, []string{id}, search(t, o, index[1:], query), query)
	}
}
