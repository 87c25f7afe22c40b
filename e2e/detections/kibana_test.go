package detections

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/sigma"
)

// riskScores are Elastic's defaults of its severities.
var riskScores = map[string]int{"low": 21, "medium": 47, "high": 73, "critical": 99}

// TestKibanaDetectionRules compares conf/elastic/detection-rules.ndjson with the Sigma rules and their queries; go
// generate ./e2e/detections writes it anew.
func TestKibanaDetectionRules(t *testing.T) {
	t.Parallel()
	queries := readQueries(t, "elasticsearch")
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, file := range sigmaFiles(t) {
		name := filepath.Base(file)
		documents := sigma.Read(t, file)
		rule := kibanaRule(&documents[len(documents)-1], queries[name])
		require.Contains(t, riskScores, rule["severity"], name)
		require.NoError(t, encoder.Encode(rule))
	}
	assert.Contains(t, b.String(), `"type":"threshold"`)
	assert.Contains(t, b.String(), `"type":"new_terms"`)
	golden.Equal(t, conf("elastic", "detection-rules.ndjson"), b.Bytes())
}

// kibanaRule is a rule as Kibana's detection engine imports it. It looks back over more than its interval, because
// events arrive late.
func kibanaRule(rule *sigma.Rule, query string) map[string]any {
	tags := []string{"Wherobots"}
	for _, tag := range rule.Tags {
		tags = append(tags, "Sigma: "+tag)
	}
	kibana := map[string]any{
		"rule_id":         rule.ID,
		"name":            rule.Title,
		"description":     strings.TrimSpace(rule.Description),
		"type":            "query",
		"language":        "lucene",
		"query":           query,
		"index":           []string{"wherobots-audit-*", "logs-wherobots.audit-*"},
		"severity":        rule.Level,
		"risk_score":      riskScores[rule.Level],
		"enabled":         false,
		"interval":        "15m",
		"from":            "now-35m",
		"to":              "now",
		"max_signals":     100,
		"immutable":       false,
		"version":         1,
		"author":          []string{rule.Author},
		"false_positives": rule.Falsepositives,
		"tags":            tags,
		"threat":          []string{},
		"references":      []string{},
		"actions":         []string{},
	}
	switch {
	case rule.Correlation.Type == "event_count":
		kibana["type"] = "threshold"
		kibana["threshold"] = map[string]any{"field": []string{"user.id"}, "value": rule.Correlation.Condition["gte"]}
		kibana["interval"], kibana["from"] = "5m", "now-"+rule.Correlation.Timespan
	case slices.Contains(rule.Tags, "attack.exfiltration"):
		kibana["type"] = "new_terms"
		kibana["new_terms_fields"] = []string{"user.id", "source.ip"}
		kibana["history_window_start"] = "now-30d"
	}
	return kibana
}
