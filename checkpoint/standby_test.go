package checkpoint

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A standby waits longer than anybody needs to end, and goes on from what the first one saved, even if that was killed.
func TestStandby(t *testing.T) {
	patience(t, 20*time.Millisecond)
	path := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, path)
	opened := make(chan *File)
	waits := make(chan string, 1)
	go func() {
		file, err := OpenStandby(path, testSource, func(holder string) { waits <- holder })
		assert.NoError(t, err)
		opened <- file
	}()
	require.Contains(t, <-waits, "process ")
	select {
	case <-opened:
		require.Fail(t, "it did not wait")
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, holder.Process.Kill())
	holder.Wait()
	file := <-opened
	require.NotNil(t, file)
	require.NoError(t, file.Save(testState(1)))
	require.NoError(t, file.Close())
}
