package dedup

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

func minute(n int64) time.Time { return time.Unix(60*n, 0).UTC() }

// someHours have an event in minutes 59, 60, 119 and 120 each.
func someHours() *Hours {
	h, p := NewHours(), NewPending()
	for _, at := range []int64{59, 60, 119, 120} {
		p.Add(1, uint64(at), at)
	}
	h.Count(p, 1)
	return h
}

func TestMinutesJoinTheirHour(t *testing.T) {
	h := someHours()
	for _, folded := range []int64{0, 60, 119, 120, 500} {
		h.Fold(minute(folded), minute(0))
		require.Equal(t, []Digest{{59, 1}, {60 + 119, 2}, {120, 1}, {}},
			[]Digest{h.Of(0), h.Of(1), h.Of(2), h.Of(3)}, folded)
		require.Equal(t, folded <= 119, h.Minute(119).Count == 1, "before minute %d", folded)
		require.Equal(t, folded <= 60, h.Minute(60).Count == 1, "before minute %d", folded)
	}
	h.Fold(minute(500), minute(119))
	require.Equal(t, []Digest{{}, {60 + 119, 2}, {120, 1}},
		[]Digest{h.Of(0), h.Of(1), h.Of(2)}, "the hour of oldest is kept")
}

func TestHoursAreStored(t *testing.T) {
	h := someHours()
	h.Fold(minute(119), minute(0))
	for _, since := range []time.Time{{}, minute(7)} {
		h.Since = since
		stored := h.Store()
		require.Len(t, stored, hoursHeader+(2+2)*historyStored)
		loaded, err := LoadHours(stored, minute(500))
		require.NoError(t, err)
		require.Equal(t, h, loaded)
		for _, left := range []int{5, hoursHeader - 1, hoursHeader, hoursHeader + historyStored, len(stored) - 1} {
			_, err = LoadHours(stored[:left], minute(500))
			require.ErrorIs(t, err, errTornHours)
		}
	}
	h, err := LoadHours(nil, minute(500))
	require.NoError(t, err)
	require.Equal(t, minute(500), h.Since, "an earlier version collected it")
	loaded, err := LoadHours(NewHours().Store(), minute(500))
	require.NoError(t, err)
	require.Equal(t, NewHours(), loaded)
}

func TestHoursAreChangedAndForgotten(t *testing.T) {
	h := someHours()
	h.Fold(minute(119), minute(0))
	clone := h.Clone()
	h.Apply(map[int64]Digest{119: {1, 1}, 120: Digest{}.Minus(Digest{120, 1})}, map[int64]Digest{0: {2, 1}, 5: {3, 1}})
	require.Equal(t, []Digest{{61, 2}, {60 + 120, 3}, {}, {3, 1}}, []Digest{h.Of(0), h.Of(1), h.Of(2), h.Of(5)})
	require.Equal(t, []Digest{{59, 1}, {60 + 119, 2}, {120, 1}}, []Digest{clone.Of(0), clone.Of(1), clone.Of(2)})

	clone.Forget(minute(60), minute(119))
	require.Equal(t, []Digest{{59, 1}, {}, {120, 1}}, []Digest{clone.Of(0), clone.Of(1), clone.Of(2)})
	minutes := NewHistory()
	minutes.Minutes = map[int64]Digest{1: {1, 1}, 2: {2, 1}, 4: {4, 1}, 5: {5, 1}}
	minutes.Forget(minute(2), minute(4))
	require.Equal(t, map[int64]Digest{1: {1, 1}, 5: {5, 1}}, minutes.Minutes, "both are forgotten")
}

// What anybody can recompute: XXH3-64 with seed 0, of rows with an id alone.
func TestWhatAnEventAddsToItsHour(t *testing.T) {
	require.Equal(t, uint64(0x78af5f94892f3950), PublishedID([]byte("abc")), "the reference's value")
	columns, _ := event.NewColumns([]string{"event_id", "event_time", "action_name"})
	x := NewIdentifier(make([]byte, 16))
	x.Begin(columns)
	for id, want := range map[string]bool{"abc": true, "": false, "None": false} {
		r := &event.Row{Columns: columns, Fields: [][]byte{[]byte(id), []byte("1"), []byte("login")}}
		sum, ok := x.Published(r, x.Identify(r))
		require.Equal(t, want, ok, id)
		require.Equal(t, want, sum == PublishedID([]byte(id)))
	}
	bad := badRow(columns, "abc,1", "abc", "1")
	_, ok := x.Published(bad, x.Identify(bad))
	require.False(t, ok)
}

func TestStraysAreStoredWithWhatIsNotKnown(t *testing.T) {
	s := &Strays{seen: new(Seen)}
	s.Note(Identity{1, 1}, minute(10), 1)
	s.Note(Identity{2, 2}, minute(20), 2)
	for _, since := range []time.Time{{}, minute(3)} {
		s.Since, s.Forgotten = since, minute(4)
		stored := s.Store(minute(5), minute(30), 1)
		loaded, err := LoadStrays(stored, minute(30))
		require.NoError(t, err)
		require.Equal(t, []time.Time{since, minute(4)}, []time.Time{loaded.Since, loaded.Forgotten})
		require.True(t, loaded.Has(Identity{1, 1}))
		require.False(t, loaded.Has(Identity{2, 2}), "of a later batch")
		for _, torn := range [][]byte{stored[:straysHeader-1], stored[:len(stored)-1]} {
			_, err = LoadStrays(torn, minute(30))
			require.ErrorContains(t, err, "torn")
		}
	}
	s.Revert(1)
	require.False(t, s.Has(Identity{2, 2}))
	s.Off = true
	s.Note(Identity{3, 3}, minute(20), 2)
	require.False(t, s.Has(Identity{3, 3}))
	loaded, err := LoadStrays(s.Store(minute(5), minute(30), 1), minute(40))
	require.NoError(t, err)
	require.Equal(t, minute(30), loaded.Since, "what is not remembered is not known")
	loaded, err = LoadStrays(nil, minute(40))
	require.NoError(t, err)
	require.Equal(t, minute(40), loaded.Since)
	require.False(t, loaded.Has(Identity{math.MaxUint64, 1}))
	s.Expire(minute(11), minute(30))
	require.Zero(t, s.seen.Count)
}
