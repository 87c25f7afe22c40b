package source

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file of the settings that is a pipe or a device, or a link to one, is refused at once.
func TestFilesThatAreNoFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.Symlink(pipe, link))
	for _, path := range []string{pipe, link, "/dev/zero", dir} {
		over := make(chan error, 2)
		go func() {
			_, err := LoadRoots(path)
			over <- err
			_, _, err = NewCredential(Credentials{APIKeyFile: path}).Header()
			over <- err
		}()
		for range 2 {
			select {
			case err := <-over:
				assert.ErrorContains(t, err, "is not a regular file", path)
			case <-time.After(5 * time.Second):
				t.Fatal("waits for " + path)
			}
		}
	}
}

// A pipe that took the file's place after it was looked at is refused all the same.
func TestWhatWasOpenedIsLookedAtAgain(t *testing.T) {
	pipe, other, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, other.Close())
	_, err = readOpened(pipe, 100, "key")
	require.ErrorIs(t, err, errNotRegular)
	require.NoError(t, pipe.Close())
	_, err = readOpened(pipe, 100, "key")
	require.ErrorContains(t, err, "cannot be read")
}

// Kubernetes shows a secret as a link to a link.
func TestACredentialBehindLinksIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("..data", 0o700))
	require.NoError(t, os.WriteFile("..data/key", []byte("behind-links"), 0o600))
	require.NoError(t, os.Symlink("..data", "now"))
	require.NoError(t, os.Symlink("now/key", "key"))
	_, value, err := NewCredential(Credentials{APIKeyFile: "./key"}).Header()
	require.NoError(t, err)
	require.Equal(t, "behind-links", value)
}

func TestACAFileOfGigabytesIsNotReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 1<<40))
	_, err := LoadRoots(path)
	require.EqualError(t, err, "is larger than 16777216 bytes, which no list of certificates is")
}
