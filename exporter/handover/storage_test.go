package handover

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// stored is a storage that looks into chunk files that the test writes, as the engine does.
type stored struct {
	*testing.T
	s     *Storage
	l     *Ledger
	facts *Facts
	log   *logline.Queue
	root  string
	fds   string
	made  int
}

func newStored(t *testing.T) *stored {
	f := &stored{T: t, l: NewLedger(OnStorage, 1000), facts: new(Facts), log: new(logline.Queue)}
	f.s = NewStorage(f.l, f.facts, f.log)
	f.root, f.fds = filepath.Join(t.TempDir(), "storage"), t.TempDir()
	f.s.proc = f.fds
	f.facts.silent(syscall.ECONNREFUSED, time.Now())
	return f
}

// hand hands a batch over whose records have this event_id.
func (f *stored) hand(data, id string) {
	require.True(f, f.l.Push([]byte(data), 1, id))
	require.NotNil(f, f.l.Next())
	f.l.Accept()
}

// chunk writes a chunk file, with metadata before its content, and has it open, as the engine has.
func (f *stored) chunk(input, content string) string {
	f.made++
	name := fmt.Sprintf("%d-%d.%9d.flb", os.Getpid(), time.Now().Unix(), f.made)
	path := filepath.Join(f.root, input, name)
	require.NoError(f, os.MkdirAll(filepath.Dir(path), 0o700))
	f.write(path, content)
	require.NoError(f, os.Symlink(path, filepath.Join(f.fds, fmt.Sprint(f.made))))
	return path
}

func (f *stored) write(path, content string) {
	const meta = "tag"
	data := make([]byte, chunkHeader, 4096)
	data[0] = 0xC1
	binary.BigEndian.PutUint32(data[10:], uint32(len(content)))
	binary.BigEndian.PutUint16(data[22:], uint16(len(meta)))
	data = append(append(data, meta...), content...)
	require.NoError(f, os.WriteFile(path, data[:4096], 0o600)) // the rest of the file is no content
}

func (f *stored) requireSafe(want uint32, why string) {
	f.Helper()
	f.s.look()
	safe, _ := f.l.State()
	require.Equal(f, want, safe, why)
}

func TestABatchThatIsInAChunkFileIsSafe(t *testing.T) {
	f := newStored(t)
	f.hand("first batch", "")
	f.requireSafe(0, "no file")
	path := f.chunk("wherobots_audit.0", "first batc")
	f.requireSafe(0, "not whole")
	f.write(path, "first batch")
	f.requireSafe(1, "whole")
	require.Equal(t, f.root, f.s.root)
	f.hand("first batch", "")
	f.requireSafe(1, "that one is the batch before")
	f.write(path, "first batchfirst batch")
	f.requireSafe(2, "appended")
}

func TestWhatFollowsTheContentIsNotStored(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "")
	path := f.chunk("wherobots_audit.0", "batch")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteAt([]byte{0, 0, 0, 0}, 10) // the length, as before the write was done
	require.NoError(t, err)
	require.NoError(t, file.Close())
	f.requireSafe(0, "not written yet")
}

func TestBatchesAreSafeInTheirOrder(t *testing.T) {
	f := newStored(t)
	f.hand("one", "")
	f.hand("two", "")
	path := f.chunk("wherobots_audit.0", "two")
	f.requireSafe(0, "the one before is not found")
	f.write(path, "two")
	f.chunk("wherobots_audit.0", "one")
	f.requireSafe(2, "both")
}

func TestAFileThatWasDeliveredMeanwhileIsStillRead(t *testing.T) {
	f := newStored(t)
	f.hand("one", "")
	f.chunk("wherobots_audit.0", "one")
	f.requireSafe(1, "found")
	f.hand("two", "")
	path := f.chunk("wherobots_audit.0", "x")
	f.requireSafe(1, "opened")
	f.write(path, "two")
	require.NoError(t, os.Remove(path))
	f.requireSafe(2, "removed")
}

// What is held open takes room on the disk.
func TestAFileThatIsGoneIsLetGo(t *testing.T) {
	f := newStored(t)
	f.hand("one", "")
	path := f.chunk("wherobots_audit.0", "one")
	f.requireSafe(1, "found")
	require.Len(t, f.s.files, 1)
	require.NoError(t, os.Remove(path))
	f.s.dirsAt = time.Time{}
	f.s.look()
	f.s.files[path].gone = time.Now().Add(-time.Hour)
	f.s.dirsAt = time.Time{}
	f.s.look()
	require.Empty(t, f.s.files)
}

func TestTheLastLookDoesNotWaitForTheEngine(t *testing.T) {
	f := newStored(t)
	f.facts.mute = false
	f.hand("one", "")
	f.chunk("wherobots_audit.0", "one")
	f.requireSafe(0, "a filter may re-emit it")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.s.Run(ctx)
	safe, _ := f.l.State()
	require.EqualValues(t, 1, safe)
}

// An engine that nobody has asked, since nothing was handed over, is not said to be silent.
func TestARunThatHandsNothingOverEndsInSilence(t *testing.T) {
	f := newStored(t)
	f.facts.mute = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.s.Run(ctx)
	require.Empty(t, f.log.Drain())
}

func TestAnotherInputsFileProvesNothing(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "")
	f.chunk("tail.0", "batch")
	f.requireSafe(0, "another input")
	require.Equal(t, f.root, f.s.root, "but it tells where the storage is")
}

// Filters change records; then an event_id tells, if the engine has counted the batch.
func TestAnEventIDProvesOnlyWhatIsCounted(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "00000000-ev-1")
	f.chunk("wherobots_audit.0", "changed 00000000-ev-1 changed")
	f.requireSafe(0, "without the monitoring API")
	f.facts.route(true)
	s := newSnapshot()
	f.facts.learn(s, 0)
	f.requireSafe(0, "not counted: it may be of an earlier hand-over")
	f.facts.learn(s, 1)
	f.requireSafe(1, "counted")
}

func TestWhatIsReEmittedIntoMemoryIsNotStored(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "00000000-ev-1")
	s := newSnapshot()
	s.ours = "audit"
	s.inputOf("audit").records = 1
	s.inputOf("storage_backlog.1")
	*s.filterOf("rewrite_tag.0") = filterFigures{name: "rewrite_tag.0", records: 1, emitted: 1, emits: true}
	f.facts.learn(s, 1)
	f.facts.route(true)
	f.chunk("wherobots_audit.0", "batch")
	f.chunk("emitter.2", "batch")
	f.requireSafe(0, "not in the emitter yet")
	s.inputOf("emitter.2").records = 1
	s.memory = 1
	f.facts.learn(s, 1)
	f.requireSafe(0, "in memory")
	require.Contains(t, fmt.Sprint(f.log.Drain()), "emitter_storage.type: filesystem")
	s.memory = 0
	f.facts.learn(s, 1)
	f.requireSafe(1, "on disk")
}

func TestMemoryStorageIsSaid(t *testing.T) {
	f := newStored(t)
	s := newSnapshot()
	s.ours = "audit"
	s.inputOf("audit")
	f.facts.learn(s, 0)
	f.s.look()
	require.Contains(t, fmt.Sprint(f.log.Drain()), "commit_on handoff with memory storage")
}

func TestWithoutProofNothingIsSafe(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "")
	f.requireSafe(0, "")
	require.Contains(t, fmt.Sprint(f.log.Drain()), "best effort")
	f.l.accepted[0].at = time.Now().Add(-2 * time.Minute)
	f.l.Next()
	f.requireSafe(0, "two minutes later")
	require.Contains(t, fmt.Sprint(f.log.Drain()), "The checkpoint stands still")
	f.chunk("wherobots_audit.0", "other")
	f.s.found = true
	f.s.look()
	_, doubt := f.l.State()
	require.Contains(t, doubt, "not found in Fluent Bit's storage", "others were found")
}

func TestWhereTheSystemTellsNothingTimeDecides(t *testing.T) {
	f := newStored(t)
	f.s.proc = filepath.Join(f.fds, "none")
	f.hand("batch", "")
	f.s.look()
	require.Contains(t, fmt.Sprint(f.log.Drain()), "best effort")
	f.l.accepted[0].at = time.Now().Add(-2 * time.Second)
	f.l.Next()
	f.requireSafe(1, "")
}

func TestChunksWithoutContentAreEmptyWhenSeenTwice(t *testing.T) {
	f := newStored(t)
	f.hand("batch", "")
	f.chunk("wherobots_audit.0", "")
	f.chunk("tail.0", "")
	f.chunk("tail.0", "x")
	f.s.look()
	require.Zero(t, f.facts.empties(), "a new one has none for a moment")
	f.s.emptyAt = time.Time{}
	f.s.look()
	require.EqualValues(t, 2, f.facts.empties())
	require.EqualValues(t, 1, f.facts.ownEmpties())
}

func TestNothingIsHandedOverToAFullDisk(t *testing.T) {
	l := NewLedger(OnTime, 1000)
	l.setRoom(2*chunkOverhead, unknown, 1)
	require.True(t, l.Push([]byte("batch"), 1, ""))
	require.Nil(t, l.Next())
	need := l.setRoom(2*chunkOverhead+10, 15, 1)
	require.EqualValues(t, 2*chunkOverhead+10, need)
	require.Nil(t, l.Next(), "fifteen files")
	l.setRoom(2*chunkOverhead+10, 16, 2)
	require.Nil(t, l.Next(), "emitters write it once more")
	l.setRoom(2*chunkOverhead+10, 16, 1)
	require.NotNil(t, l.Next())
	l.Accept()
	require.Zero(t, l.setRoom(2*chunkOverhead+10, 16, 1))
	require.True(t, l.Push([]byte("batch"), 1, ""))
	require.NotNil(t, l.Next())
	l.Accept()
	require.True(t, l.Push([]byte("batch"), 1, ""))
	require.Nil(t, l.Next(), "the last one counts before the file system is asked again")
}

func TestAFullDiskIsSaid(t *testing.T) {
	f := newStored(t)
	f.s.root = t.TempDir()
	f.l.setRoom(0, unknown, 1)
	require.True(t, f.l.Push([]byte("batch"), 1, ""))
	require.Nil(t, f.l.Next())
	f.s.guard()
	require.Contains(t, fmt.Sprint(f.log.Drain()), "the file system of Fluent Bit's storage is full: "+f.s.root)
	require.NotNil(t, f.l.Next())
	f.s.statAt = time.Time{}
	f.s.guard()
	require.Contains(t, fmt.Sprint(f.log.Drain()), "there is room again")
}

func TestTracesOfAnEventID(t *testing.T) {
	for id, kept := range map[string]string{"None": "", "12345678": "12345678", string(make([]byte, 257)): ""} {
		require.Equal(t, kept, newTrace([]byte("x"), id).id)
	}
}
