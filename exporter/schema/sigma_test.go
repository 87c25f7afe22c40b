package schema

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// TestSigmaRulesFire plants every operation of the vendor, in every spelling, as a record of schema raw, and
// requires that a rule finds just those that it is meant for.
func TestSigmaRulesFire(t *testing.T) {
	rules := make(map[string]sigmaRule)
	meant := map[string]func(operations.Operation) bool{
		"api_key_created.yml": func(o operations.Operation) bool { return o.Name == "createApiKey" },
		"admin_role_granted.yml": func(o operations.Operation) bool {
			return o.Name == "updateRole" || o.Name == "switchCustomerRole"
		},
		"service_principal_created.yml": func(o operations.Operation) bool {
			return o.Name == "registerServicePrincipal"
		},
		"bulk_deletion.yml": func(o operations.Operation) bool {
			return o.Activity == "4" && o.Name != "cancelInvitation" // nothing is lost by a withdrawn invitation
		},
		"export_from_new_address.yml": func(o operations.Operation) bool {
			return strings.HasPrefix(o.Name, "export") || strings.HasPrefix(o.Name, "download")
		},
		"outside_usual_hours.yml": func(o operations.Operation) bool {
			return !o.OnlyLooks()
		},
	}
	for file := range meant {
		rules[file] = readSigmaRule(t, file)
	}
	for _, o := range operations.Read(t, filepath.Join("..", "action", "testdata", "operations.tsv")) {
		for _, name := range o.Spellings(t) {
			record := plantedAt(t, name, "203.0.113.7", 3)
			for file, isMeant := range meant {
				if want := isMeant(o); want || !saysWho(name) { // the rules name this among their false positives
					assert.Equal(t, want, rules[file].fires(t, record), "%s: %s as %q", file, o.Name, name)
				}
			}
		}
	}
}

// saysWho reports whether a name ends with who did it.
func saysWho(name string) bool {
	return strings.HasSuffix(strings.NewReplacer("_", "", ".", "", " ", "", "-", "").Replace(strings.ToLower(name)),
		"byanadmin")
}

// TestSigmaRulesLookAtMore than the name.
func TestSigmaRulesLookAtMore(t *testing.T) {
	export := readSigmaRule(t, "export_from_new_address.yml")
	assert.True(t, export.fires(t, plantedAt(t, "exportAuditLog", "2001:db8::7", 12)))
	assert.False(t, export.fires(t, plantedAt(t, "exportAuditLog", "10.1.2.3", 12)))
	hours := readSigmaRule(t, "outside_usual_hours.yml")
	for hour := range 24 {
		want := hour < 6 || hour >= 20
		assert.Equal(t, want, hours.fires(t, plantedAt(t, "deleteUser", "203.0.113.7", hour)), hour)
	}
	gap := readSigmaRule(t, "collection_gap.yml")
	for _, kind := range statusKinds {
		record := schemaCase{status: &Status{Kind: kind, Time: caseTime}}.record(t, Raw)
		want := Status{Kind: kind}.weight() >= 3
		assert.Equal(t, want, gap.fires(t, record), "%s, severity %d", kind, Status{Kind: kind}.weight())
	}
	assert.False(t, gap.fires(t, plantedAt(t, "refused", "203.0.113.7", 12)))
}

// plantedAt is an event as a store of schema raw has it.
func plantedAt(t testing.TB, action, address string, hour int) map[string]any {
	return schemaCase{fields: []string{
		"0c9c6d6e-0001", time.Date(2026, 3, 4, hour, 5, 6, 0, time.UTC).Format(time.RFC3339), action, "u-17",
		"ada@example.com", "", address, "", "", "", "", "",
	}}.record(t, Raw)
}

// sigmaRule is the detection of a Sigma rule: selections by name, and the condition that joins them.
type sigmaRule map[string]any

func readSigmaRule(t testing.TB, file string) sigmaRule {
	text, err := os.ReadFile(filepath.Join("..", "..", "conf", "sigma", file))
	require.NoError(t, err)
	var rule struct{ Detection map[string]any }
	require.NoError(t, yaml.NewDecoder(bytes.NewReader(text)).Decode(&rule)) // the first of several documents
	return rule.Detection
}

// fires evaluates a condition of ands and nots.
func (r sigmaRule) fires(t testing.TB, record map[string]any) bool {
	for term := range strings.SplitSeq(r["condition"].(string), " and ") {
		name, negated := strings.CutPrefix(term, "not ")
		selection, there := r[name].(map[string]any)
		require.True(t, there, "selection %q", name)
		if selects(t, selection, record) == negated {
			return false
		}
	}
	return true
}

// selects reports whether every field of a selection has one of its values.
func selects(t testing.TB, selection, record map[string]any) bool {
	for key, wanted := range selection {
		field, modifier, _ := strings.Cut(key, "|")
		value, _ := record[field].(string)
		list, isList := wanted.([]any)
		if !isList {
			list = []any{wanted}
		}
		found := false
		for _, want := range list {
			found = found || sigmaMatches(t, modifier, value, want)
		}
		if !found {
			return false
		}
	}
	return true
}

// sigmaMatches compares without regard to case, as Sigma does.
func sigmaMatches(t testing.TB, modifier, value string, want any) bool {
	if modifier == "hour" {
		at, err := time.Parse(time.RFC3339, value)
		return err == nil && at.UTC().Hour() == want
	}
	value, text := strings.ToLower(value), strings.ToLower(want.(string))
	switch modifier {
	case "":
		return value == text
	case "contains":
		return strings.Contains(value, text)
	case "startswith":
		return strings.HasPrefix(value, text)
	case "endswith":
		return strings.HasSuffix(value, text)
	case "cidr":
		network, err := netip.ParsePrefix(text)
		require.NoError(t, err)
		address, err := netip.ParseAddr(value)
		return err == nil && network.Contains(address)
	}
	require.Fail(t, "modifier "+modifier)
	return false
}
