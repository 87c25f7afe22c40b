package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstallPlugin(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "made")
	for path, text := range map[string]string{
		"in_wherobots_audit.so": "object", "wherobots-audit": "command", "conf/splunk.yaml": "splunk",
		"conf/plugins.conf": "build/", "conf/elastic/a.json": "{}",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(from, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(from, path), []byte(text), 0o600))
	}
	for range 2 { // the second time over the first
		code, out, problem := try("install-plugin", "--from", from, to)
		require.Zero(t, code, problem)
		require.Contains(t, out, "WHEROBOTS_PLUGINS_FILE="+to+"/conf/plugins.conf")
	}
	require.Equal(t, "object", readFile(t, to+"/in_wherobots_audit.so"))
	require.Equal(t, "{}", readFile(t, to+"/conf/elastic/a.json"))
	require.Contains(t, readFile(t, to+"/conf/plugins.conf"), "Path "+to+"/in_wherobots_audit.so\n")
	info, err := os.Stat(to + "/wherobots-audit")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	left, err := filepath.Glob(to + "/.install-*")
	require.NoError(t, err)
	require.Empty(t, left)

	code, _, _ := try("install-plugin", "--from", from, "--as", "/wherobots", to)
	require.Zero(t, code)
	require.Contains(t, readFile(t, to+"/conf/plugins.conf"), "Path /wherobots/in_wherobots_audit.so\n")
	require.NoError(t, os.RemoveAll(from+"/conf"))
	nothing := filepath.Join(t.TempDir(), "nothing")
	code, _, problem := try("install-plugin", "--from", from, nothing)
	require.Equal(t, exitUsage, code)
	require.Contains(t, problem, "has no conf: name a folder")
	require.NoDirExists(t, nothing, "half of it is nothing")
}
