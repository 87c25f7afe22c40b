package detections

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packAddOn runs `make splunk-addon` in a copy of what it needs, and returns the archive's path.
func packAddOn(t *testing.T, umask string, changed time.Time) string {
	t.Helper()
	copied := t.TempDir()
	copying := exec.Command("sh", "-c",
		`umask "$1" && mkdir "$2/conf" && cp -R Makefile .golangci-version packaging "$2" && `+
			`cp -R conf/splunk "$2/conf/splunk"`,
		"sh", umask, copied)
	copying.Dir = root
	output, err := copying.CombinedOutput()
	require.NoError(t, err, string(output))
	require.NoError(t, filepath.WalkDir(copied, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, changed, changed))
	}))
	pack := exec.Command("make", "splunk-addon")
	pack.Dir = copied
	output, err = pack.CombinedOutput()
	require.NoError(t, err, string(output))
	return filepath.Join(copied, "build", "TA-wherobots-audit.tgz")
}

// TestSplunkAddOnIsReproducible: neither when files were written nor their rights change the archive.
func TestSplunkAddOnIsReproducible(t *testing.T) {
	t.Parallel()
	first, err := os.ReadFile(packAddOn(t, "022", time.Now()))
	require.NoError(t, err)
	second, err := os.ReadFile(packAddOn(t, "077", time.Now().AddDate(-1, 0, 0)))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(first, second), "two archives")

	unzipped, err := gzip.NewReader(bytes.NewReader(first))
	require.NoError(t, err)
	var names []string
	for archive := tar.NewReader(unzipped); ; {
		file, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(file.Name, "TA-wherobots-audit/"), file.Name)
		names = append(names, strings.TrimPrefix(file.Name, "TA-wherobots-audit/"))
	}
	assert.Subset(t, names, []string{"app.manifest", "default/app.conf", "default/props.conf", "metadata/default.meta"})
}

// TestSplunkAppInspect: Splunk's own inspection finds nothing to object to, whatever it is asked for.
func TestSplunkAppInspect(t *testing.T) {
	t.Parallel()
	program := tool(t, "appinspect.txt", "splunk-appinspect")
	report := inspect(t, program, packAddOn(t, "022", time.Now()))
	assert.Greater(t, report.Summary["success"], 50, "checks")
	for _, result := range []string{"error", "failure", "future_failure", "warning"} {
		assert.Zero(t, report.Summary[result], "%s: %s", result, report.objections())
	}
}

type inspection struct {
	Summary map[string]int
	Reports []struct {
		Groups []struct {
			Checks []struct {
				Name, Result string
				Messages     []struct{ Message string }
			}
		}
	}
}

func inspect(t *testing.T, program, archive string) (report inspection) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	output, err := run(program, "inspect", archive, "--mode", "precert", "--data-format", "json", "--output-file", file)
	if err != nil && strings.Contains(output, "libmagic") {
		t.Skip("splunk-appinspect needs the library libmagic")
	}
	require.FileExists(t, file, "%v: %s", err, output)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &report))
	return report
}

// objections are what was found, for the message of a failure.
func (i inspection) objections() string {
	var b strings.Builder
	for _, report := range i.Reports {
		for _, group := range report.Groups {
			for _, check := range group.Checks {
				if check.Result == "success" || check.Result == "not_applicable" || check.Result == "skipped" {
					continue
				}
				for _, m := range check.Messages {
					b.WriteString(check.Result + " " + check.Name + ": " + m.Message + "\n")
				}
			}
		}
	}
	return b.String()
}
