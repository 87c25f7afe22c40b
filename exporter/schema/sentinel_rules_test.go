package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

// sigmaDocument is one document of a file of conf/sigma, as far as Sentinel's rules are made of it.
type sigmaDocument struct {
	Title, ID, Description, Level string
	Tags                          []string
	Detection                     yaml.Node
	Correlation                   struct {
		GroupBy   []string `yaml:"group-by"`
		Timespan  string
		Condition struct{ Gte int }
	}
}

// sentinelRule is an analytic rule in the form of Microsoft's own repository.
type sentinelRule struct {
	ID                     string
	Name                   string
	Description            string
	Severity               string
	RequiredDataConnectors []string `yaml:"requiredDataConnectors"`
	QueryFrequency         string   `yaml:"queryFrequency"`
	QueryPeriod            string   `yaml:"queryPeriod"`
	TriggerOperator        string   `yaml:"triggerOperator"`
	TriggerThreshold       int      `yaml:"triggerThreshold"`
	Tactics                []string
	RelevantTechniques     []string `yaml:"relevantTechniques"`
	Query                  string
	EntityMappings         []sentinelEntity `yaml:"entityMappings,omitempty"`
	Version                string
	Kind                   string
}

type sentinelEntity struct {
	EntityType    string              `yaml:"entityType"`
	FieldMappings []map[string]string `yaml:"fieldMappings"`
}

// TestSentinelRules makes the analytic rules of conf/sentinel/rules of the Sigma rules: one that counts, of a file that
// has one, else the file's only document. They look at what arrived within the last hour, whatever its own time:
// TimeGenerated is at most two days back, because Azure sees to that.
func TestSentinelRules(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "conf", "sigma", "*.yml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 7)
	var made []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yml") + ".yaml"
		made = append(made, name)
		var b bytes.Buffer
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		require.NoError(t, e.Encode(sentinelRuleOf(t, readSigmaDocuments(t, file))))
		golden.Equal(t, filepath.Join("..", "..", "conf", "sentinel", "rules", name), b.Bytes())
	}
	there, err := filepath.Glob(filepath.Join("..", "..", "conf", "sentinel", "rules", "*"))
	require.NoError(t, err)
	for _, file := range there {
		require.Contains(t, made, filepath.Base(file), "no Sigma rule is left of which it was made")
	}
}

func readSigmaDocuments(t testing.TB, file string) (documents []sigmaDocument) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var d sigmaDocument
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return documents
		}
		require.NoError(t, err)
		documents = append(documents, d)
	}
}

func sentinelRuleOf(t testing.TB, documents []sigmaDocument) sentinelRule {
	last := documents[len(documents)-1]
	lines := []string{
		sentinelTable, "| where ingestion_time() > ago(1h)", "| where " + kqlCondition(t, documents[0].Detection),
	}
	var entities []sentinelEntity
	entity := func(kind, identifier, column string) {
		mapping := map[string]string{"identifier": identifier, "columnName": column}
		entities = append(entities, sentinelEntity{kind, []map[string]string{mapping}})
	}
	if c := last.Correlation; c.Timespan != "" {
		group := strings.Join(c.GroupBy, ", ")
		lines[1] = "| where ingestion_time() > ago(2h)" // a stretch that began before the last hour
		lines = append(lines,
			"| summarize Events = dcount(event_id), user_name = take_any(user_name), LastSeen = max(ingestion_time()) by "+
				group+", Since = bin(todatetime(event_time), "+c.Timespan+")",
			fmt.Sprintf("| where Events >= %d and LastSeen > ago(1h)", c.Condition.Gte))
		entity("Account", "FullName", "user_name")
	} else {
		lines = append(lines, "| summarize arg_max(TimeGenerated, *) by event_id")
		if !strings.Contains(lines[2], "record_type") {
			entity("Account", "FullName", "user_name")
			entity("IP", "Address", "source_ip")
		}
	}
	rule := sentinelRule{
		ID: last.ID, Name: last.Title, Description: strings.TrimSpace(last.Description),
		Severity: strings.ToUpper(last.Level[:1]) + last.Level[1:], RequiredDataConnectors: []string{},
		QueryFrequency: "1h", QueryPeriod: "2d", TriggerOperator: "gt", Query: strings.Join(lines, "\n") + "\n",
		EntityMappings: entities, Version: "1.0.0", Kind: "Scheduled",
	}
	for _, tag := range last.Tags {
		name := strings.TrimPrefix(tag, "attack.")
		if technique, _, _ := strings.Cut(strings.ToUpper(name), "."); strings.HasPrefix(name, "t1") {
			rule.RelevantTechniques = append(rule.RelevantTechniques, technique)
			continue
		}
		var words strings.Builder
		for word := range strings.SplitSeq(name, "-") {
			words.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		rule.Tactics = append(rule.Tactics, words.String())
	}
	return rule
}

// kqlCondition writes a Sigma condition of ands and nots in Kusto's language.
func kqlCondition(t testing.TB, detection yaml.Node) string {
	var r map[string]any
	require.NoError(t, detection.Decode(&r))
	var terms []string
	for term := range strings.SplitSeq(r["condition"].(string), " and ") {
		name, negated := strings.CutPrefix(term, "not ")
		selection, there := r[name].(map[string]any)
		require.True(t, there, "selection %q", name)
		text := kqlSelection(t, selection)
		if negated {
			text = "not" + text
		}
		terms = append(terms, text)
	}
	return strings.Join(terms, "\n    and ")
}

// kqlSelection joins the fields of a selection by and, and the values of each by or.
func kqlSelection(t testing.TB, selection map[string]any) string {
	var fields []string
	for key, wanted := range selection {
		field, modifier, _ := strings.Cut(key, "|")
		list, isList := wanted.([]any)
		if !isList {
			list = []any{wanted}
		}
		var values []string
		for _, value := range list {
			values = append(values, kqlMatch(t, field, modifier, value))
		}
		fields = append(fields, "("+strings.Join(values, " or ")+")")
	}
	slices.Sort(fields)
	if len(fields) == 1 {
		return fields[0]
	}
	return "(" + strings.Join(fields, " and ") + ")"
}

func kqlMatch(t testing.TB, field, modifier string, value any) string {
	quoted := fmt.Sprintf("%q", fmt.Sprint(value))
	switch modifier {
	case "":
		return field + " =~ " + quoted
	case "contains", "startswith", "endswith":
		return field + " " + modifier + " " + quoted
	case "cidr": // null for an address of the other family, or for none: a negated null would hide the event
		if strings.Contains(quoted, ":") {
			return "coalesce(ipv6_is_in_range(" + field + ", " + quoted + "), false)"
		}
		return "coalesce(ipv4_is_in_range(" + field + ", " + quoted + "), false)"
	case "re":
		require.NotContains(t, value, `"`)
		return fmt.Sprintf(`%s matches regex @"%v"`, field, value)
	}
	require.Fail(t, "a modifier that is not known", modifier)
	return ""
}
