package claim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// A kill frees the lock: the kernel drops it.
func TestAKilledProcessHoldsNoStorage(t *testing.T) {
	root := os.Getenv("HOLD_STORAGE")
	if root != "" {
		_, err := Hold(root, 0, nil)
		require.NoError(t, err)
		fmt.Println("held")
		time.Sleep(time.Minute)
	}
	root = t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestAKilledProcessHoldsNoStorage$")
	child.Env = append(os.Environ(), "HOLD_STORAGE="+root)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = out.Read(make([]byte, 4))
	require.NoError(t, err)
	_, err = Hold(root, 0, nil)
	require.ErrorContains(t, err, fmt.Sprintf("is used by process %d", child.Process.Pid))
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	release, err := Hold(root, time.Second, func(string) {})
	require.NoError(t, err)
	release()
}

// Another process that is ending is waited for, and named.
func TestWhoeverIsEndingIsWaitedFor(t *testing.T) {
	root := t.TempDir()
	other := flock.New(filepath.Join(root, lockFile))
	held, err := other.TryLock()
	require.NoError(t, err)
	require.True(t, held)
	require.NoError(t, os.WriteFile(other.Path(), []byte("4711\n"), 0o600))
	waited := ""
	release, err := Hold(root, time.Minute, func(holder string) {
		waited = holder
		require.NoError(t, other.Unlock())
	})
	require.NoError(t, err)
	require.Equal(t, "process 4711", waited)
	release()
}

// The inputs of a process share its storage: it is held until the last of them lets go.
func TestTheStorageIsHeldUntilTheLastInputLetsGo(t *testing.T) {
	root := t.TempDir()
	free := func() bool {
		other := flock.New(filepath.Join(root, lockFile))
		defer other.Close()
		held, err := other.TryLock()
		require.NoError(t, err)
		return held
	}
	first, err := Hold(root, 0, nil)
	require.NoError(t, err)
	second, err := Hold(root, 0, nil)
	require.NoError(t, err)
	first()
	first() // a second time changes nothing
	require.False(t, free())
	second()
	require.True(t, free())
	third, err := Hold(root, 0, nil)
	require.NoError(t, err)
	require.False(t, free())
	third()
}
