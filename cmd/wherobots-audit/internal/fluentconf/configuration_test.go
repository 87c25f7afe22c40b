package fluentconf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// files writes files into a directory of the test and returns the path of the first.
func files(t *testing.T, pairs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		path := filepath.Join(dir, pairs[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(pairs[i+1]), 0o600))
	}
	return filepath.Join(dir, pairs[0])
}

func environ(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// Read in flb_env_var_translate, and compared with what Fluent Bit 5.1.1 makes of them.
func TestVariables(t *testing.T) {
	env := newEnvironment(environ("A", "1", "EMPTY", "", "HOSTNAME", "h"))
	require.NoError(t, env.set("OWN", "2"))
	require.NoError(t, env.set("NOTHING", ""))
	for text, want := range map[string]string{
		"plain":              "plain",
		"${A}":               "1",
		"x${A}y${OWN}z":      "x1y2z",
		"${B:-b}":            "b",
		"${B:--90d}":         "-90d",
		"${B:-}":             "",
		"${A:-b}":            "1",
		"${EMPTY:-e}":        "e",
		"${NOTHING:-n}":      "n",
		"${B}":               "",
		"${B:-http://h:1/p}": "http://h:1/p",
		"${HOSTNAME}":        "h",
		"a}${A}":             "a}${A}",
		"${A} ${OWN":         "1",
		"${}x":               "${}x",
		"$A":                 "$A",
	} {
		got, _ := env.translate(text)
		require.Equal(t, want, got, text)
	}
	_, unset := env.translate("${B}${A}${C}${D:-}")
	require.Equal(t, []string{"B", "C"}, unset)
}

func TestAVariableMayBeAFile(t *testing.T) {
	path := files(t, "a.yaml", "env:\n  KEY: file://"+files(t, "secret", "hush\n")+"\nservice:\n  log_level: ${KEY}\n")
	c, err := Read(path, environ())
	require.NoError(t, err)
	require.Equal(t, "hush", c.Service.Get("log_level"))
	_, err = Read(files(t, "a.yaml", "env:\n  KEY: file:///nowhere\n"), environ())
	require.ErrorContains(t, err, "a.yaml:2")
}

func TestYAML(t *testing.T) {
	c, err := Read(files(t, "a.yaml", `# comment
env:
  TAG: audit
includes:
  - more/*.yaml
service:
  httpServer: on
  storage.path: ${DIR:-/var}/s
parsers:
  - name: p
pipeline:
  inputs:
    - name: wherobots_audit
      tag: ${TAG}
      pollInterval: 30s
      processors:
        logs:
          - name: content_modifier
            action: insert
  outputs:
    - name: stdout
      match: '*'
`, "more/b.yaml", `
pipeline:
  filters:
    - name: rewrite_tag
      match: audit
      rule:
        - $a ^x$ one false
        - $a ^y$ two false
`), environ())
	require.NoError(t, err)
	require.True(t, c.Service.On("http_server"))
	require.Equal(t, "/var/s", c.Service.Get("storage.path"))
	require.Len(t, c.Files, 2)
	inputs := c.Of("input")
	require.Len(t, inputs, 1)
	require.Equal(t, "audit", inputs[0].Get("tag"))
	require.Equal(t, "30s", inputs[0].Get("poll_interval"))
	require.Equal(t, 14, inputs[0].At("tag").Line)
	require.Equal(t, "content_modifier", inputs[0].Processors[0].Get("name"))
	filter := c.Of("filter")[0]
	require.Len(t, filter.Properties, 4)
	require.Equal(t, "$a ^y$ two false", filter.Properties[3].Value)
	require.Len(t, c.Of("parsers"), 1)
}

func TestClassic(t *testing.T) {
	c, err := Read(files(t, "a.conf", strings.ReplaceAll(`# comment
@SET TAG=audit
@SET EMPTY=
[SERVICE]
    HTTP_Server  On
@INCLUDE more/b.conf
@INCLUDE more/c*.conf

[INPUT]
    # comment
    Name   wherobots_audit
    Tag    ${TAG}
    Poll_Interval ${EMPTY:-30s}
`, "\n", "\r\n"), "more/b.conf", "[OUTPUT]\n  Name stdout\n  Match *",
		"more/c1.conf", "[FILTER]\n\tName grep\n"), environ())
	require.NoError(t, err)
	require.True(t, c.Service.On("http_server"))
	input := c.Of("input")[0]
	require.Equal(t, "audit", input.Get("tag"))
	require.Equal(t, "30s", input.Get("poll_interval"))
	require.Equal(t, 12, input.At("tag").Line)
	require.Equal(t, "*", c.Of("output")[0].Get("match"))
	require.Equal(t, "grep", c.Of("filter")[0].Get("name"))
	require.Len(t, c.Files, 3)
}

func TestAServiceMayBeIncludedByAClassicFileInTheMiddleOfASection(t *testing.T) {
	path := files(t, "a.conf", "[INPUT]\n    name a\n@INCLUDE b.conf\n    tag t\n", "b.conf", "[OUTPUT]\n  name o\n")
	c, err := Read(path, environ())
	require.NoError(t, err)
	require.Equal(t, "t", c.Of("input")[0].Get("tag"))
}

// What the engine refuses is refused here, with its place; what it takes is taken.
func TestWhatTheEngineRefusesAndTakes(t *testing.T) {
	const rest = "[OUTPUT]\n    name stdout\n"
	engine := engineBinary(t)
	for name, texts := range map[string][]string{
		"two services":       {"a.yaml", "service:\n  flush: 1\nservice:\n  flush: 2\n", "a.yaml:3"},
		"anchors":            {"a.yaml", "service: &s\n  flush: 1\npipeline: *s\n", "a.yaml:3"},
		"no list":            {"a.yaml", "pipeline:\n  inputs:\n    name: dummy\n", "a.yaml:3"},
		"a stranger":         {"a.yaml", "pipeline:\n  input:\n    - name: dummy\n", "a.yaml:2"},
		"no YAML":            {"a.yaml", "service: [\n", "a.yaml"},
		"nothing matches":    {"a.conf", "@INCLUDE no*.conf\n", "a.conf:1"},
		"itself":             {"a.yaml", "includes:\n  - a.yaml\n", "a.yaml:2"},
		"no such file":       {"a.conf", "@INCLUDE b.conf\n", "a.conf:1"},
		"no bracket":         {"a.conf", "[INPUT\n", "a.conf:1"},
		"no value":           {"a.conf", "[INPUT]\n    name\n", "a.conf:2"},
		"a tab parts":        {"a.conf", "[INPUT]\n    name\tdummy\n", "a.conf:2"},
		"no indent":          {"a.conf", "[INPUT]\nname dummy\n", "a.conf:2"},
		"less indented":      {"a.conf", "[INPUT]\n    name dummy\n  tag y\n", "a.conf:3"},
		"further indented":   {"a.conf", "[INPUT]\n    name dummy\n      tag y\n", "a.conf:3"},
		"no section":         {"a.conf", "    name dummy\n", "a.conf:1"},
		"instruction of one": {"a.conf", "@NOTHING\n", "a.conf:1"},

		"an editor's line": {
			"a.yaml", "# yaml-language-server: $schema=s.json\npipeline:\n  inputs:\n    - name: dummy\n  outputs:\n" +
				"    - name: stdout\n", "",
		},
		"nothing matches in YAML": {"a.yaml", "includes:\n  - no*.yaml\n", ""},
		"a section's rest":        {"a.conf", "[INPUT]\n    name dummy\n@SET A=b\n    tag ${A}\n" + rest, ""},
		"tabs and blanks":         {"a.conf", "[INPUT]\n\tname dummy\n\t\n\t# x\n\ttag   y\n[OUTPUT]\n\tname stdout\n", ""},
		"small letters and CR":    {"a.conf", "[input]\r\n    Name dummy\r\n[Output]\r\n    NAME stdout\r\n", ""},
		"a line of blanks first":  {"a.conf", "[INPUT]\n    \n    name dummy\n" + rest, ""},
	} {
		path := files(t, texts[0], texts[1])
		_, err := Read(path, environ())
		if texts[2] == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, texts[2], name)
		}
		if engine != "" {
			out, failed := exec.Command(engine, "--dry-run", "-c", path).CombinedOutput()
			require.Equal(t, err == nil, failed == nil, "%s: the engine says %s", name, out)
		}
	}
}

// engineBinary is a real Fluent Bit 5, or "".
func engineBinary(t *testing.T) string {
	engine := os.Getenv("FLUENT_BIT")
	if engine == "" {
		engine, _ = exec.LookPath("fluent-bit")
	}
	version, err := exec.Command(engine, "--version").Output()
	if err != nil || !strings.Contains(string(version), "v5.") {
		t.Log("no Fluent Bit 5 to compare with: set FLUENT_BIT")
		return ""
	}
	return engine
}

func TestAMessageDoesNotRepeatWhatMayBeASecret(t *testing.T) {
	_, err := Read(files(t, "a.conf", "[INPUT]\n    api_key=hush\n"), environ())
	require.ErrorContains(t, err, "api_key")
	require.NotContains(t, err.Error(), "hush")
}

func TestTagsAndPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, tag string
		want         bool
	}{
		{"*", "a", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "ab", true},
		{"*b", "ab", true},
		{"a*c", "abc", true},
		{"a*c", "abd", false},
		{"a.*.c", "a.b.c", true},
		{"**", "x", true},
		{"", "x", false},
	} {
		require.Equal(t, c.want, Match(c.pattern, c.tag), "%s %s", c.pattern, c.tag)
	}
	regex := Section{Properties: []Property{{Key: "match_regex", Value: "wher.*"}}}
	require.True(t, regex.Takes("wherobots"))
	require.False(t, regex.Takes("x.wherobots"))
}
