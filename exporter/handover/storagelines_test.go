package handover

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// said returns the lines since the last call that have this text.
func (f *stored) said(text string) (n int) {
	for _, line := range f.log.Drain() {
		if strings.Contains(line.Text, text) {
			n++
		}
	}
	return n
}

// Descriptors are the engine's too: the oldest files are closed, and not opened again.
func TestSoManyFilesAreHeldOpen(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "")
	var paths []string
	for range openMost + 6 {
		paths = append(paths, f.chunk("wherobots_audit.0", "other"))
	}
	for range 2 {
		f.s.dirsAt = time.Time{}
		f.requireSafe(0, "it is in none")
		require.Len(t, f.s.files, openMost)
		require.Nil(t, f.s.files[paths[0]])
		require.Nil(t, f.s.files[paths[5]])
		require.NotNil(t, f.s.files[paths[6]])
	}
}

func TestThatStorageCannotBeSyncedIsSaidNowAndThen(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		path := filepath.Join(f.TempDir(), "chunk.flb")
		file, err := os.Create(path)
		require.NoError(f, err)
		c := &chunkFile{file: file, path: path}
		require.True(f, f.s.synced(c))
		require.Empty(f, f.log.Drain())
		require.NoError(f, file.Close())
		for _, n := range []int{1, 0} {
			require.False(f, f.s.synced(c))
			require.Equal(f, n, f.said("cannot be synced"))
		}
		time.Sleep(logline.RareInterval)
		f.s.synced(c)
		require.Zero(f, f.said("cannot be synced"))
		time.Sleep(time.Nanosecond)
		f.s.synced(c)
		require.Equal(f, 1, f.said("cannot be synced"))
	})
}

func TestWhenABatchIsLate(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.hand("batch", "")
		time.Sleep(standstill)
		f.s.look()
		require.Zero(f, f.said("The checkpoint stands still"))
		time.Sleep(time.Nanosecond)
		f.s.look()
		require.Equal(f, 1, f.said("The checkpoint stands still"))
	})
}

// The room is that of the file system, and emitters write everything once more.
func TestTheRoomOfTheFileSystem(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.s.root = f.TempDir()
		f.s.guard()
		var stat syscall.Statfs_t
		require.NoError(f, syscall.Statfs(f.s.root, &stat))
		if stat.Files > 0 {
			require.InEpsilon(f, float64(stat.Ffree), float64(f.l.disk.files), 0.01)
		} else {
			require.EqualValues(f, unknown, f.l.disk.files)
		}
		require.InEpsilon(f, float64(stat.Bavail)*float64(stat.Bsize), float64(f.l.disk.free), 0.05)
		require.EqualValues(f, 1, f.l.disk.factor)
		require.NoError(f, os.Mkdir(filepath.Join(f.s.root, "emitter.3"), 0o700))
		time.Sleep(restInterval - 1)
		f.s.guard()
		require.EqualValues(f, 1, f.l.disk.factor, "it is not asked that often")
		time.Sleep(time.Nanosecond)
		f.s.guard()
		require.EqualValues(f, 2, f.l.disk.factor)
		require.NoError(f, os.RemoveAll(f.s.root))
		time.Sleep(restInterval)
		f.s.guard()
		require.EqualValues(f, unknown, f.l.disk.free, "it does not tell any more")
	})
}

// A file system without a number of files (btrfs) is not full for that; one that has none left is.
func TestTheRoomForFiles(t *testing.T) {
	for want, stat := range map[int64]syscall.Statfs_t{
		unknown: {Bavail: 5, Bsize: 4096},
		0:       {Bavail: 5, Bsize: 4096, Files: 100},
		7:       {Bavail: 5, Bsize: 4096, Files: 100, Ffree: 7},
	} {
		free, files := new(Storage).roomOf(&stat)
		require.EqualValues(t, 5*4096, free)
		require.Equal(t, want, files)
	}
}

// With memory storage there is no chunk file, and none is looked for, unless the storage has been found.
func TestWhereAChunkFileMayBe(t *testing.T) {
	f := newStored(t)
	require.True(t, f.s.mayFind(), "nothing is known")
	f.s.facts.mu.Lock()
	f.s.facts.memory = true
	f.s.facts.mu.Unlock()
	require.False(t, f.s.mayFind())
	f.s.root = f.root
	require.True(t, f.s.mayFind())
}

// Folders of inputs are made when the engine starts: they are looked for now and then.
func TestWhenNewFoldersAreSeen(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.hand("batch", "")
		f.chunk("wherobots_audit.0", "other")
		f.requireSafe(0, "")
		f.chunk("wherobots_audit.1", "batch")
		time.Sleep(restInterval - 1)
		f.requireSafe(0, "not yet")
		time.Sleep(time.Nanosecond)
		f.requireSafe(1, "seen")
	})
}

func TestARareLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rareLine
		var said []string
		say := func(lasts bool) []string {
			said = nil
			r.say(lasts, func() { said = append(said, "begin") }, func() { said = append(said, "end") })
			return said
		}
		require.Empty(t, say(false))
		require.Equal(t, []string{"begin"}, say(true))
		require.Empty(t, say(true))
		time.Sleep(logline.RareInterval)
		require.Empty(t, say(true))
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"begin"}, say(true))
		require.Equal(t, []string{"end"}, say(false))
		require.Empty(t, say(false))
		require.Equal(t, []string{"begin"}, say(true))
	})
}
