package dedup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// The algorithm is published: the reference implementation made these (Python: xxhash.xxh3_64_hexdigest(id)).
func TestPublishedIDIsXXH3(t *testing.T) {
	for id, want := range map[string]uint64{
		"a":                                    0xe6c632b61e964e1f,
		"b42c7a50-0000-4000-8000-0123456789ab": 0xaa79d3f7f3d7f522,
		"Straße":                               0x3ca977a6b5ee5d71,
		"caf\xe9\xff":                          0xffd8533288e66b5c, // as in the record: caf and twice U+FFFD
	} {
		require.Equal(t, want, PublishedID([]byte(id)), id)
	}
	id := []byte("b42c7a50-0000-4000-8000-0123456789ab")
	require.Zero(t, testing.AllocsPerRun(100, func() { PublishedID(id) }))
}

// As many strays as may be remembered are, and none are a list too.
func TestTheMostStraysAndNone(t *testing.T) {
	s := &Strays{seen: new(Seen)}
	loaded, err := LoadStrays(s.Store(minute(0), minute(30), 1), minute(30))
	require.NoError(t, err)
	require.True(t, loaded.Since.IsZero())
	for n := range uint64(maxStrays) {
		s.Note(Identity{ID: n * 0x9e3779b97f4a7c15, Content: 1}, minute(20), 1)
	}
	s.Expire(minute(0), minute(30))
	require.Equal(t, maxStrays, s.seen.Count)
	require.True(t, s.Forgotten.IsZero())
}

// An id that stands for none is not published: it tells no event from another.
func TestAnIDThatIsSharedIsNotPublished(t *testing.T) {
	columns, ok := event.NewColumns([]string{"event_id", "event_time", "action_name"})
	require.True(t, ok)
	x, shared := NewIdentifier(make([]byte, 16)), ""
	x.Shared(nil, func(id string, _, _ int) { shared = id })
	published := func(id, bad string) bool {
		row := event.Row{Columns: columns, Fields: [][]byte{[]byte(id), []byte("x"), []byte("login")}, Bad: bad}
		_, ok := x.Published(&row, x.Identify(&row))
		return ok
	}
	x.Begin(columns)
	for range sharedRows {
		require.True(t, published("stand-in", ""))
	}
	x.Begin(columns)
	require.NotEmpty(t, shared)
	require.False(t, published("stand-in", ""))
	require.True(t, published("b42c7a50", ""))
	require.False(t, published("b42c7a50", "event_time is empty"))
	require.False(t, published("", ""))
	require.False(t, published("None", ""))
}
