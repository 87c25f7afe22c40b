package handover

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The engine makes a file longer than what it has written into it.
func TestWhatFollowsTheContentBehindABatchIsNotStored(t *testing.T) {
	f := newStored(t)
	f.hand("first batch", "")
	path := f.chunk("wherobots_audit.0", "first batch")
	f.requireSafe(1, "found")
	f.hand("second batch", "")
	f.write(path, "first batchsecond batch")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	length := binary.BigEndian.AppendUint32(nil, uint32(len("first batchsecond batc")))
	_, err = file.WriteAt(length, 10)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	f.requireSafe(1, "a byte of it is not written yet")
	f.write(path, "first batchsecond batch")
	f.requireSafe(2, "written")
}

func TestASyncNeedsTheNameTooAndLeavesNothingOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "input", "chunk.flb")
	require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	c := &chunkFile{file: file, path: path}
	open := func() (dirs int) {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		for _, fd := range list {
			target, _ := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
			if target == filepath.Dir(path) {
				dirs++
			}
		}
		return dirs
	}
	require.NoError(t, c.sync())
	require.Zero(t, open())
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	require.ErrorIs(t, c.sync(), os.ErrNotExist)
	require.NoError(t, file.Close())
	require.ErrorIs(t, c.sync(), os.ErrClosed)
}

func TestTheTimeOfAChunkFile(t *testing.T) {
	for path, want := range map[string]time.Time{
		"/s/wherobots_audit.0/12-1700000000.123456789.flb": time.Unix(1_700_000_000, 123_456_789),
		"/s/wherobots_audit.0/12-1700000000.        7.flb": time.Unix(1_700_000_000, 7),
		"/s/wherobots_audit.0/12-1700000000.flb":           {},
		"/s/wherobots_audit.0/x-1700000000.1.flb":          {},
		"/12-1700000000.1.flb":                             {},
		"/s/in.0/1-" + strings.Repeat("9", 20) + ".1.flb":  {},
		"/s/in.0/1-1." + strings.Repeat("9", 20) + ".flb":  {},
	} {
		require.Equal(t, want, chunkTime(path), path)
	}
}

// A batch may begin as another does: it is told by all of it, wherever it stands.
func TestABatchIsKnownByAllOfIt(t *testing.T) {
	head := strings.Repeat("h", traceHead)
	batch := newTrace([]byte(head+"batch"), "")
	for content, want := range map[string]int{
		head + "batch":                      traceHead + 5,
		"x" + head + "batch" + "y":          1 + traceHead + 5,
		head + "other" + head + "batch":     2 * (traceHead + 5),
		"h" + head + "batch":                1 + traceHead + 5, // its beginning overlaps with itself
		head + "batc":                       -1,
		head + "other":                      -1,
		"xx" + head + "bat":                 -1,
		"":                                  -1,
		head + "other" + head + "batc":      -1,
		strings.Repeat("x", 200) + head[1:]: -1,
	} {
		require.Equal(t, want, batch.whole(slices.Clip([]byte(content))), content)
	}
	none := newTrace(nil, "")
	require.Equal(t, -1, none.whole([]byte("content")))
}

func TestARecordIsKnownByItsEventID(t *testing.T) {
	for id, kept := range map[string]bool{
		strings.Repeat("i", shortestID): true, strings.Repeat("i", shortestID-1): false,
		strings.Repeat("i", longestID): true, strings.Repeat("i", longestID+1): false,
	} {
		trace := newTrace([]byte("batch"), id)
		want := -1
		if kept {
			want = len(id)
		}
		require.Equal(t, want, trace.changed([]byte(id+" and more")), id)
		require.Equal(t, -1, trace.changed([]byte("another")))
	}
}
