package checkpoint

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func refusedEvent(id string) Refused {
	return Refused{
		SetAside: time.Unix(1_800_000_000, 0).UTC(), EventID: id, Time: time.Unix(1_700_000_000, 0).UTC(),
		Reason: "HTTP 400", Record: json.RawMessage(`{"event_id":"` + id + `"}`), Msgpack: []byte("\x92" + id),
	}
}

// openAside opens a checkpoint and what lies beside it.
func openAside(t *testing.T, dir string) (*Aside, *File) {
	t.Helper()
	f, err := Open(filepath.Join(dir, "c.json"), Source{Endpoint: "https://example.test"})
	require.NoError(t, err)
	a, err := f.OpenAside()
	require.NoError(t, err)
	return a, f
}

func ids(a *Aside) (ids []string) {
	for _, e := range a.Events() {
		ids = append(ids, e.EventID)
	}
	return ids
}

func TestAsideKeepsAndRemoves(t *testing.T) {
	dir := t.TempDir()
	a, f := openAside(t, dir)
	_, err := os.Lstat(a.Path())
	require.ErrorIs(t, err, os.ErrNotExist, "there is no file before there is an event")
	for _, id := range []string{"e1", "e2", "e3", "e2"} {
		fresh, err := a.Keep(refusedEvent(id))
		require.NoError(t, err)
		require.Equal(t, len(a.Events()) < 3 || id == "e3", fresh, "e2 is kept once")
	}
	info, err := os.Stat(a.Path())
	require.NoError(t, err)
	require.Equal(t, fileMode, info.Mode())
	text, err := os.ReadFile(a.Path())
	require.NoError(t, err)
	require.Equal(t, 3, bytes.Count(text, []byte("\n")))
	require.Contains(t, string(text), `"event_id":"e1","event_time":"2023-11-14T22:13:20Z","reason":"HTTP 400",`+
		`"record":{"event_id":"e1"}`, "a person can read it")

	require.NoError(t, f.Close())
	a, f = openAside(t, dir)
	require.Equal(t, []string{"e1", "e2", "e3"}, ids(a))
	require.Equal(t, refusedEvent("e2"), *a.Events()[1])
	require.NoError(t, a.Remove(a.Events()[1]))
	require.NoError(t, a.Remove(&Refused{Msgpack: []byte("never kept")}))
	require.NoError(t, f.Close())
	a, f = openAside(t, dir)
	defer f.Close()
	require.Equal(t, []string{"e1", "e3"}, ids(a))
	require.NoError(t, a.Remove(a.Events()[0]))
	require.NoError(t, a.Remove(a.Events()[0]))
	_, err = os.Lstat(a.Path())
	require.ErrorIs(t, err, os.ErrNotExist, "the last one takes the file with it")
}

// A crash while a line was written leaves a torn one. It is nobody's, and must spoil neither neighbour.
func TestATornLineSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	a, f := openAside(t, dir)
	_, err := a.Keep(refusedEvent("e1"))
	require.NoError(t, err)
	text, err := os.ReadFile(a.Path())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(a.Path(), append(text, `{"set_aside":"20`...), fileMode))
	require.NoError(t, f.Close())
	for _, id := range []string{"e2", "e3"} {
		a, f = openAside(t, dir)
		_, err = a.Keep(refusedEvent(id))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	a, f = openAside(t, dir)
	defer f.Close()
	require.Equal(t, []string{"e1", "e2", "e3"}, ids(a))
	require.NoError(t, a.Remove(a.Events()[0]))
	text, err = os.ReadFile(a.Path())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "{\"set_aside\":\"20\n{"), "what a person may look for stays")
}

func TestAsideIsBounded(t *testing.T) {
	a, f := openAside(t, t.TempDir())
	defer f.Close()
	event := refusedEvent("e")
	event.Record, event.Msgpack = json.RawMessage(`"`+strings.Repeat("x", 3<<20)+`"`), []byte("a")
	n := 0
	for ; n < 10; n++ {
		event.Msgpack = append(event.Msgpack, 'a')
		if _, err := a.Keep(event); err != nil {
			require.ErrorIs(t, err, ErrAsideFull)
			require.ErrorContains(t, err, "c.json.refused.jsonl is full (16 MiB)")
			break
		}
	}
	require.Equal(t, 5, n)
	info, err := os.Stat(a.Path())
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(MaxAside))
	require.NoError(t, os.Remove(a.Path()), "a person moves it away")
	fresh, err := a.Keep(*a.Events()[2])
	require.NoError(t, err)
	require.True(t, fresh, "what was kept there is not kept any more")
	require.Len(t, a.Events(), 1)
	_, err = a.Keep(event)
	require.NoError(t, err)
}

func TestAsideFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	a, f := openAside(t, dir)
	other := filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(other, []byte("keep"), 0o600))
	require.NoError(t, os.Symlink(other, a.Path()))
	_, err := a.Keep(refusedEvent("e1"))
	require.ErrorIs(t, err, errNotRegular)
	_, err = f.OpenAside()
	require.ErrorIs(t, err, errNotRegular)
	text, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Equal(t, "keep", string(text))
	require.NoError(t, os.Remove(a.Path()))
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), a.Path()))
	_, err = a.Keep(refusedEvent("e1"))
	require.Error(t, err)
	require.NoFileExists(t, filepath.Join(dir, "nowhere"))
	require.NoError(t, f.Close())
}

// What cannot be written is not kept, and the file is as it was.
func TestAsideThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	a, f := openAside(t, dir)
	defer f.Close()
	require.NoError(t, os.RemoveAll(dir))
	_, err := a.Keep(refusedEvent("e1"))
	require.ErrorContains(t, err, "no such file or directory")
	require.Empty(t, a.Events())
}
