package moves

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const service = 65532 // the user of the image

// Root moves and imports checkpoints of a service that runs as another user: it must still be able to read them.
func TestWhatRootMovesStaysTheServices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	owners := func(path string) (list []uint32) {
		for _, p := range []string{path, path + ".lock"} {
			stat, ok := statOf(p)
			require.True(t, ok, p)
			list = append(list, stat.Uid, stat.Gid)
		}
		return list
	}
	path := atRest(t, now.Add(-time.Minute))
	require.Equal(t, []uint32{0, 0, 0, 0}, owners(path))
	var document bytes.Buffer
	_, err := Export(&document, path, "1", now)
	require.NoError(t, err)
	_, err = Rewind(path, now.Add(-5*time.Hour), "root's own", now)
	require.NoError(t, err)
	require.Equal(t, []uint32{0, 0, 0, 0}, owners(path), "it was root's")

	require.NoError(t, os.Chown(path, service, service+1))
	require.NoError(t, os.Chown(path+".lock", service, service+1))
	_, err = Rewind(path, now.Add(-10*time.Hour), "the service's", now)
	require.NoError(t, err)
	require.Equal(t, []uint32{service, service + 1, service, service + 1}, owners(path))

	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, service, service))
	path = filepath.Join(dir, "audit.json")
	_, err = Import(&document, path, false, true, now)
	require.NoError(t, err)
	require.Equal(t, []uint32{service, service, service, service}, owners(path), "the directory's owner, on a new machine")
}

// A link that the service's user could make to a file of root's is not followed.
func TestOnlyOwnFilesAreGivenAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "root's")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink(file, filepath.Join(dir, "soft")))
	require.NoError(t, os.Link(file, filepath.Join(dir, "hard")))
	require.NoError(t, giveTo(service, service, []string{filepath.Join(dir, "soft"), filepath.Join(dir, "hard")}))
	stat, _ := statOf(file)
	require.Zero(t, stat.Uid)
}
