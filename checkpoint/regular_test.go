package checkpoint

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// odd puts something that is not a regular file at path.
var odd = map[string]func(t *testing.T, path string){
	"a pipe":      func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
	"a directory": func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
	"a link": func(t *testing.T, path string) {
		require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "x"), path))
	},
	"a link to it": func(t *testing.T, path string) { require.NoError(t, os.Symlink(path, path)) },
	"a device":     func(t *testing.T, path string) { require.NoError(t, os.Symlink("/dev/zero", path)) },
	"a socket": func(t *testing.T, path string) {
		listener, err := net.Listen("unix", path)
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
	},
}

// Whatever lies where the lock file should be is refused at once: it is not waited for, nor followed.
func TestALockFileThatIsNoFileIsRefused(t *testing.T) {
	for name, put := range odd {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(shortDir(t), "audit.json")
			put(t, path+".lock")
			_, err := openSoon(t, path)
			assert.EqualError(t, err, path+": cannot be locked: "+path+".lock is not a regular file; remove that, "+
				"or set another checkpoint_path")
			_, err = os.Stat(path)
			assert.ErrorIs(t, err, os.ErrNotExist, "nothing is begun without a lock")
		})
	}
}

// shortDir is a directory whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "lock")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// openSoon is Open, which must not take long.
func openSoon(t *testing.T, path string) (f *File, err error) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		f, err = Open(path, testSource)
		close(over)
	}()
	select {
	case <-over:
		if err == nil {
			t.Cleanup(func() { f.Close() })
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
	return f, err
}

// Who can put a link where the lock file should be must not get another file changed by it.
func TestALinkInPlaceOfTheLockFileLeavesItsTarget(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "audit.json"), filepath.Join(dir, "precious")
	write(t, target, "precious text, longer than a mark")
	require.NoError(t, os.Symlink(target, path+".lock"))
	_, err := openSoon(t, path)
	require.ErrorContains(t, err, "is not a regular file")
	text, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "precious text, longer than a mark", string(text))
}

// What is put there later, while the checkpoint is open, is not touched either.
func TestALockFileThatIsReplacedLater(t *testing.T) {
	for name, put := range odd {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(shortDir(t), "audit.json")
			f := mustOpen(t, path)
			require.NoError(t, os.Remove(path+".lock"))
			put(t, path+".lock")
			over := make(chan error, 1)
			go func() { over <- f.Save(testState(1)); over <- f.Close() }()
			for range 2 {
				select {
				case err := <-over:
					require.NoError(t, err)
				case <-time.After(10 * time.Second):
					t.Fatal("it waits")
				}
			}
		})
	}
}
