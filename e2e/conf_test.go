package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// configurations are the shipped ones, by their names below conf/.
func configurations(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "conf", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	names := []string{"fluent-bit.conf"}
	for _, f := range files {
		if name := filepath.Base(f); name != "plugins.yaml" { // which the others name
			names = append(names, name)
		}
	}
	return names
}

// shipped is the part of a configuration that all of them have.
type shipped struct {
	Service  map[string]any
	Pipeline struct {
		Inputs, Outputs []map[string]any
	}
}

func readConf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "conf", file))
	require.NoError(t, err)
	return string(text)
}

func parseConf(t *testing.T, file string) shipped {
	t.Helper()
	var c shipped
	require.NoError(t, yaml.Unmarshal([]byte(readConf(t, file)), &c))
	require.Len(t, c.Pipeline.Inputs, 1)
	require.Len(t, c.Pipeline.Outputs, 1)
	return c
}

type variable struct {
	name     string
	optional bool
}

var variablePattern = regexp.MustCompile(`\$\{([A-Z_0-9]+)(:-[^}]*)?\}`)

// variables are those that a configuration uses, comments aside.
func variables(t *testing.T, file string) []variable {
	t.Helper()
	var found []variable
	for line := range strings.Lines(readConf(t, file)) {
		line, _, _ = strings.Cut(line, "# ")
		for _, match := range variablePattern.FindAllStringSubmatch(line, -1) {
			v := variable{match[1], match[2] != ""}
			if !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	return found
}

// engineKeys are keys of [INPUT] that the engine reads itself.
var engineKeys = []string{"name", "alias", "tag", "storage.type"}

// serviceKeys are those that Fluent Bit 5.1 knows: it ignores others without a word.
var serviceKeys = []string{
	"flush", "grace", "log_level", "plugins_file", "hot_reload", "http_server", "http_listen", "http_port",
	"storage.metrics", "storage.path",
	"storage.sync", "scheduler.base", "scheduler.cap",
}

// TestConfigurationsKeepEvents checks what the promise to lose no event needs of every configuration.
func TestConfigurationsKeepEvents(t *testing.T) {
	t.Parallel()
	standard := parseConf(t, "fluent-bit.yaml").Service
	settings := config.Table()
	for _, file := range configurations(t) {
		if filepath.Ext(file) != ".yaml" {
			continue
		}
		c := parseConf(t, file)
		assert.Equal(t, standard, c.Service, "%s: the service section is the same in all files", file)
		for key := range c.Service {
			assert.Contains(t, serviceKeys, key, "%s: the engine would ignore it", file)
		}
		input, output := c.Pipeline.Inputs[0], c.Pipeline.Outputs[0]
		for key := range input {
			if !slices.Contains(engineKeys, key) {
				assert.Contains(t, settings, "`"+key+"`", "%s: the plugin would ignore it", file)
			}
		}
		assert.Equal(t, "filesystem", input["storage.type"], file)
		for key := range input {
			assert.NotRegexp(t, "^(api_key|bearer)", key, "%s: the environment decides, or rotation needs a restart", file)
		}
		assert.Equal(t, "${FLUENT_BIT_HTTP_LISTEN:-127.0.0.1}", c.Service["http_listen"], file)
		assert.Equal(t, input["tag"], output["match"], file)
		if output["name"] == "s3" {
			assert.Equal(t, 1_000_000, output["retry_limit"], "the s3 output makes 5 of no_limits")
		} else {
			assert.Equal(t, "no_limits", output["retry_limit"], file)
		}
	}
}

// TestConfigurationsSayWhatTheyNeed holds the head of each file against its text.
func TestConfigurationsSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, file := range configurations(t) {
		var head strings.Builder
		for line := range strings.Lines(readConf(t, file)) {
			if !strings.HasPrefix(line, "#") {
				break
			}
			head.WriteString(line)
		}
		needed, optional, found := strings.Cut(head.String(), "ptional: ")
		require.True(t, found, file)
		_, needed, found = strings.Cut(needed, "# Needed: ")
		require.True(t, found, file)
		assert.Contains(t, needed, "WHEROBOTS_API_KEY or WHEROBOTS_API_KEY_FILE", file)
		for _, v := range variables(t, file) {
			switch {
			case v.name == "HOSTNAME": // the engine sets it
			case v.optional:
				assert.Regexp(t, `\b`+v.name+`\b`, optional, file)
			default:
				assert.Regexp(t, `\b`+v.name+`\b`, needed, file)
			}
		}
	}
}

// TestTwoVariablesAreEnough is a promise of the documentation: the key, which the plugin reads itself, and this one.
func TestTwoVariablesAreEnough(t *testing.T) {
	t.Parallel()
	for file, second := range map[string]string{
		"elasticsearch.yaml": "ELASTIC_API_KEY", "elasticsearch-data-stream.yaml": "ELASTIC_PASSWORD",
		"opensearch.yaml": "OPENSEARCH_PASSWORD", "splunk.yaml": "SPLUNK_HEC_TOKEN",
	} {
		var needed []string
		for _, v := range variables(t, file) {
			if !v.optional {
				needed = append(needed, v.name)
			}
		}
		assert.ElementsMatch(t, []string{second}, needed, file)
	}
}

// TestDestinationsAreDocumented keeps the table of docs/destinations.md whole.
func TestDestinationsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "destinations.md"))
	require.NoError(t, err)
	for _, file := range configurations(t) {
		assert.Regexp(t, `(?m)^\| .*`+"`conf/"+regexp.QuoteMeta(file)+"`", string(text))
	}
}
