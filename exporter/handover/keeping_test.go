package handover

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testKeeper keeps records in memory, unless it is full.
type testKeeper struct {
	full  bool
	asked []time.Time
	kept  []int
	due   []byte
	tried []bool // whether it was delivered, each time
}

func (k *testKeeper) Keep(record []byte, reason string) error {
	k.asked = append(k.asked, time.Now())
	if k.full {
		return errors.New("the disk is full")
	}
	k.kept = append(k.kept, numbersOf(record)...)
	return nil
}

func (k *testKeeper) Due() []byte { return k.due }

func (k *testKeeper) Tried(_ []byte, delivered bool) {
	k.tried, k.due = append(k.tried, delivered), nil
}

// withKeeper runs test with an engine that has delivered the ten records, and a keeper.
func withKeeper(t *testing.T, test func(f *watched, k *testKeeper)) {
	watch(t, func(f *watched) {
		k := new(testKeeper)
		f.w.keeper = k
		f.delivered()
		f.requireSafe(1, 1)
		test(f, k)
	})
}

// flow lets so many seconds pass, with a collect call and a look each. The destination refuses bad records.
func (f *watched) flow(seconds int, bad ...int) {
	for range seconds {
		time.Sleep(time.Second)
		if data := f.l.Next(); data != nil {
			f.l.Accept()
			numbers := numbersOf(data)
			f.s.inputOf("audit").records += int64(len(numbers))
			if slices.ContainsFunc(numbers, func(n int) bool { return slices.Contains(bad, n) }) {
				f.s.outputOf("siem").dropped += int64(len(numbers))
			} else {
				f.s.outputOf("siem").processed += int64(len(numbers))
			}
		}
		f.w.look(f.Context())
	}
}

// refuse has a batch of these records refused, fetched again, and followed by a good one.
func (f *watched) refuse(bad int) {
	require.True(f, f.l.Push(records(bad, 1), 1, ""))
	f.flow(1, bad)
	require.Contains(f, doubtNow(f.l), "an output dropped records or gave up on them")
	f.l.Reset()
	require.True(f, f.l.Push(records(bad, 1), 1, ""))
	f.flow(5, bad)
	require.True(f, f.l.Push(records(bad+1, 1), 1, ""))
}

func TestWhatIsRefusedForGoodIsKept(t *testing.T) {
	withKeeper(t, func(f *watched, k *testKeeper) {
		f.refuse(7)
		require.Empty(t, k.kept, "refused once: it may be the destination's state")
		f.flow(30, 7)
		require.Equal(t, []int{7}, k.kept)
		f.requireSafe(4, 1)
		require.Len(t, k.asked, 1)
		require.Empty(t, f.log.Drain())
	})
}

func TestWhatCannotBeKeptIsTriedEachMinute(t *testing.T) {
	withKeeper(t, func(f *watched, k *testKeeper) {
		k.full = true
		f.refuse(7)
		f.flow(20, 7)
		require.Len(t, k.asked, 1)
		lines := f.log.Drain()
		require.Len(t, lines, 1)
		require.Equal(t, "an event that an output refuses for good cannot be kept aside: the disk is full. The checkpoint "+
			"does not pass it, events flow on (said at most every 1m)", lines[0].Text)
		safe := safeNow(f.l)
		f.flow(600, 7)
		require.Len(t, k.asked, 11)
		for n := range k.asked[1:] {
			require.Equal(t, keepAgain, k.asked[n+1].Sub(k.asked[n]))
		}
		require.Equal(t, safe, safeNow(f.l))
		k.full = false
		f.flow(60, 7)
		require.Equal(t, []int{7}, k.kept)
		require.EqualValues(t, 4, safeNow(f.l))
	})
}

func TestAKeptRecordIsTriedAgain(t *testing.T) {
	for _, delivered := range []bool{false, true} {
		withKeeper(t, func(f *watched, k *testKeeper) {
			bad := []int{7}
			if delivered {
				bad = nil
			}
			f.flow(30)
			require.Empty(t, k.tried, "nothing is due")
			k.due = records(7, 1)
			f.flow(30, bad...)
			require.Equal(t, []bool{delivered}, k.tried)
			require.True(t, f.l.Push(records(8, 1), 1, ""))
			f.flow(5, bad...)
			require.EqualValues(t, 2, safeNow(f.l))
			require.Equal(t, []bool{delivered}, k.tried, "once")
			require.Empty(t, f.log.Drain())
		})
	}
}
