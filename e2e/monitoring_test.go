package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

// alertRule is a rule of conf/monitoring/rules.yml.
type alertRule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func readMonitoring(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "conf", "monitoring", file))
	require.NoError(t, err)
	return text
}

func alertRules(t *testing.T) []alertRule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alertRule
		}
	}
	require.NoError(t, yaml.Unmarshal(readMonitoring(t, "rules.yml"), &file))
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

// promtool is Prometheus' own checker, from Debian's package prometheus or a release.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing (Debian, Ubuntu: apt-get install prometheus)")
	}
	command := exec.Command(path, args...)
	command.Dir = filepath.Join(root, "conf", "monitoring")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// Each alert fires on what it is about and not on what is well: rules.test.yml says so, and has every alert.
func TestPrometheusRules(t *testing.T) {
	t.Parallel()
	tests := string(readMonitoring(t, "rules.test.yml"))
	for _, rule := range alertRules(t) {
		for _, fires := range []string{"\n        exp_alerts:\n", "\n        exp_alerts: []"} {
			assert.Contains(t, tests, "alertname: "+rule.Alert+fires)
		}
	}
	promtool(t, "check", "rules", "rules.yml")
	promtool(t, "test", "rules", "rules.test.yml")
}

// Whoever is woken by an alert finds what to do: its link leads to a heading of docs/operations.md, which names it.
// Each status event is there, too.
func TestOperationsAnswersEachAlertAndStatusEvent(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	sections := map[string]string{} // by anchor
	for _, section := range regexp.MustCompile(`(?m)^##+ `).Split(string(text), -1)[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		sections[golden.Anchor(heading)] = body
	}
	for _, rule := range alertRules(t) {
		page, anchor, _ := strings.Cut(rule.Annotations["runbook_url"], "#")
		assert.True(t, strings.HasSuffix(page, "/in_wherobots_audit/blob/main/docs/operations.md"), page)
		assert.Contains(t, sections[anchor], "`"+rule.Alert+"`", "section #%s", anchor)
		assert.Contains(t, []string{"info", "warning", "critical"}, rule.Labels["severity"])
		assert.NotEmpty(t, rule.Annotations["summary"])
		assert.NotEmpty(t, rule.Annotations["description"])
	}
	schema, err := os.ReadFile(filepath.Join(root, "docs", "schema.md"))
	require.NoError(t, err)
	_, kinds, found := strings.Cut(string(schema), "| kind | severity |")
	require.True(t, found)
	for _, kind := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(kinds, -1) {
		assert.Contains(t, sections["status-events"], "`"+kind[1]+"`", "status event")
	}
}

// dashboardExpressions are those of every panel.
func dashboardExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	var dashboard struct {
		Templating struct {
			List []struct{ Name string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(readMonitoring(t, "grafana-dashboard.json"), &dashboard))
	variables := regexp.MustCompile(`\$\{?(\w+)`)
	known := []string{"__rate_interval"}
	for _, v := range dashboard.Templating.List {
		known = append(known, v.Name)
	}
	for _, panel := range dashboard.Panels {
		assert.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			for _, v := range variables.FindAllStringSubmatch(target.Expr, -1) {
				assert.Contains(t, known, v[1], panel.Title)
			}
			expressions = append(expressions, target.Expr)
		}
	}
	require.NotEmpty(t, expressions)
	return expressions
}

// A figure that is renamed must not leave an alert or a panel that is silent for ever.
func TestMonitoringNamesFiguresThatExist(t *testing.T) {
	t.Parallel()
	texts := dashboardExpressions(t)
	for _, rule := range alertRules(t) {
		texts = append(texts, rule.Expr)
	}
	name := regexp.MustCompile(`\bwherobots_audit_\w+`)
	for _, text := range append(texts, string(readMonitoring(t, "rules.test.yml"))) {
		names := name.FindAllString(text, -1)
		assert.NotEmpty(t, names, text)
		for _, n := range names {
			assert.Contains(t, figures.Names(), n)
		}
	}
}

// Prometheus' parser takes every expression of the dashboard.
func TestDashboardParses(t *testing.T) {
	t.Parallel()
	values := strings.NewReplacer("$__rate_interval", "5m", "$name", ".*")
	var rules []map[string]string
	for _, expression := range dashboardExpressions(t) {
		rules = append(rules, map[string]string{"record": "panel", "expr": values.Replace(expression)})
	}
	rules = slices.CompactFunc(rules, func(a, b map[string]string) bool { return a["expr"] == b["expr"] })
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	promtool(t, "check", "rules", "--lint=none", file)
}
