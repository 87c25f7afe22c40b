package handover

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an output has yet to take is counted, whichever run stored it; what a full disk left, and other inputs' chunks,
// are not.
func TestLeftCountsChunksWithContent(t *testing.T) {
	var f Facts
	require.Zero(t, f.Left(), "no storage is known")
	root := t.TempDir()
	f.setRoot(root)
	require.Zero(t, f.Left())
	for path, length := range map[string]int{
		"wherobots_audit.0/1-1700000000.000000001.flb": 7,
		"wherobots_audit.1/1-1700000000.000000002.flb": 0,
		"emitter.2/1-1700000000.000000003.flb":         9,
		"tail.3/1-1700000000.000000004.flb":            9,
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o700))
		data := make([]byte, 4096)
		data[0] = 0xC1
		binary.BigEndian.PutUint32(data[10:], uint32(length))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), data, 0o600))
	}
	require.Equal(t, 2, f.Left())
}
