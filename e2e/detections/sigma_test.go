package detections

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/sigma"
)

func conf(path ...string) string {
	return filepath.Join(append([]string{root, "conf"}, path...)...)
}

// target is a query language: sigma-cli's name of it, and the pipeline with the names of fields.
type target struct {
	language, pipeline string
	counts             bool // knows correlations
}

// targets are by the name of the file that holds the queries.
var targets = map[string]target{
	"splunk":             {"splunk", "splunk", true},
	"elasticsearch":      {"lucene", "ecs", false},
	"elasticsearch-esql": {"esql", "ecs", true},
	"opensearch":         {"opensearch_lucene", "ecs", false},
	"opensearch-ocsf":    {"opensearch_lucene", "ocsf", false},
	"sentinel":           {"kusto", "sentinel", false},
	"victorialogs":       {"victoria_logs", "victorialogs", true},
}

func sigmaFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(conf("sigma", "*.yml"))
	require.NoError(t, err)
	require.Len(t, files, 7)
	return files
}

func sigmaCLI(t *testing.T) string { return tool(t, "sigma.txt", "sigma") }

// TestSigmaCheck: SigmaHQ's validators have nothing to say.
func TestSigmaCheck(t *testing.T) {
	t.Parallel()
	check := []string{"check", "--fail-on-issues", "--validation-config", conf("sigma", "validators.yaml")}
	output, err := run(sigmaCLI(t), append(check, sigmaFiles(t)...)...)
	require.NoError(t, err, output)
	require.Contains(t, output, "No validation issues found.")

	spoiled := spoiledRule(t)
	output, err = run(sigmaCLI(t), append(check, spoiled)...)
	require.Error(t, err, "a rule without a level: %s", output)
}

// spoiledRule has no level.
func spoiledRule(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(conf("sigma", "api_key_created.yml"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "spoiled_rule.yml")
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte("level: medium\n"), nil), 0o600))
	return path
}

// TestSigmaQueries compares conf/sigma/queries with what sigma-cli makes of the rules; go generate ./e2e/detections
// writes them anew.
func TestSigmaQueries(t *testing.T) {
	t.Parallel()
	program := sigmaCLI(t)
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden.Equal(t, queryFile(name), []byte(target.convert(t, program)))
		})
	}
}

func queryFile(name string) string { return conf("sigma", "queries", name+".txt") }

// marked puts a mark and the rule's title before each query of sigma-cli's output.
const marked = `name: marks
priority: 100
postprocessing:
  - type: simple_template
    template: "@@@{rule.title}\n{query}"
`

// convert converts every rule. Of the correlation a language that has none gets the rule whose events are counted.
func (target target) convert(t *testing.T, program string) string {
	t.Helper()
	marks := filepath.Join(t.TempDir(), "marks.yml")
	require.NoError(t, os.WriteFile(marks, []byte(marked), 0o600))
	files := sigmaFiles(t)
	for i, file := range files {
		if !target.counts {
			files[i] = firstDocument(t, file)
		}
	}
	output, err := run(program, append([]string{
		"convert", "--target", target.language, "--pipeline", conf("sigma", "pipelines", target.pipeline+".yml"),
		"--pipeline", marks, "--fail-unsupported",
	}, files...)...)
	require.NoError(t, err, output)
	queries := make(map[string]string) // by the rule's title
	for _, block := range strings.Split(output, "@@@")[1:] {
		title, query, _ := strings.Cut(block, "\n")
		queries[title] = strings.TrimSpace(query)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of the rules by sigma-cli's %s with pipelines/%s.yml: go generate ./e2e/detections\n",
		target.language, target.pipeline)
	for _, file := range files {
		documents := sigma.Read(t, file)
		rule := documents[len(documents)-1]
		require.NotEmpty(t, queries[rule.Title], "%s: %s", file, output)
		fmt.Fprintf(&b, "\n# %s: %s (%s)\n%s\n", filepath.Base(file), rule.Title, rule.Level, queries[rule.Title])
	}
	require.Len(t, queries, len(files))
	return b.String()
}

// firstDocument copies the first document of a file.
func firstDocument(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	first, _, _ := bytes.Cut(text, []byte("\n---\n"))
	path := filepath.Join(t.TempDir(), filepath.Base(file))
	require.NoError(t, os.WriteFile(path, first, 0o600))
	return path
}

// readQueries are the queries of a language by the rule's file.
func readQueries(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(queryFile(name))
	require.NoError(t, err)
	queries := make(map[string]string)
	for _, block := range strings.Split(string(text), "\n# ")[1:] {
		head, query, _ := strings.Cut(block, "\n")
		file, _, _ := strings.Cut(head, ":")
		queries[file] = strings.TrimSpace(query)
	}
	return queries
}

// TestSigmaQueriesAreThere needs no sigma-cli: every language has every rule, and no queries are left of others.
func TestSigmaQueriesAreThere(t *testing.T) {
	t.Parallel()
	for name := range targets {
		queries := readQueries(t, name)
		for _, file := range sigmaFiles(t) {
			assert.NotEmpty(t, queries[filepath.Base(file)], "%s: %s", name, file)
		}
		assert.Len(t, queries, len(sigmaFiles(t)), name)
	}
	files, err := filepath.Glob(queryFile("*"))
	require.NoError(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		assert.Contains(t, targets, name)
	}
}
