package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

//go:generate go test -run ^TestPrometheusRule$ -update .

// TestPrometheusRule holds the Kubernetes object of the alerts to the alerts; go generate ./e2e rewrites it.
func TestPrometheusRule(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Generated from conf/monitoring/rules.yml by go generate ./e2e: change that.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: wherobots-audit}\nspec:\n")
	for line := range strings.Lines(string(readMonitoring(t, "rules.yml"))) {
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "\n":
			b.WriteString(line)
		default:
			b.WriteString("  " + line)
		}
	}
	golden.Equal(t, filepath.Join(root, "conf", "kubernetes", "monitoring", "prometheusrule.yaml"), []byte(b.String()))
}
