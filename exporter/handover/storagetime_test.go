package handover

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// inFakeTime runs test with a storage that looks into files of now.
func inFakeTime(t *testing.T, test func(f *stored)) {
	synctest.Test(t, func(t *testing.T) { test(newStored(t)) })
}

// A file that was removed is read a little longer: a batch may be in it that was delivered at once. Then it takes room.
func TestForHowLongARemovedFileIsHeldOpen(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.hand("one", "")
		path := f.chunk("wherobots_audit.0", "one")
		f.requireSafe(1, "found")
		require.NoError(f, os.Remove(path))
		time.Sleep(restInterval - 1)
		f.s.look()
		require.True(f, f.s.files[path].gone.IsZero(), "nothing is on its way, so it looks seldom")
		time.Sleep(time.Nanosecond)
		f.s.look()
		require.Equal(f, time.Now(), f.s.files[path].gone)
		time.Sleep(goneTime)
		f.s.look()
		require.NotEmpty(f, f.s.files)
		time.Sleep(restInterval)
		f.s.look()
		require.Empty(f, f.s.files)
	})
}

// A new file has no content for a moment; one that has none a second later is of a full disk.
func TestWhenAChunkWithoutContentIsEmpty(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.hand("batch", "")
		f.chunk("wherobots_audit.0", "")
		f.s.look()
		time.Sleep(watchInterval - 1)
		f.s.look()
		require.Zero(f, f.facts.empties())
		time.Sleep(time.Nanosecond)
		f.s.look()
		require.EqualValues(f, 1, f.facts.empties())
	})
}

// A run looks closely while batches are on their way, and finds them by itself.
func TestARunFindsWhatIsStored(t *testing.T) {
	f := newStored(t)
	ctx := t.Context()
	go f.s.Run(ctx)
	for n := range uint32(3) {
		f.hand("batch "+string(rune('a'+n)), "")
		f.chunk("wherobots_audit.0", "batch "+string(rune('a'+n)))
		require.Eventually(t, func() bool { return safeNow(f.l) == n+1 }, 10*time.Second, time.Millisecond)
	}
}

// What the file system has is counted down until it is asked again: a batch takes half of what must be free.
func TestHowManyBatchesARoomTakes(t *testing.T) {
	r := diskRoom{files: unknown}
	const size = 1000
	r.free = 2 * r.need(size)
	taken := 0
	for r.take(size) {
		taken++
	}
	require.Equal(t, 3, taken)
	require.Equal(t, r.need(size), r.short)
	r.factor = 2
	require.EqualValues(t, 4*(size+chunkOverhead), r.need(size), "emitters write it once more")
}

// What the collector took back needs no room any more.
func TestABatchThatWasTakenBackNeedsNoRoom(t *testing.T) {
	l := NewLedger(OnTime, 1000)
	l.setRoom(0, unknown, 1)
	require.True(t, l.Push([]byte("batch"), 1, ""))
	require.Nil(t, l.Next())
	require.Positive(t, l.setRoom(0, unknown, 1))
	l.Reset()
	require.Zero(t, l.setRoom(0, unknown, 1))
}

// The figures of an input come in any order, and some not at all.
func TestTheChunksOfAnInput(t *testing.T) {
	s := parseSnapshot("fluentbit_input_storage_chunks{name=\"a\"} 3\nfluentbit_input_records_total{name=\"a\"} 1\n" +
		"fluentbit_input_ingestion_paused{name=\"a\"} 1\nfluentbit_input_records_total{name=\"b\"} 2\n")
	require.Equal(t, []inputFigures{
		{name: "a", records: 1, chunks: 3, paused: true}, {name: "b", records: 2, chunks: unknown},
	}, s.inputs)
}
