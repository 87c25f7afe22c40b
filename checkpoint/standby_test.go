package checkpoint

import (
	"context"
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
		file, err := OpenStandby(t.Context(), path, testSource, func(holder string) { waits <- holder })
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

// A standby that is asked to end does, and the first one goes on.
func TestAStandbyEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := OpenStandby(ctx, path, testSource, func(string) { cancel() })
	require.ErrorIs(t, err, ErrEnded)
	require.True(t, isLocked(lockPath(path)))
	require.NoError(t, holder.Process.Kill())
	holder.Wait()
}
