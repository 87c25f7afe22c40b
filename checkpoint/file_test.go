package checkpoint

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNothingYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	_, found := f.State()
	assert.False(t, found)
	assert.NoFileExists(t, path, "opening alone leaves no checkpoint")
	require.NoError(t, f.Close())
	assert.Equal(t, []string{"audit.json.lock"}, names(t, filepath.Dir(path)), "nor anything else")
}

func TestStateComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	for n := range 3 {
		require.NoError(t, f.Save(testState(n)))
		state, found := f.State()
		assert.True(t, found)
		assert.Equal(t, testState(n), state)
	}
	require.NoError(t, f.Close())
	assert.Equal(t, testState(2), saved(t, path))
	assert.Equal(t, []string{"audit.json", "audit.json.lock"}, names(t, filepath.Dir(path)))

	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

// Opening replaces the file with itself, which also gives it the mode it should have.
func TestOpeningChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	save(t, path, testState(1))
	require.NoError(t, os.Chmod(path, 0o644))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	saved(t, path)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestAnyStateComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		second := rapid.Int64Range(0, 253402300799).Draw(t, "second")
		return time.Unix(second, rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		want := State{
			From:      instant.Draw(t, "from"),
			Key:       rapid.SliceOfN(rapid.Byte(), KeySize, KeySize).Draw(t, "key"),
			Strays:    append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "strays")...),
			Hours:     append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "hours")...),
			Seen:      append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "seen")...),
			Minutes:   append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "minutes")...),
			Columns:   rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "columns"),
			Volatile:  rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "volatile"),
			SharedIDs: rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "shared"),
			RowLimit:  rapid.IntRange(0, 1_000_000).Draw(t, "row_limit"),
		}
		if rapid.Bool().Draw(t, "unsure") {
			want.Unsure = instant.Draw(t, "unsure since")
		}
		if rapid.Bool().Draw(t, "behind") {
			want.Behind = time.Duration(rapid.Int64Range(0, 24*60*60).Draw(t, "seconds behind")) * time.Second
		}
		if rapid.Bool().Draw(t, "through") {
			want.Through = instant.Draw(t, "through at")
		}
		if rapid.Bool().Draw(t, "deep") {
			want.Deep, want.DeepBegan = instant.Draw(t, "deep at"), instant.Draw(t, "deep began")
		}
		if rapid.Bool().Draw(t, "reconciled") {
			want.Reconciled = instant.Draw(t, "reconciled at")
		}
		require.NoError(t, f.Save(want))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		source, got, err := decode(data)
		require.NoError(t, err)
		got.Seen, got.Minutes = append([]byte{}, got.Seen...), append([]byte{}, got.Minutes...)
		got.Strays, got.Hours = append([]byte{}, got.Strays...), append([]byte{}, got.Hours...)
		assert.Equal(t, testSource, source)
		assert.Equal(t, want, got)
	})
}

// The file that a link points to is replaced, not the link; it need not exist yet.
func TestLinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link.json"), filepath.Join(dir, "volume", "audit.json")
	require.NoError(t, os.Mkdir(filepath.Dir(target), 0o700))
	require.NoError(t, os.Symlink("second.json", link))
	require.NoError(t, os.Symlink(filepath.Join("volume", "audit.json"), filepath.Join(dir, "second.json")))
	save(t, link, testState(1))
	save(t, link, testState(2))
	assert.Equal(t, testState(2), saved(t, target))
	assert.Equal(t, []string{"link.json", "second.json", "volume"}, names(t, dir))

	holding := mustOpen(t, link)
	_, err := Open(target, testSource)
	assert.ErrorContains(t, err, "is used by another [INPUT] of this process")
	require.NoError(t, holding.Close())
}

func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit")
	mustOpen(t, path+"2") // a neighbour at work
	own := ".audit8674665223082153551"
	others := []string{
		".audit28674665223082153551", // of the neighbour
		".audit1",                    // a person's
		".audit.json8674665223082153551",
		".audit8674665223082153551x",
		"audit8674665223082153551",
	}
	for _, name := range append(others, own) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	mustOpen(t, path)
	assert.ElementsMatch(t, append(others, "audit.lock", "audit2.lock"), names(t, dir))
}

// A temporary file of "audit" may look like one of "audit2" as well. Whoever starts must not take it from the other,
// who is about to rename it; once it is old, it is nobody's.
func TestWhatMayBeANeighboursStays(t *testing.T) {
	for own, neighbour := range map[string]string{"audit": "audit2", "audit2": "audit"} {
		dir := t.TempDir()
		shared := filepath.Join(dir, ".audit28674665223082153551")
		require.NoError(t, os.WriteFile(shared, nil, 0o600))
		f := mustOpen(t, filepath.Join(dir, own))
		assert.NoFileExists(t, shared, "%s has no neighbour", own)
		require.NoError(t, f.Close())

		require.NoError(t, os.WriteFile(shared, nil, 0o600))
		mustOpen(t, filepath.Join(dir, neighbour))
		require.NoError(t, mustOpen(t, filepath.Join(dir, own)).Close())
		assert.FileExists(t, shared, own)
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(shared, old, old))
		mustOpen(t, filepath.Join(dir, own))
		assert.NoFileExists(t, shared, own)
	}
}

func TestSaveRefusesWhatOpenWould(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	require.NoError(t, f.Save(testState(1)))
	for want, change := range map[string]func(*State){
		`its key has 3 bytes instead of 16`: func(s *State) { s.Key = s.Key[:3] },
		`its row_limit is -1`:               func(s *State) { s.RowLimit = -1 },
		`its behind is -1s`:                 func(s *State) { s.Behind = -time.Second },
		`its time "through" is in the year 1969`: func(s *State) {
			s.Through = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)
		},
		`its time "reconciled" is in the year 10000`: func(s *State) {
			s.Reconciled = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		},
		`it says where it stands ("through"), but not where it began ("from")`: func(s *State) { s.From = time.Time{} },
	} {
		state := testState(2)
		change(&state)
		assert.EqualError(t, f.Save(state), path+": not saved: "+want)
	}
	require.NoError(t, f.Close())
	assert.Equal(t, testState(1), saved(t, path))
}

func TestClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "again")
	assert.EqualError(t, f.Save(testState(1)), path+": is closed")
	assert.NoFileExists(t, path)
}

// A directory that goes away is no reason to give up: saving works again when it is back.
func TestSavingHeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "audit.json")
	f := mustOpen(t, path)
	require.NoError(t, f.Save(testState(1)))
	require.NoError(t, os.Rename(dir, dir+".away"))
	assert.EqualError(
		t, f.Save(testState(2)),
		path+": cannot be written: no such file or directory; check "+dir+", or set another checkpoint_path",
	)
	state, _ := f.State()
	assert.Equal(t, testState(1), state, "what was not saved is not held")
	require.NoError(t, os.Rename(dir+".away", dir))
	require.NoError(t, f.Save(testState(2)))
	require.NoError(t, f.Close())
	assert.Equal(t, testState(2), saved(t, path))
}

func TestConcurrentUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	f := mustOpen(t, path)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for range 5 {
				assert.NoError(t, f.Save(testState(n)))
				f.State()
			}
		})
	}
	wg.Wait()
	last, _ := f.State()
	require.NoError(t, f.Close())
	assert.Equal(t, last, saved(t, path))
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out
}

// BenchmarkSave has the identities of a busy overlap: 60,000 of 20 bytes.
func BenchmarkSave(b *testing.B) {
	f, err := Open(filepath.Join(b.TempDir(), "audit.json"), testSource)
	require.NoError(b, err)
	defer f.Close()
	state := testState(1)
	state.Seen = []byte(strings.Repeat("0123456789abcdefghij", 60_000))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, f.Save(state))
	}
}
