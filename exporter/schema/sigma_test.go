package schema

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/sigma"
)

// TestSigmaRulesFire plants every operation of the vendor, in every spelling, as a record of schema raw, and
// requires that a rule finds just those that it is meant for.
func TestSigmaRulesFire(t *testing.T) {
	rules := make(map[string]sigma.Rule)
	meant := map[string]func(operations.Operation) bool{
		"api_key_created.yml": func(o operations.Operation) bool { return o.Name == "createApiKey" },
		"admin_role_granted.yml": func(o operations.Operation) bool {
			return o.Name == "updateRole" || o.Name == "switchCustomerRole"
		},
		"service_principal_created.yml": func(o operations.Operation) bool {
			return o.Name == "registerServicePrincipal"
		},
		"correlation_bulk_deletion.yml": func(o operations.Operation) bool {
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
					assert.Equal(t, want, fires(t, rules[file], record), "%s: %s as %q", file, o.Name, name)
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
	assert.True(t, fires(t, export, plantedAt(t, "exportAuditLog", "2001:db8::7", 12)))
	assert.False(t, fires(t, export, plantedAt(t, "exportAuditLog", "10.1.2.3", 12)))
	hours := readSigmaRule(t, "outside_usual_hours.yml")
	for hour := range 24 {
		want := hour < 6 || hour >= 20
		assert.Equal(t, want, fires(t, hours, plantedAt(t, "deleteUser", "203.0.113.7", hour)), hour)
	}
	gap := readSigmaRule(t, "collection_gap.yml")
	for _, kind := range statusKinds {
		record := schemaCase{status: &Status{Kind: kind, Time: caseTime}}.record(t, Raw)
		want := Status{Kind: kind}.weight() >= 3
		assert.Equal(t, want, fires(t, gap, record), "%s, severity %d", kind, Status{Kind: kind}.weight())
	}
	assert.False(t, fires(t, gap, plantedAt(t, "refused", "203.0.113.7", 12)))
}

// plantedAt is an event as a store of schema raw has it.
func plantedAt(t testing.TB, action, address string, hour int) map[string]any {
	return schemaCase{fields: []string{
		"0c9c6d6e-0001", time.Date(2026, 3, 4, hour, 5, 6, 0, time.UTC).Format(time.RFC3339), action, "u-17",
		"ada@example.com", "", address, "", "", "", "", "",
	}}.record(t, Raw)
}

func fires(t testing.TB, rule sigma.Rule, record map[string]any) bool { return rule.Fires(t, record) }

// readSigmaRule reads the first document of a rule's file.
func readSigmaRule(t testing.TB, file string) sigma.Rule {
	return sigma.Read(t, filepath.Join("..", "..", "conf", "sigma", file))[0]
}
