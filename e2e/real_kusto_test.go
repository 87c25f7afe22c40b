package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// kustoService is the language service of Azure's own query editor, from npm.
const kustoService = "@kusto/language-service-next@12.4.1"

// TestRealKusto checks syntax, names and types of the queries in conf/sentinel, conf/sigma and docs/proof.md against
// the table of the template.
func TestRealKusto(t *testing.T) {
	t.Parallel()
	service := installedFromNPM(t, kustoService, "@kusto/language-service-next")
	queries := []string{filepath.Join(root, "conf", "sentinel", "vimAuditEventWherobots.kql")}
	rules, err := filepath.Glob(filepath.Join(root, "conf", "sentinel", "rules", "*.yaml"))
	require.NoError(t, err)
	dir := t.TempDir()
	for i, query := range kqlElsewhere(t) {
		queries = append(queries, filepath.Join(dir, strconv.Itoa(i)))
		require.NoError(t, os.WriteFile(queries[len(queries)-1], []byte(query), 0o600))
	}
	for _, rule := range rules {
		var read struct{ Query string }
		text, err := os.ReadFile(rule)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &read))
		queries = append(queries, filepath.Join(dir, filepath.Base(rule)))
		require.NoError(t, os.WriteFile(queries[len(queries)-1], []byte(read.Query), 0o600))
	}
	check := func(files ...string) (string, error) {
		arguments := append([]string{"kusto.js", service, sentinelColumns(t)}, files...)
		output, err := exec.Command("node", arguments...).CombinedOutput()
		return string(output), err
	}
	output, err := check(queries...)
	require.NoError(t, err, output)
	t.Log(output)

	wrong := filepath.Join(dir, "wrong")
	require.NoError(t, os.WriteFile(wrong, []byte("WherobotsAudit_CL | where no_such_column == 1"), 0o600))
	output, err = check(queries[0], wrong)
	require.Error(t, err, "a query of a column that is not there passed")
	require.Contains(t, output, "no_such_column")
}

// kqlElsewhere are the searches of docs/proof.md, and what sigma-cli makes of the rules.
func kqlElsewhere(t *testing.T) []string {
	t.Helper()
	proof, err := os.ReadFile(filepath.Join(root, "docs", "proof.md"))
	require.NoError(t, err)
	queries := []string{documented(t, "docs/proof.md", "**Microsoft Sentinel, KQL**")}
	for _, pattern := range []string{"(?m)^\\| KQL \\| `(.*)` \\|$", "--analytics-query '([^']*)'"} {
		query := regexp.MustCompile(pattern).FindSubmatch(proof)
		require.NotNil(t, query, pattern)
		queries = append(queries, strings.ReplaceAll(string(query[1]), `\|`, "|"))
	}
	rules, err := os.ReadFile(filepath.Join(root, "conf", "sigma", "queries", "sentinel.txt"))
	require.NoError(t, err)
	blocks := strings.Split(string(rules), "\n# ")[1:]
	require.Len(t, blocks, 7)
	for _, block := range blocks {
		_, query, _ := strings.Cut(block, "\n")
		queries = append(queries, query)
	}
	return queries
}

// sentinelColumns are those of the template's table, as name:type.
func sentinelColumns(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "conf", "sentinel", "azuredeploy.json"))
	require.NoError(t, err)
	var template struct {
		Resources []struct {
			Properties struct {
				Schema struct {
					Columns []struct{ Name, Type string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &template))
	var columns []string
	for _, c := range template.Resources[0].Properties.Schema.Columns {
		columns = append(columns, "['"+c.Name+"']:"+c.Type)
	}
	return strings.Join(columns, ",")
}

// installedFromNPM returns the folder of a package, which is installed once for each version.
func installedFromNPM(t *testing.T, spec, name string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("no " + program + " on the PATH")
		}
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "in_wherobots_audit", "npm", strings.NewReplacer("/", "+", "@", "+").Replace(spec))
	folder := filepath.Join(dir, "node_modules", filepath.FromSlash(name))
	if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
		return folder
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, spec)
	if output, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "%s", output)
		}
		t.Skipf("npm does not deliver %s: %v", spec, err)
	}
	return folder
}
