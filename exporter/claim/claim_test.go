package claim

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

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
