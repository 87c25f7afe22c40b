package checkpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of two machines or containers that share a volume, a person must find the one that holds the checkpoint.
func TestTheLockFileNamesTheMachine(t *testing.T) {
	name, err := os.Hostname()
	if err != nil || strings.TrimSpace(name) == "" {
		t.Skip("this machine has no name")
	}
	path := filepath.Join(t.TempDir(), "audit.json")
	mustOpen(t, path)
	note, err := os.ReadFile(path + ".lock")
	require.NoError(t, err)
	require.Equal(t, strings.Join(strings.Fields(name), "_"), strings.Fields(string(note))[2])
}
