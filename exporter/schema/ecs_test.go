package schema

import (
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// ecsFacts are the facts about ECS that the records rest on, in testdata/ecs_facts.json.
type ecsFacts struct {
	Version string              `json:"version"`
	Fields  map[string]ecsField `json:"fields"` // of the fields that are written
	// Allowed are the allowed values of event.kind, event.outcome and event.type (the Elastic Common Schema
	// reference, "categorization fields"), which the published table of fields does not have.
	Allowed map[string][]string `json:"allowed"`
	// ExpectedTypes are, by event.category, the values of event.type that ECS expects with it (same source);
	// its keys are the allowed categories.
	ExpectedTypes map[string][]string `json:"expected_types"`
}

type ecsField struct {
	Type  string `json:"type"`
	Array bool   `json:"array,omitempty"`
}

func readECSFacts(t testing.TB) (facts ecsFacts) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "ecs_facts.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &facts))
	return facts
}

// TestECSConforms holds every record against ECS: each field exists with a type that the value fits, or lies
// under wherobots.
func TestECSConforms(t *testing.T) {
	facts := readECSFacts(t)
	require.Equal(t, facts.Version, ecsVersion)
	for _, c := range schemaCases {
		t.Run(c.name, func(t *testing.T) { facts.check(t, c.record(t, ECS)) })
	}
	t.Run("any row", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { facts.check(t, anyRow(rt).record(t, ECS)) })
	})
}

// TestECSFactsArePublished holds the facts against the published table of fields, where SCHEMAS_DIR names a
// directory that has it.
func TestECSFactsArePublished(t *testing.T) {
	dir := os.Getenv("SCHEMAS_DIR")
	if dir == "" {
		t.Skip("SCHEMAS_DIR is not set")
	}
	facts := readECSFacts(t)
	file, err := os.Open(filepath.Join(dir, "ecs-fields-"+facts.Version+".csv"))
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	column := func(name string) int { return slices.Index(rows[0], name) }
	field, kind, list := column("Field"), column("Type"), column("Normalization")
	published := make(map[string]ecsField)
	for _, r := range rows[1:] {
		published[r[field]] = ecsField{Type: r[kind], Array: r[list] == "array"}
	}
	for name, fact := range facts.Fields {
		require.Equal(t, published[name], fact, name)
	}
}

func (facts ecsFacts) check(t testing.TB, record map[string]any) {
	t.Helper()
	facts.checkFields(t, "", record)
	event := record["event"].(map[string]any)
	require.Contains(t, facts.Allowed["event.kind"], event["kind"])
	require.Contains(t, facts.Allowed["event.outcome"], event["outcome"])
	if event["dataset"] == "wherobots.status" {
		return
	}
	expected := map[string]bool{}
	for _, c := range event["category"].([]any) {
		require.Contains(t, facts.ExpectedTypes, c)
		for _, kind := range facts.ExpectedTypes[c.(string)] {
			expected[kind] = true
		}
	}
	for _, kind := range event["type"].([]any) {
		require.Contains(t, facts.Allowed["event.type"], kind)
		require.True(t, expected[kind.(string)], "type %s with category %s", kind, event["category"])
	}
}

func (facts ecsFacts) checkFields(t testing.TB, prefix string, record map[string]any) {
	t.Helper()
	for key, value := range record {
		name := prefix + key
		inner, isMap := value.(map[string]any)
		switch {
		case name == "wherobots":
			require.IsType(t, map[string]any{}, value)
		case isMap:
			require.NotEmpty(t, inner, "%s is an empty map", name)
			facts.checkFields(t, name+".", inner)
		default:
			fact, known := facts.Fields[name]
			require.True(t, known, "the field %s is not in testdata/ecs_facts.json: add it from the published table", name)
			list, isList := value.([]any)
			require.Equal(t, fact.Array, isList, "%s a list", name)
			if !isList {
				list = []any{value}
			}
			for _, value := range list {
				require.True(t, fitsECS(fact.Type, value), "%s is %s, not %#v", name, fact.Type, value)
			}
		}
	}
}

func fitsECS(kind string, value any) bool {
	text, isText := value.(string)
	switch kind {
	case "keyword", "match_only_text", "wildcard", "constant_keyword":
		return isText && text != ""
	case "ip":
		address, err := netip.ParseAddr(text)
		return err == nil && address.Zone() == ""
	case "date":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "long":
		_, ok := value.(int64)
		return ok
	default:
		return false
	}
}

// TestECSUser pins where a name goes: to email too when it is one, and once to related.
func TestECSUser(t *testing.T) {
	for _, test := range []struct {
		id, name string
		user     map[string]any
		related  any
	}{
		{
			"u-1", "ada@example.com",
			map[string]any{"id": "u-1", "name": "ada@example.com", "email": "ada@example.com"},
			[]any{"u-1", "ada@example.com"},
		},
		{"ada", "ada", map[string]any{"id": "ada", "name": "ada"}, []any{"ada"}},
		{"", "a@b@example.com", map[string]any{"name": "a@b@example.com"}, []any{"a@b@example.com"}},
		{"", "", nil, nil},
	} {
		c := schemaCase{
			header: []string{"event_time", "action_name", "user_id", "user_name"},
			fields: []string{"t", "a", test.id, test.name},
		}
		record := c.record(t, ECS)
		user, _ := record["user"].(map[string]any)
		require.Equal(t, test.user, user)
		if test.related == nil {
			require.NotContains(t, record, "related")
		} else {
			require.Equal(t, map[string]any{"user": test.related}, record["related"])
		}
	}
}

// anyRow draws a row: any columns beside the two that are required, any values, good or bad, ragged or not.
func anyRow(rt *rapid.T) schemaCase {
	name := rapid.OneOf(
		rapid.SampledFrom(event.ColumnNames[:]),
		rapid.SampledFrom([]string{"parse_error", "raw_line", "record_type", "Größe"}), rapid.String(),
	)
	header := append([]string{"action_name", "event_time"}, rapid.SliceOfN(name, 0, 24).Draw(rt, "header")...)
	value := rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "10.1.2.3", "::1", "::ffff:1.2.3.4", "1.2.3", "a@b.c", "job_run_started", "Access Denied",
			"\xff", "é",
		}),
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	c := schemaCase{header: rapid.Permutation(header).Draw(rt, "order")}
	c.fields = rapid.SliceOfN(value, 0, len(header)+2).Draw(rt, "fields")
	if rapid.Bool().Draw(rt, "is bad") {
		c.bad = rapid.StringN(1, 20, -1).Draw(rt, "bad")
		c.raw = strings.Join(c.fields, ",")
	}
	return c
}
