package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultsAreFilledIn(t *testing.T) {
	set := func(name string) string { return map[string]string{"PORT": "2021", "KEY": "secret"}[name] }
	require.Equal(t, "a: /var/lib/x\nb: 2021\nc: -90d\nd:   # none\ne: ${KEY}\nf: $event['id'] ${x\n", expandDefaults(
		"a: ${DIR:-/var/lib}/x\nb: ${PORT:-2020}\nc: ${START:--90d}\nd: ${FILE:-}  # none\ne: ${KEY}\nf: $event['id'] ${x\n",
		set))
}

// Nothing that an older engine does not understand is left in any shipped configuration.
func TestEveryShippedConfigurationIsFilledIn(t *testing.T) {
	files, err := filepath.Glob("../../conf/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		code, out, problem := try("render", "--expand", file)
		require.Zero(t, code, problem)
		require.NotContains(t, out, ":-", file)
		require.Equal(t, strings.Count(out, "\n"), strings.Count(readFile(t, file), "\n"), file)
	}
	code, _, _ := try("render", "--expand", "no-such-file")
	require.Equal(t, exitUsage, code)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestOrganisationsAreRendered(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "organisations.yaml")
	require.NoError(t, os.WriteFile(list, []byte("- {name: acme, key_file: /k}\n- {name: globex, key_file: /k}\n"), 0o600))
	code, out, problem := try("render", "-c", "../../conf/http.yaml", list)
	require.Zero(t, code, problem)
	require.Equal(t, 2, strings.Count(out, "name: wherobots_audit\n"))
	code, _, problem = try("render", "-c", "../../conf/http.yaml", "--slices", "3", "--out", filepath.Join(dir, "slices"))
	require.Zero(t, code, problem)
	require.FileExists(t, filepath.Join(dir, "slices", "slice-2.yaml"))
	for _, wrong := range [][]string{
		{"render"},
		{"render", "-c", "../../conf/http.yaml"},
		{"render", "-c", "../../conf/http.yaml", "--shards", "2", list},
		{"render", "-c", "no-such-file", list},
		{"render", "-c", "../../conf/http.yaml", "no-such-file"},
	} {
		code, _, _ = try(wrong...)
		require.Equal(t, exitUsage, code, wrong)
	}
}
