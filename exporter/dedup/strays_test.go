package dedup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Under some such endpoints each event is a stray; what does not fit is not compared, and raises no false alarm.
func TestStraysAreBounded(t *testing.T) {
	through := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &Strays{seen: new(Seen)}
	for i := range 3 * maxStrays {
		end := through.Add(-time.Duration(i) * (24 * time.Hour / (3 * maxStrays)))
		s.Note(Identity{ID: uint64(i) * 0x9e3779b97f4a7c15, Content: 1}, end, 1)
	}
	stored := s.Store(through.Add(-24*time.Hour), through, 1)
	require.Equal(t, 3*maxStrays, s.seen.Count, "it may not get into the checkpoint")
	s.Expire(through.Add(-24*time.Hour), through)
	require.Equal(t, stored, s.Store(through.Add(-24*time.Hour), through, 1))
	require.Equal(t, through.Add(-6*time.Hour), s.Forgotten)
	require.InDelta(t, 0.75*maxStrays, s.seen.Count, 100)

	loaded, err := LoadStrays(s.Store(through.Add(-24*time.Hour), through, 1), through)
	require.NoError(t, err)
	require.Equal(t, s.Forgotten, loaded.Forgotten)
	require.Equal(t, s.seen.Count, loaded.seen.Count)
	require.True(t, loaded.Since.IsZero())
	require.True(t, loaded.Has(Identity{Content: 1}))
	require.False(t, loaded.Has(Identity{Content: 2}))

	s.Note(Identity{ID: 1}, through, 1)
	for i := range 2 * maxStrays {
		s.Note(Identity{ID: uint64(i) * 0x9e3779b97f4a7c15, Content: 2}, through, 1)
	}
	s.Expire(through.Add(-24*time.Hour), through)
	require.Zero(t, s.seen.Count, "all in one second")
}
