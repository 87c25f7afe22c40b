package dedup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A day costs the checkpoint 20 bytes a minute, however many events there were.
var midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestHistoryCosts20BytesAMinute(t *testing.T) {
	h := NewHistory()
	tally := h.Tally()
	for i := range int64(100 * 24 * 60) {
		tally.Add(uint64(i), MinuteOf(midday)+i%(24*60))
	}
	tally.End()
	stored := h.Store()
	require.Len(t, stored, 24*60*20)
	loaded, err := LoadHistory(stored)
	require.NoError(t, err)
	require.Equal(t, h, loaded)
	_, err = LoadHistory(stored[1:])
	require.ErrorContains(t, err, "torn entry")
	h.Expire(midday.Add(23 * time.Hour))
	require.Len(t, h.Minutes, 60)
}

func TestDigestsTellSetsApartAndNotOrders(t *testing.T) {
	type event struct {
		id     uint64
		minute int64
	}
	digests := func(events ...event) map[int64]Digest {
		h := NewHistory()
		tally := h.Tally()
		for _, e := range events {
			tally.Add(Mix(e.id), e.minute)
		}
		tally.End()
		return h.Minutes
	}
	a := digests(event{1, 0}, event{2, 0}, event{3, 7})
	require.Equal(t, a, digests(event{2, 0}, event{3, 7}, event{1, 0}), "a minute may come twice")
	require.Equal(t, map[int64]Digest{0: {Mix(1) + Mix(2), 2}, 7: {Mix(3), 1}}, a)
	require.NotEqual(t, a, digests(event{1, 0}, event{2, 0}, event{4, 7}))
	require.NotEqual(t, a, digests(event{1, 0}, event{2, 7}, event{3, 7}))
	require.Empty(t, digests())
}

func TestUncountedCountsEachBatchOnce(t *testing.T) {
	u := NewPending()
	u.Add(1, Mix(10), 5)
	u.Add(1, Mix(11), 6)
	u.Add(1, Mix(12), 5)
	u.Add(3, Mix(13), 5)
	u.Add(4, Mix(14), 7)

	for range 2 { // a save that fails is tried again
		h := NewHistory()
		h.Minutes[5] = Digest{100, 7}
		u.Count(3, h)
		require.Equal(
			t, map[int64]Digest{5: {100 + Mix(10) + Mix(12) + Mix(13), 10}, 6: {Mix(11), 1}}, h.Minutes,
			"batches 1 and 3",
		)
	}
	u.Counted(3)
	u.Add(4, Mix(15), 7) // the batch goes on
	u.Add(5, Mix(16), 8)
	u.Revert(4)
	u.Add(5, Mix(17), 9)
	h := NewHistory()
	u.Count(5, h)
	require.Equal(t, map[int64]Digest{7: {Mix(14) + Mix(15), 2}, 9: {Mix(17), 1}}, h.Minutes)
	u.Expire(time.Unix(8*60, 0))
	h = NewHistory()
	u.Count(5, h)
	require.Equal(t, map[int64]Digest{9: {Mix(17), 1}}, h.Minutes)
}
