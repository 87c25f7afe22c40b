package checkpoint

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadTakesNoLockAndWritesNothing(t *testing.T) {
	dir := t.TempDir()
	path, source := filepath.Join(dir, "checkpoint.json"), Source{Endpoint: "https://api.example.test"}
	_, found, err := Read(path, source)
	require.NoError(t, err)
	require.False(t, found)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "it makes no file")

	file, err := Open(path, source)
	require.NoError(t, err)
	defer file.Close()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, file.Save(State{Through: at, From: at, Key: NewKey()}))
	before, err := os.Stat(path)
	require.NoError(t, err)

	state, found, err := Read(path, source) // Open would wait for the lock
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, at, state.Through)
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "Open replaces the file, Read must not")

	_, _, err = Read(path, Source{Endpoint: "https://other.example.test"})
	require.ErrorContains(t, err, "belongs to endpoint https://api.example.test")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, _, err = Read(path, source)
	require.ErrorContains(t, err, "is cut off")
	_, _, err = Read(dir, source)
	require.ErrorContains(t, err, "is a directory")
}

// A checkpoint that has not begun, since its endpoint never answered, is none of that endpoint's: it may have been
// misspelt.
func TestACheckpointThatHasNotBegunBelongsToNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	file, err := Open(path, Source{Endpoint: "https://api.exmaple.test"})
	require.NoError(t, err)
	require.NoError(t, file.Save(State{Key: NewKey()}))
	file.Close()

	right := Source{Endpoint: "https://api.example.test"}
	file, err = Open(path, right)
	require.NoError(t, err)
	require.NoError(t, file.Save(State{Through: time.Now(), From: time.Now(), Key: NewKey()}))
	file.Close()
	_, err = Open(path, Source{Endpoint: "https://api.exmaple.test"})
	require.ErrorContains(t, err, "belongs to endpoint https://api.example.test")
}
