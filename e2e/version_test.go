package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The version given to make is the one that is linked: for a variable of another name the linker does nothing
// and says nothing.
func TestTheGivenVersionIsLinked(t *testing.T) {
	t.Parallel()
	const version = "v0.0.0-linked-by-a-test"
	build := t.TempDir()
	output, err := exec.Command("make", "-C", root, "build", "BUILD="+build, "VERSION="+version).CombinedOutput()
	require.NoError(t, err, "%s", output)
	object, err := os.ReadFile(filepath.Join(build, "in_wherobots_audit.so"))
	require.NoError(t, err)
	object = bytes.ReplaceAll(object, []byte("="+version), nil) // the flags of the build are in it too
	assert.True(t, bytes.Contains(object, []byte(version)), "the version is not in the shared object")
}
