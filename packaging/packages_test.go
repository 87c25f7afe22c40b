package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// make runs a target at the root of the repository.
func makeTarget(arguments ...string) ([]byte, error) {
	return exec.Command("make", append([]string{"-C", ".."}, arguments...)...).CombinedOutput()
}

// packaged returns the path of the package with this ending.
func packaged(t *testing.T, ending string) string {
	t.Helper()
	found, err := filepath.Glob(released(t) + "/*." + ending)
	require.NoError(t, err)
	require.Len(t, found, 1)
	path, err := filepath.Abs(found[0])
	require.NoError(t, err)
	return path
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
}

func output(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	text, err := exec.Command(name, arguments...).CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(arguments, " "), text)
	return string(text)
}

// What is installed finds itself, wherever that is.
func TestInstall(t *testing.T) {
	dest := t.TempDir()
	text, err := makeTarget("install", "DESTDIR="+dest, "PREFIX=/opt/audit", "SYSCONFDIR=/opt/audit/etc")
	require.NoError(t, err, "%s", text)
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join(dest, path))
		require.NoError(t, err)
		return string(text)
	}
	const etc = "/opt/audit/etc/fluent-bit/wherobots/"
	assert.FileExists(t, dest+"/opt/audit/lib/fluent-bit/in_wherobots_audit.so")
	assert.Contains(t, read(etc+"plugins.conf"), "/opt/audit/lib/fluent-bit/in_wherobots_audit.so")
	assert.Contains(t, read(etc+"splunk.yaml"), "${WHEROBOTS_PLUGINS_FILE:-"+etc+"plugins")
	unit := read("/opt/audit/lib/systemd/system/wherobots-audit.service")
	assert.Contains(t, unit, "LoadCredential=api_key:"+etc+"api_key")
	assert.NotRegexp(t, `@\w+@`, unit)
	for _, path := range files(t, dest) {
		if strings.HasPrefix(path, etc) {
			assert.NotRegexp(t, `\bconf/plugins|\bbuild/`, read(path), path)
		}
	}

	// What somebody changed stays.
	edited := filepath.Join(dest, etc, "splunk.yaml")
	require.NoError(t, os.WriteFile(edited, []byte("mine"), 0o600))
	text, err = makeTarget("install", "DESTDIR="+dest, "PREFIX=/opt/audit", "SYSCONFDIR=/opt/audit/etc")
	require.NoError(t, err, "%s", text)
	assert.Equal(t, "mine", read(etc+"splunk.yaml"))
	assert.Contains(t, read(etc+"splunk.yaml.new"), "wherobots_audit")
}

// files lists the regular files below a folder, as paths seen from there.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			paths = append(paths, strings.TrimPrefix(path, dir))
		}
		return err
	}))
	return paths
}

// Both packages have what was installed, and treat what users edit as such.
func TestPackagesHaveTheSame(t *testing.T) {
	needs(t, "dpkg-deb", "rpm")
	deb, rpm := packaged(t, "deb"), packaged(t, "rpm")
	assert.Equal(t, "1.2.3+4.gabcdef0-1", strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, "Version")))
	assert.Equal(t, "1.2.3+4.gabcdef0-1", strings.TrimSpace(output(t, "rpm", "-qp", "--qf", "%{VERSION}-%{RELEASE}", rpm)))

	unpacked := t.TempDir()
	output(t, "dpkg-deb", "-x", deb, unpacked)
	inDeb := files(t, unpacked)
	inRPM := strings.Fields(output(t, "rpm", "-qlp", rpm))
	for _, path := range inDeb {
		assert.Contains(t, inRPM, path)
	}
	for _, path := range []string{
		"/usr/lib/fluent-bit/in_wherobots_audit.so", "/usr/bin/wherobots-audit",
		"/usr/lib/systemd/system/wherobots-audit.service",
		"/usr/share/wherobots-audit/elastic/component-template-raw.json",
		"/usr/share/doc/wherobots-audit/THIRD_PARTY_LICENSES",
	} {
		assert.Contains(t, inDeb, path)
	}
	control := t.TempDir()
	output(t, "dpkg-deb", "-e", deb, control)
	text, err := os.ReadFile(filepath.Join(control, "conffiles"))
	require.NoError(t, err)
	edited := strings.Fields(string(text))
	var inEtc []string
	for _, path := range inDeb {
		if strings.HasPrefix(path, "/etc/") {
			inEtc = append(inEtc, path)
		}
	}
	assert.ElementsMatch(t, inEtc, edited)
	assert.ElementsMatch(t, inEtc, strings.Fields(output(t, "rpm", "-qpc", rpm)))
	assert.True(t, slices.Contains(inEtc, "/etc/fluent-bit/wherobots/environment"))
	info, err := os.Stat(filepath.Join(unpacked, "etc/fluent-bit/wherobots/environment"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "secrets will be in it")
}

func TestLintian(t *testing.T) {
	needs(t, "lintian")
	deb := packaged(t, "deb")
	assert.Empty(t, output(t, "lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags-from-file",
		"testdata/lintian-not-debian", deb))
}
