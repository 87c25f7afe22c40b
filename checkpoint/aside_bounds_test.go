package checkpoint

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sized is an event whose line has so many bytes, its line end included.
func sized(t *testing.T, id string, bytes int) Refused {
	t.Helper()
	event := refusedEvent(id)
	text, err := json.Marshal(event)
	require.NoError(t, err)
	event.Reason += strings.Repeat("x", bytes-len(text)-1)
	return event
}

// The bound counts a line end more, which a torn line before may need.
func TestTheFileOfWhatIsKeptMayBecomeExactlySoLarge(t *testing.T) {
	a, f := openAside(t, t.TempDir())
	defer f.Close()
	fresh, err := a.Keep(sized(t, "e1", 10<<20))
	require.NoError(t, err)
	require.True(t, fresh)
	_, err = a.Keep(sized(t, "e2", 6<<20))
	require.ErrorIs(t, err, ErrAsideFull)
	fresh, err = a.Keep(sized(t, "e2", 6<<20-1))
	require.NoError(t, err)
	require.True(t, fresh)
	info, err := os.Stat(a.Path())
	require.NoError(t, err)
	require.EqualValues(t, MaxAside-1, info.Size())
	require.Equal(t, info.Size(), a.size)

	require.NoError(t, a.Remove(a.Events()[0]))
	info, err = os.Stat(a.Path())
	require.NoError(t, err)
	require.Equal(t, info.Size(), a.size, "a write that fails is taken back to there")
	_, err = a.Keep(sized(t, "e3", 10<<20))
	require.NoError(t, err, "there is room again")
}

func TestTheOnlyEventIsKeptOnce(t *testing.T) {
	a, f := openAside(t, t.TempDir())
	defer f.Close()
	for n := range 2 {
		fresh, err := a.Keep(refusedEvent("e1"))
		require.NoError(t, err)
		require.Equal(t, n == 0, fresh)
	}
	require.Equal(t, []string{"e1"}, ids(a))
}

// A line that says nothing of what was handed over is a person's note: it is no event, and stays.
func TestANoteInTheFileIsNoEvent(t *testing.T) {
	dir := t.TempDir()
	a, f := openAside(t, dir)
	_, err := a.Keep(refusedEvent("e1"))
	require.NoError(t, err)
	text, err := os.ReadFile(a.Path())
	require.NoError(t, err)
	const note = "{\"event_id\":\"e0\",\"reason\":\"asked the SIEM's people\"}\n"
	require.NoError(t, os.WriteFile(a.Path(), []byte(note+string(text)), fileMode))
	require.NoError(t, f.Close())
	a, f = openAside(t, dir)
	defer f.Close()
	require.Equal(t, []string{"e1"}, ids(a))
	require.NoError(t, a.Remove(a.Events()[0]))
	left, err := os.ReadFile(a.Path())
	require.NoError(t, err)
	require.Equal(t, note, string(left))
}
