package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/sigma"
)

func sigmaRules(t *testing.T) map[string][]sigma.Rule {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "conf", "sigma", "*.yml"))
	require.NoError(t, err)
	rules := make(map[string][]sigma.Rule)
	for _, file := range files {
		rules[filepath.Base(file)] = sigma.Read(t, file)
	}
	return rules
}

// sigmaFields are those of schema raw, which the rules are written to.
var sigmaFields = map[string]bool{
	"action_name": true, "user_id": true, "source_ip": true, "event_time": true, "record_type": true, "status": true,
}

var sigmaModifiers = map[string]bool{
	"contains": true, "startswith": true, "endswith": true, "cidr": true, "re": true,
}

func TestSigmaRules(t *testing.T) {
	t.Parallel()
	rules := sigmaRules(t)
	for _, name := range []string{
		"api_key_created", "admin_role_granted", "service_principal_created", "correlation_bulk_deletion",
		"export_from_new_address", "outside_usual_hours",
		"collection_gap",
	} {
		require.Contains(t, rules, name+".yml")
	}
	ids := make(map[string]string)
	names := make(map[string]bool)
	for file, all := range rules {
		for _, r := range all {
			assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, r.ID, file)
			assert.Empty(t, ids[r.ID], "%s: id of another rule", file)
			ids[r.ID] = file
			names[r.Name] = true
			assert.NotEmpty(t, r.Title, file)
			assert.NotEmpty(t, r.Description, file)
			assert.NotEmpty(t, r.Falsepositives, file)
			assert.Contains(t, []string{"informational", "low", "medium", "high", "critical"}, r.Level, file)
			for _, tag := range r.Tags {
				assert.Regexp(t, `^attack\.(t\d{4}(\.\d{3})?|[a-z-]+)$`, tag, file)
			}
			if r.Correlation.Type != "" {
				continue
			}
			assert.Equal(t, "wherobots", r.Logsource.Product, file)
			requireSigmaDetection(t, file, r.Detection)
		}
	}
	bulk := rules["correlation_bulk_deletion.yml"]
	require.Len(t, bulk, 2)
	correlation := bulk[1].Correlation
	assert.Equal(t, "event_count", correlation.Type)
	assert.Equal(t, []string{bulk[0].Name}, correlation.Rules)
	for _, field := range correlation.GroupBy {
		assert.True(t, sigmaFields[field], field)
	}
	assert.Regexp(t, `^\d+m$`, correlation.Timespan)
	assert.Equal(t, map[string]int{"gte": 10}, correlation.Condition)
}

// requireSigmaDetection requires known fields and modifiers, and a condition of selections that exist and are
// all used.
func requireSigmaDetection(t *testing.T, file string, detection map[string]any) {
	t.Helper()
	condition, ok := detection["condition"].(string)
	require.True(t, ok, file)
	used := regexp.MustCompile(`\b\w+\b`).FindAllString(
		regexp.MustCompile(`\b(and|or|not)\b`).ReplaceAllString(condition, ""), -1,
	)
	var selections []string
	for name, selection := range detection {
		if name == "condition" {
			continue
		}
		selections = append(selections, name)
		for key := range selection.(map[string]any) {
			field, modifier, modified := strings.Cut(key, "|")
			assert.True(t, sigmaFields[field], "%s: %s is no field of schema raw", file, field)
			assert.True(t, !modified || sigmaModifiers[modifier], "%s: %s", file, key)
		}
	}
	assert.ElementsMatch(t, selections, used, file)
}

// TestSigmaRulesMatch holds the rules' selections against names of actions.
func TestSigmaRulesMatch(t *testing.T) {
	t.Parallel()
	rules := sigmaRules(t)
	for _, c := range []struct {
		file, action string
		want         bool
	}{
		{"api_key_created.yml", "api_key_created", true},
		{"api_key_created.yml", "CreateApiKey", true},
		{"api_key_created.yml", "api_key_deleted", false},
		{"admin_role_granted.yml", "user_role_granted", true},
		{"admin_role_granted.yml", "user_role_unassigned", false},
		{"admin_role_granted.yml", "api_key_created", false},
		{"service_principal_created.yml", "service_principal_created", true},
		{"service_principal_created.yml", "service_principal_deleted", false},
		{"correlation_bulk_deletion.yml", "file_deleted", true},
		{"correlation_bulk_deletion.yml", "file_created", false},
		{"export_from_new_address.yml", "audit_log_exported", true},
		{"export_from_new_address.yml", "file_downloaded", true},
		{"export_from_new_address.yml", "file_created", false},
	} {
		assert.Equal(t, c.want, matchesAction(t, rules[c.file][0].Detection, c.action), "%s: %s", c.file, c.action)
	}
}

// matchesAction evaluates a condition of ands and nots; selections that are not about the action's name count
// as not given.
func matchesAction(t *testing.T, detection map[string]any, action string) bool {
	t.Helper()
	for term := range strings.SplitSeq(detection["condition"].(string), " and ") {
		name, negated := strings.CutPrefix(term, "not ")
		parts, about := detection[name].(map[string]any)["action_name|contains"]
		if !about {
			require.True(t, negated, name)
			continue
		}
		found := false
		for _, part := range parts.([]any) {
			found = found || strings.Contains(strings.ToLower(action), part.(string))
		}
		if found == negated {
			return false
		}
	}
	return true
}

// TestElasticTemplates holds the templates against the configurations and the schemas' fields.
func TestElasticTemplates(t *testing.T) {
	t.Parallel()
	read := func(name string, into any) {
		text, err := os.ReadFile(filepath.Join(root, "conf", "elastic", name))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into), name)
	}
	type template struct {
		IndexPatterns []string       `json:"index_patterns"`
		DataStream    map[string]any `json:"data_stream"`
		ComposedOf    []string       `json:"composed_of"`
		Priority      int
	}
	var index, raw, stream template
	read("index-template-ecs.json", &index)
	read("index-template-raw.json", &raw)
	read("index-template-data-stream.json", &stream)
	assert.NotNil(t, stream.DataStream, "a data stream")
	assert.Nil(t, index.DataStream)
	assert.Greater(t, raw.Priority, index.Priority, "both patterns match an index of schema raw")
	for file, template := range map[string]template{
		"elasticsearch.yaml": index, "opensearch.yaml": index, "elasticsearch-data-stream.yaml": stream,
	} {
		output := parseConf(t, file).Pipeline.Outputs[0]
		name := output["logstash_prefix"].(string) + "-" + output["logstash_dateformat"].(string)
		matched, err := filepath.Match(template.IndexPatterns[0], name)
		require.NoError(t, err)
		assert.True(t, matched, "%s writes %s", file, name)
		assert.Equal(t, []string{"wherobots-audit-ecs"}, template.ComposedOf)
	}

	var component struct {
		Template struct {
			Mappings struct{ Properties map[string]any }
		}
	}
	read("component-template-raw.json", &component)
	for name := range fields(pastEventWithEverything()) {
		assert.Contains(t, component.Template.Mappings.Properties, name)
	}
	component.Template.Mappings.Properties = nil
	read("component-template-ecs.json", &component)
	for _, place := range []string{
		"@timestamp", "event.id", "event.action", "user.id", "source.ip", "related.user",
		"wherobots.audit.resource_id", "wherobots.status.count",
	} {
		properties := component.Template.Mappings.Properties
		keys := strings.Split(place, ".")
		for i, key := range keys {
			require.Contains(t, properties, key, place)
			if i < len(keys)-1 {
				properties = properties[key].(map[string]any)["properties"].(map[string]any)
			}
		}
	}
}

// TestKibanaDashboard requires that every object that is referred to is there, and that what is JSON inside
// JSON can be read.
func TestKibanaDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "conf", "elastic", "dashboard.ndjson"))
	require.NoError(t, err)
	type object struct {
		Type, ID   string
		Attributes map[string]any
		References []struct{ Name, Type, ID string }
	}
	objects := make(map[string]object)
	for line := range bytes.Lines(text) {
		var o object
		require.NoError(t, json.Unmarshal(line, &o))
		objects[o.Type+"/"+o.ID] = o
	}
	for key, o := range objects {
		names := make(map[string]bool)
		for _, r := range o.References {
			names[r.Name] = true
			assert.Contains(t, objects, r.Type+"/"+r.ID, "%s refers to it", key)
		}
		for _, inner := range []string{"visState", "panelsJSON", "optionsJSON", "uiStateJSON"} {
			if text, there := o.Attributes[inner].(string); there {
				assert.True(t, json.Valid([]byte(text)), "%s: %s", key, inner)
			}
		}
		panels, _ := o.Attributes["panelsJSON"].(string)
		references := regexp.MustCompile(`"panelIndex": "(\d+)".*?"panelRefName": "(\w+)"`)
		for _, panel := range references.FindAllStringSubmatch(panels, -1) {
			assert.True(t, names[panel[1]+":"+panel[2]], "%s: panel %s", key, panel[1])
		}
	}
	assert.Contains(t, objects, "dashboard/wherobots-audit-overview")
	assert.Contains(t, objects, "dashboard/wherobots-audit-health")
}
