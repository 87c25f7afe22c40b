package packaging

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released is what `make release` made, for all tests. Where its tools cannot be had, they are skipped.
func released(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"nfpm", "cyclonedx"} {
		if output, err := makeTarget(tool); err != nil {
			t.Skipf("%s cannot be had: %s", tool, lastLine(string(output)))
		}
	}
	output, err := release()
	require.NoError(t, err, "%s", output)
	return releasedIn + "/dist"
}

const (
	releasedVersion = "v1.2.3-4-gabcdef0"
	releasedAt      = "1700000000"
	releasedIn      = "../build/released" // not in build itself, where binaries of another version may be in use
)

var release = sync.OnceValues(func() (output []byte, err error) {
	return makeTarget("release", "VERSION="+releasedVersion, "SOURCE_DATE_EPOCH="+releasedAt, "BUILD=build/released")
})

// Whoever builds a commit again, somewhere else, at another time, as another person, gets what was released, byte by
// byte.
func TestReleaseIsReproducible(t *testing.T) {
	dist := released(t)
	elsewhere := filepath.Join(t.TempDir(), "another folder, without git")
	copied := exec.Command("sh", "-c",
		`mkdir "$0" && git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from=- | `+
			`tar --extract --touch --directory "$0"`, elsewhere)
	copied.Dir = ".."
	text, err := copied.CombinedOutput()
	require.NoError(t, err, "%s", text)
	again := exec.Command("sh", "-c", `umask 077 && exec make release "$@"`, "sh",
		"VERSION="+releasedVersion, "SOURCE_DATE_EPOCH="+releasedAt)
	again.Dir = elsewhere
	again.Env = append(os.Environ(), "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "HOSTNAME=elsewhere")
	text, err = again.CombinedOutput()
	require.NoError(t, err, "%s", text)

	first, second := hashes(t, dist), hashes(t, filepath.Join(elsewhere, "build", "dist"))
	assert.Equal(t, first, second)
	assert.Len(t, first, 5, "an archive, two packages, two bills of materials")
	for _, binary := range []string{"in_wherobots_audit.so", "wherobots-audit"} {
		there := hash(t, filepath.Join(elsewhere, "build", binary))
		assert.Equal(t, hash(t, filepath.Join(releasedIn, binary)), there, binary)
	}
}

func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, path := range files(t, dir) {
		found[filepath.Base(path)] = hash(t, filepath.Join(dir, path))
	}
	return found
}

func hash(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// The archive is unpacked anywhere, and the configurations find the shared object from there.
func TestArchive(t *testing.T) {
	dist := released(t)
	found, err := filepath.Glob(dist + "/*.tar.gz")
	require.NoError(t, err)
	require.Len(t, found, 1)
	name := strings.TrimSuffix(filepath.Base(found[0]), ".tar.gz")
	assert.Regexp(t, `^wherobots-audit_1\.2\.3-4-gabcdef0_linux_(amd64|arm64)$`, name)
	unpacked := unpack(t, found[0])
	for _, file := range []string{
		"LICENSE", "THIRD_PARTY_LICENSES", "README.md", "CHANGELOG.md", "in_wherobots_audit.so", "conf/splunk.yaml",
		"conf/monitoring/rules.yml", "docs/operations.md",
	} {
		assert.FileExists(t, filepath.Join(unpacked, name, file))
	}
	assert.Equal(t, hash(t, "THIRD_PARTY_LICENSES"), hash(t, filepath.Join(unpacked, name, "THIRD_PARTY_LICENSES")))
	for _, list := range []string{"plugins.yaml", "plugins.conf"} {
		text, err := os.ReadFile(filepath.Join(unpacked, name, "conf", list))
		require.NoError(t, err)
		assert.Regexp(t, `(?m)^(    Path |  - )\./in_wherobots_audit\.so$`, string(text))
	}
	says := output(t, filepath.Join(unpacked, name, "wherobots-audit"), "--version")
	assert.Contains(t, says, releasedVersion)
	installed := t.TempDir()
	output(t, filepath.Join(unpacked, name, "wherobots-audit"), "install-plugin", installed)
	assert.FileExists(t, filepath.Join(installed, "in_wherobots_audit.so"))

	engineIn := exec.Command(engine(t), "-c", "conf/fluent-bit.yaml", "--dry-run")
	engineIn.Dir = filepath.Join(unpacked, name)
	engineIn.Env = append(os.Environ(), "WHEROBOTS_STATE_DIR="+t.TempDir(), "WHEROBOTS_API_KEY=none")
	text, err := engineIn.CombinedOutput()
	assert.NoError(t, err, "%s", text)
}

// unpack returns a folder with what is in an archive; all of it is root's and has the commit's time.
func unpack(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	packed, err := gzip.NewReader(file)
	require.NoError(t, err)
	dir := t.TempDir()
	for archive := tar.NewReader(packed); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return dir
		}
		require.NoError(t, err)
		assert.Equal(t, releasedAt, fmt.Sprint(header.ModTime.Unix()), header.Name)
		assert.Zero(t, header.Uid, header.Name)
		to := filepath.Join(dir, header.Name)
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(to, 0o755))
			continue
		}
		text, err := io.ReadAll(archive)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, text, header.FileInfo().Mode().Perm()))
	}
}

// A bill of materials lists what is linked in, neither less nor more, and whose it is.
func TestBillsOfMaterials(t *testing.T) {
	dist := released(t)
	for binary, prefix := range map[string]string{
		"in_wherobots_audit.so": "in_wherobots_audit_", "wherobots-audit": "wherobots-audit_",
	} {
		found, err := filepath.Glob(filepath.Join(dist, prefix+"*.cdx.json"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		text, err := os.ReadFile(found[0])
		require.NoError(t, err)
		assert.Contains(t, string(text), hash(t, filepath.Join(releasedIn, binary)), "of this very binary")
		var bill struct {
			BOMFormat string
			Metadata  struct {
				Component struct{ Name, Version string }
			}
			Components []struct {
				Name, Version string
				Evidence      struct{ Licenses []any }
			}
		}
		require.NoError(t, json.Unmarshal(text, &bill))
		assert.Equal(t, "CycloneDX", bill.BOMFormat)
		assert.Equal(t, releasedVersion, bill.Metadata.Component.Version)
		listed := map[string]string{}
		for _, component := range bill.Components {
			listed[component.Name] = component.Version
			if component.Name != "std" {
				assert.NotEmpty(t, component.Evidence.Licenses, component.Name)
			}
		}
		info, err := buildinfo.ReadFile(filepath.Join(releasedIn, binary))
		require.NoError(t, err)
		want := map[string]string{"std": info.GoVersion}
		for _, module := range info.Deps {
			want[module.Path] = module.Version
		}
		assert.Equal(t, want, listed, binary)
		inReport(t, want)
	}
}

// inReport requires that THIRD_PARTY_LICENSES has each of these modules.
func inReport(t *testing.T, modules map[string]string) {
	t.Helper()
	report, err := os.ReadFile("THIRD_PARTY_LICENSES")
	require.NoError(t, err)
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		if path != "std" {
			assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(path)+` `, string(report))
		}
	}
}

func TestNotes(t *testing.T) {
	changelog := filepath.Join(t.TempDir(), "CHANGELOG.md")
	require.NoError(t, os.WriteFile(changelog, []byte("# Changelog\n\n## [Unreleased]\n\n### Added\n\n- New.\n\n"+
		"## [1.2.3] - 2026-12-01\n\n### Fixed\n\n- Mended.\n\n"+
		"## [1.2.0] - 2026-11-01\n\n- Old.\n\n[1.2.0]: https://example.com\n"), 0o600))
	assert.Equal(t, "### Fixed\n\n- Mended.\n", output(t, "./notes.sh", "v1.2.3", changelog))
	assert.Equal(t, "- Old.\n", output(t, "./notes.sh", "1.2.0", changelog))
	assert.Equal(t, "### Added\n\n- New.\n", output(t, "./notes.sh", "v1.2.3-4-gabcdef0", changelog))
	text, err := exec.Command("./notes.sh", "v1.2", changelog).CombinedOutput()
	assert.NoError(t, err, "%s", text)
	text, err = exec.Command("./notes.sh", "v9.9.9", changelog).CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(text), "has no section 9.9.9")
	assert.NotEmpty(t, output(t, "./notes.sh", "snapshot"), "of this changelog")
}
