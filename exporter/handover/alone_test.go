package handover

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/claim"
)

// lockFile is what other versions of the plugin look for.
const lockFile = "wherobots_audit.lock"

// another locks the storage as another process would: the kernel keeps locks by open file.
func another(t *testing.T, root string) (end func()) {
	path := filepath.Join(root, lockFile)
	lock := flock.New(path)
	ok, err := lock.TryLock()
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, os.WriteFile(path, []byte("4711\n"), 0o600))
	return func() { require.NoError(t, lock.Unlock()) }
}

func impatient(t *testing.T) {
	was := claim.Patience
	claim.Patience = 100 * time.Millisecond
	t.Cleanup(func() { claim.Patience = was })
}

// The engine opens the chunk files that it found before it initializes its inputs, and takes them over after that.
func TestAnEngineThatWouldTakeOverAnothersStorageDoesNotStart(t *testing.T) {
	impatient(t)
	f := newStored(t)
	require.NoError(t, f.s.Claim(func(string) {}), "nothing is stored")
	f.chunk("wherobots_audit.0", "of the other one")
	end := another(t, f.root)
	waitedFor := ""
	err := f.s.Claim(func(holder string) { waitedFor = holder })
	require.Equal(t, "process 4711", waitedFor)
	require.ErrorContains(t, err, "storage.path "+f.root+" is used by process 4711")
	require.ErrorContains(t, err, "another WHEROBOTS_STATE_DIR")
	end()
	require.NoError(t, f.s.Claim(func(string) {}), "it has ended")
	f.s.Release()
}

func TestWhatIsInASharedStorageIsNotSafe(t *testing.T) {
	f := newStored(t)
	f.hand("one", "")
	path := f.chunk("wherobots_audit.0", "one")
	end := another(t, f.root)
	f.requireSafe(0, "the other one may take it when it starts")
	require.Contains(t, fmt.Sprint(f.log.Drain()), "is used by process 4711")
	f.l.Pause()
	f.l.accepted[0].at = time.Now().Add(-time.Second)
	f.l.Pause()
	f.requireSafe(0, "a shutdown leaves it in storage too")
	f.l.Resume()
	end()
	f.s.holdAt = time.Time{}
	f.requireSafe(0, "it may have taken it before it ended")
	f.hand("two", "")
	f.write(path, "onetwo")
	f.requireSafe(0, "in their order")
	f.l.Deliver(1)
	f.hand("three", "")
	f.write(path, "onetwothree")
	f.requireSafe(3, "the first is delivered, the others are this process's alone")
	f.s.Release()
}

// A batch that is handed over again has event_ids that the backlog may have.
func TestABacklogThatTellsWhereTheStorageIsProvesNothing(t *testing.T) {
	f := newStored(t)
	f.chunk("wherobots_audit.0", "changed 00000000-ev-1 changed")
	f.s.begun = time.Now().Add(time.Minute)
	require.NoError(t, f.s.Claim(func(string) {}))
	f.s.begun = time.Now().Add(time.Minute)
	f.hand("batch", "00000000-ev-1")
	f.facts.learn(newSnapshot(), 1)
	f.requireSafe(0, "of an earlier run")
	f.s.Release()
}

// Instances of one process share its engine's storage.
func TestInstancesOfAProcessShareItsStorage(t *testing.T) {
	impatient(t)
	f, g := newStored(t), newStored(t)
	f.chunk("wherobots_audit.0", "x")
	g.fds, g.s.proc = f.fds, f.fds
	require.NoError(t, f.s.Claim(func(string) {}))
	require.NoError(t, g.s.Claim(func(string) {}))
	f.s.Release()
	f.s.Release()
	tried := flock.New(filepath.Join(f.root, lockFile))
	ok, err := tried.TryLock()
	require.NoError(t, err)
	require.False(t, ok, "one instance is left")
	g.s.Release()
	another(t, f.root)()
	require.NoError(t, f.s.Claim(func(string) {}), "a hot reload")
	f.s.Release()
}

func TestAStorageThatCannotBeLockedIsSaid(t *testing.T) {
	f := newStored(t)
	f.hand("one", "")
	f.chunk("wherobots_audit.0", "one")
	require.NoError(t, os.Mkdir(filepath.Join(f.root, lockFile), 0o700))
	require.NoError(t, f.s.Claim(func(string) {}))
	f.s.holdAt = time.Time{}
	f.requireSafe(1, "it holds nothing up")
	require.Contains(t, fmt.Sprint(f.log.Drain()), "cannot be locked")
}
