package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience sets how long Open waits for another process.
func patience(t *testing.T, d time.Duration) {
	before := lockPatience
	lockPatience = d
	t.Cleanup(func() { lockPatience = before })
}

func TestSecondProcessIsRefused(t *testing.T) {
	patience(t, 150*time.Millisecond)
	path := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, path)
	_, err := Open(path, testSource)
	assert.EqualError(t, err, fmt.Sprintf("%s: is used by process %d; stop that first, or set another checkpoint_path", path, holder.Process.Pid))
}

// A holder on another machine, or in another container that shares the volume, has a pid that means nothing here.
func TestHolderElsewhere(t *testing.T) {
	patience(t, 60*time.Millisecond)
	path := filepath.Join(t.TempDir(), "audit.json")
	startHolder(t, path)
	for note, want := range map[string]string{
		"1 web-7 TOKEN\n": "is used by process 1 of host web-7",
		"":                "is used by another process",
		"1 web":           "is used by another process",
	} {
		write(t, path+".lock", note)
		_, err := Open(path, testSource)
		assert.EqualError(t, err, path+": "+want+"; stop that first, or set another checkpoint_path")
	}
}

// A restart may overlap with the end of the old process.
func TestWaitsForAProcessThatEnds(t *testing.T) {
	patience(t, 20*time.Second)
	path := filepath.Join(t.TempDir(), "audit.json")
	_, finish := startHolder(t, path)
	time.AfterFunc(100*time.Millisecond, finish)
	mustOpen(t, path)
}

func TestCrashedHolderIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, path)
	require.NoError(t, holder.Process.Kill())
	holder.Wait()
	note, err := os.ReadFile(path + ".lock")
	require.NoError(t, err)
	require.Contains(t, string(note), fmt.Sprint(holder.Process.Pid), "its note is still there")
	patience(t, 0)
	mustOpen(t, path)
}

func TestSecondInstanceOfThisProcessIsRefusedAtOnce(t *testing.T) {
	patience(t, time.Hour)
	path := filepath.Join(t.TempDir(), "audit.json")
	first := mustOpen(t, path)
	require.NoError(t, first.Save(testState(1)))
	_, err := Open(path, testSource)
	assert.EqualError(t, err, path+": is used by another [INPUT] of this process; give each instance a checkpoint_path of its own")
	require.NoError(t, first.Save(testState(2)), "the first goes on")
	require.NoError(t, first.Close())
	assert.Equal(t, testState(2), saved(t, path))

	note, err := os.ReadFile(path + ".lock")
	require.NoError(t, err)
	assert.Equal(t, noHolder, string(note), "nobody holds it now")
}

// Only where there was a checkpoint can one be lost. A first start that failed, on a full disk say, leaves a lock file too.
func TestLost(t *testing.T) {
	lost := func(path string) bool {
		f := mustOpen(t, path)
		defer f.Close()
		return f.Lost()
	}
	path := filepath.Join(t.TempDir(), "audit.json")
	require.False(t, lost(path), "never there")
	require.False(t, lost(path), "not saved by those who were here")

	f := mustOpen(t, path)
	require.NoError(t, f.Save(testState(1)))
	require.NoError(t, f.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.True(t, lost(path))
	require.True(t, lost(path), "it still is")

	restored := filepath.Join(t.TempDir(), "audit.json")
	write(t, restored, string(text))
	require.False(t, lost(restored))
	require.NoError(t, os.Remove(restored))
	require.True(t, lost(restored))

	damaged := filepath.Join(t.TempDir(), "audit.json")
	write(t, damaged, "damaged")
	_, err = Open(damaged, testSource)
	require.ErrorContains(t, err, "move it away")
	require.NoError(t, os.Remove(damaged))
	require.True(t, lost(damaged))

	crashed := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, crashed)
	require.NoError(t, holder.Process.Kill())
	holder.Wait()
	require.True(t, lost(crashed), "its last user crashed, and may have had one")
}
