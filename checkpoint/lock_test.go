package checkpoint

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
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
	assert.EqualError(
		t, err,
		fmt.Sprintf("%s: is used by process %d; %s", path, holder.Process.Pid, stopThat),
	)
}

// A holder on another machine, or in another container that shares the volume, has a pid that means nothing here.
func TestHolderElsewhere(t *testing.T) {
	patience(t, 60*time.Millisecond)
	path := filepath.Join(t.TempDir(), "audit.json")
	startHolder(t, path)
	for note, want := range map[string]string{
		markHad + "1 web-7 TOKEN\n": "is used by process 1 of host web-7",
		markNew + "1 web-7 TOKEN\n": "is used by process 1 of host web-7",
		"":                          "is used by another process",
		markNew:                     "is used by another process",
		markHad + "1 web":           "is used by another process",
	} {
		write(t, path+".lock", note)
		_, err := Open(path, testSource)
		assert.EqualError(t, err, path+": "+want+"; "+stopThat)
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

const stopThat = "stop that first, or give this one another checkpoint_path and another storage.path"

// Fluent Bit's grace is 5 s: a restart meanwhile must not fail.
func TestWaitsForALongGrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	_, finish := startHolder(t, path)
	time.AfterFunc(6*time.Second, finish)
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
	assert.EqualError(
		t, err,
		path+": is used by another [INPUT] of this process; give each instance a checkpoint_path of its own",
	)
	require.NoError(t, first.Save(testState(2)), "the first goes on")
	require.NoError(t, first.Close())
	assert.Equal(t, testState(2), saved(t, path))

	note, err := os.ReadFile(path + ".lock")
	require.NoError(t, err)
	assert.Equal(t, markHad, string(note), "nobody holds it now")
}

// Only a checkpoint that had begun can be lost. A first start that failed, on a full disk say, leaves a lock
// file too.
func TestLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	begun, notBegun := testState(1), testState(1)
	notBegun.Through = time.Time{}
	lost := func() bool {
		f := mustOpen(t, path)
		defer f.Close()
		return f.Lost()
	}
	save := func(state State) {
		f := mustOpen(t, path)
		require.NoError(t, f.Save(state))
		require.NoError(t, f.Close())
	}
	require.False(t, lost(), "never there")
	require.False(t, lost(), "not saved by who was here")
	save(notBegun)
	require.False(t, lost(), "not begun")
	require.NoError(t, os.Remove(path))
	require.False(t, lost(), "had not begun")

	save(begun)
	require.NoError(t, os.Remove(path))
	require.True(t, lost())
	save(begun)
	require.False(t, lost(), "it is there")
	require.NoError(t, os.Remove(path))
	require.True(t, lost())
	require.True(t, lost(), "it still is")
	save(notBegun)
	require.True(t, lost(), "the new one has not begun, so nobody was told")
	write(t, path, "damaged")
	_, err := Open(path, testSource)
	require.ErrorContains(t, err, "move it away")
	require.NoError(t, os.Rename(path, path+".away"))
	require.True(t, lost(), "moved away")
	save(begun)
	require.False(t, lost(), "begun anew")
}

// A checkpoint that came from elsewhere, without its lock file, can be lost too.
func TestARestoredCheckpointCanBeLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	require.NoError(t, f.Save(testState(1)))
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(path+".lock"))
	f = mustOpen(t, path)
	require.False(t, f.Lost())
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(path))
	require.True(t, mustOpen(t, path).Lost())
}

// A process that is killed takes nothing of it away, nor does one that was killed before anything was saved
// make it look so.
func TestLostAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	kill := func() {
		holder, _ := startHolder(t, path)
		require.NoError(t, holder.Process.Kill())
		holder.Wait()
	}
	kill()
	f := mustOpen(t, path)
	require.False(t, f.Lost())
	require.NoError(t, f.Save(testState(1)))
	require.NoError(t, f.Close())
	kill()
	require.NoError(t, os.Remove(path))
	require.True(t, mustOpen(t, path).Lost())
}

// A disk that is full does not take the mark away. The limit that stands for it is one of the whole process,
// so a process of its own has it.
func TestAFullDiskLeavesTheMark(t *testing.T) {
	for room, size := range map[string]int{"none": 0, "the mark": len(markHad)} {
		path := filepath.Join(t.TempDir(), "audit.json.lock")
		write(t, path, markHad+"1 web-7 TOKEN\n")
		output, err := child("note with room for "+room, path).CombinedOutput()
		require.NoError(t, err, "%s", output)
		note, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(note), markHad), "%q", note)
		require.NotContains(t, string(note), "web-8")
		require.Equal(
			t, size == 0, strings.Contains(string(note), "web-7"),
			"nobody is named who does not hold it, if it can be helped",
		)
	}
}

// noteChild writes another note while files can have no more than size bytes.
func noteChild(size uint64) func(path string) int {
	return func(path string) int {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			fmt.Println(err)
			return 1
		}
		writeNote(path, true, "2 web-8 OTHER\n")
		return 0
	}
}

// Fifteen silent seconds look like a start that hangs.
func TestWhoWaitsForTheLockIsToldForWhom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	holder, _ := startHolder(t, path)
	patience(t, 10*time.Millisecond)
	var waited []string
	_, err := OpenWaiting(path, testSource, func(holder string) { waited = append(waited, holder) })
	name := fmt.Sprintf("process %d", holder.Process.Pid)
	require.ErrorContains(t, err, "is used by "+name+"; "+stopThat)
	require.Equal(t, []string{name}, waited)
}
