package detections

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is that of the repository.
var root = filepath.Join("..", "..")

// tool returns the path of a program of PyPI, in a virtual environment of its own that has the versions of a list, and
// skips the test where Python or PyPI is missing. In CI a list that cannot be installed is a failure.
func tool(t *testing.T, list, program string) string {
	t.Helper()
	versions, err := os.ReadFile(list)
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	venv := filepath.Join(cache, "in_wherobots_audit", fmt.Sprintf("%s-%x", program, sha256.Sum256(versions)))
	path := filepath.Join(venv, "bin", program)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", venv},
		{
			filepath.Join(venv, "bin", "python"), "-m", "pip", "install",
			"--quiet", "--disable-pip-version-check", "--no-input", "--requirement", list,
		},
	} {
		output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err == nil {
			continue
		}
		require.NoError(t, os.RemoveAll(venv)) // not half of it, which would be taken for whole
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "%q: %s", command, output)
		}
		t.Skipf("%s cannot be installed: %q: %v: %s", program, command, err, last(output))
	}
	require.FileExists(t, path)
	return path
}

// last is the last line of what a program printed.
func last(output []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	return lines[len(lines)-1]
}

// run runs a program of Python without what it says of itself.
func run(program string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	command.Env = append(os.Environ(), "PYTHONWARNINGS=ignore", "PYTHONUTF8=1")
	output, err := command.CombinedOutput()
	return string(output), err
}
