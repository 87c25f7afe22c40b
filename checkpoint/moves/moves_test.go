package moves

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
)

var (
	now    = time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)
	origin = checkpoint.Source{Endpoint: "https://api.example.test", SearchTerm: "login"}
)

// atRest leaves a checkpoint that stands at through, with an event in each hour of two days.
func atRest(t *testing.T, through time.Time) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.json")
	write(t, path, stateAt(through))
	return path
}

func stateAt(through time.Time) checkpoint.State {
	hours, digests := dedup.NewHours(), make(map[int64]dedup.Digest)
	for at := through.Add(-48 * time.Hour); at.Before(through); at = at.Add(time.Hour) {
		digests[dedup.HourOf(at)] = dedup.DigestOf(uint64(at.Unix()))
	}
	hours.Apply(nil, digests)
	return checkpoint.State{
		Through: through, From: through.Add(-48 * time.Hour), Key: []byte("0123456789abcdef"), Columns: []string{"event_id"},
		Hours: hours.Store(), Overlap: 10 * time.Minute, Deep: through.Add(-time.Hour), DeepBegan: through,
	}
}

func write(t *testing.T, path string, state checkpoint.State) {
	t.Helper()
	file, err := checkpoint.Open(path, origin)
	require.NoError(t, err)
	require.NoError(t, file.Save(state))
	require.NoError(t, file.Close())
}

func read1(t *testing.T, path string) checkpoint.State {
	t.Helper()
	state, found, err := checkpoint.Read(path, origin)
	require.NoError(t, err)
	require.True(t, found)
	return state
}

func TestMovesThatAreRefusedChangeNothing(t *testing.T) {
	path := atRest(t, now.Add(-time.Minute))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		do   func() error
		want string
		is   error
	}{
		"not back": {
			func() error { _, err := Rewind(path, now.Add(time.Hour), "r", now); return err },
			"the checkpoint stands at 2026-05-04T12:29:00Z, which is not after 2026-05-04T13:00:00Z", ErrNotAllowed,
		},
		"too old": {
			func() error { _, err := Rewind(path, now.Add(-91*24*time.Hour), "r", now); return err },
			"the endpoint keeps events for 90 days, since 2026-02-03T12:30:00Z", ErrNotAllowed,
		},
		"a novel": {
			func() error { _, err := Rewind(path, now.Add(-time.Hour), strings.Repeat("n", 501), now); return err },
			"the reason has more than 500 bytes", ErrNotAllowed,
		},
		"not forward": {
			func() error { _, err := Forward(path, now.Add(-time.Hour), "", true, now); return err },
			"which is not before 2026-05-04T11:30:00Z", ErrNotAllowed,
		},
		"into the future": {
			func() error { _, err := Forward(path, now.Add(time.Hour), "", true, now); return err },
			"lies in the future", ErrNotAllowed,
		},
		"not accepted": {
			func() error { _, err := Forward(path, now, "", false, now); return err },
			"what happened from 2026-05-04T12:29:00Z to 2026-05-04T12:30:00Z (1m0s) would never be collected", ErrWouldLose,
		},
		"no checkpoint": {
			func() error { _, err := Rewind(path+".not", now, "", now); return err }, "does not exist", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do()
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, len(before), len(after))
		})
	}
	fresh := filepath.Join(t.TempDir(), "fresh.json")
	write(t, fresh, checkpoint.State{Key: []byte("0123456789abcdef")})
	_, err = Rewind(fresh, now.Add(-time.Hour), "", now)
	require.ErrorContains(t, err, "has not begun yet")
}

func TestACheckpointInUseIsNotMoved(t *testing.T) {
	path := atRest(t, now)
	file, err := checkpoint.Open(path, origin)
	require.NoError(t, err)
	begin := time.Now()
	for _, do := range []func() error{
		func() error { _, err := Rewind(path, now.Add(-time.Hour), "r", now); return err },
		func() error { _, err := Forward(path, now, "r", true, now); return err },
		func() error {
			var doc bytes.Buffer
			out, err := Export(&doc, path, "v", now)
			require.NoError(t, err, "reading is no change")
			require.Contains(t, out.Holder, "process ")
			_, err = Import(&doc, path, true, true, now)
			return err
		},
	} {
		require.ErrorContains(t, do(), "is used by another [INPUT] of this process; stop that first")
	}
	require.Less(t, time.Since(begin), 5*time.Second, "nobody is waited for")
	require.NoError(t, file.Close())
	_, err = Rewind(path, now.Add(-time.Hour), "r", now)
	require.NoError(t, err)
}

func TestRewindKeepsWhatStaysRight(t *testing.T) {
	path := atRest(t, now)
	move, err := Rewind(path, now.Add(-5*time.Hour), " line one\nline two\x00 ", now)
	require.NoError(t, err)
	to := time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC)
	require.Equal(t, checkpoint.Move{
		Kind: checkpoint.Rewound, At: now, From: now, To: to, Reason: "line one line two",
	}, move)
	state := read1(t, path)
	require.Equal(t, to, state.Through)
	require.Equal(t, to, state.Floor)
	require.Equal(t, to, state.Deep)
	require.Equal(t, []checkpoint.Move{move}, state.Moves)
	require.Equal(t, now.Add(-48*time.Hour), state.From)
	hours, err := dedup.LoadHours(state.Hours, state.Through)
	require.NoError(t, err)
	require.EqualValues(t, 1, hours.Of(dedup.HourOf(to)-1).Count, "the hour before stays")
	require.Zero(t, hours.Of(dedup.HourOf(to)).Count)
	s, err := Show(path, now)
	require.NoError(t, err)
	require.EqualValues(t, 5*3600+30*60, s.LagSeconds)
	require.Equal(t, 43, s.Hours)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	before, err := Rewind(path, now.Add(-60*time.Hour), "r", now)
	require.NoError(t, err)
	require.Equal(t, before.To, read1(t, path).From, "the collection begins earlier")
	require.NotContains(t, string(text), "MDEyMzQ1Njc4OWFiY2RlZg", "the key")
}

// Up to where identities are known is read again without copies; before that, digests tell.
func TestTheFloorOfARewindIsWhereIdentitiesBegin(t *testing.T) {
	to := now.Add(-30 * time.Minute) // a whole hour
	seen := new(dedup.Seen)
	seen.Mark(dedup.Identity{ID: 1, Content: 1}, now.Add(-3*time.Hour), 1)
	for name, test := range map[string]struct {
		change func(s *checkpoint.State)
		want   time.Time
	}{
		"overlap": {func(s *checkpoint.State) { s.Overlap = 40 * time.Minute }, now.Add(-40 * time.Minute)},
		"floor": {func(s *checkpoint.State) {
			s.Overlap, s.Floor = 2*time.Hour, now.Add(-time.Hour)
		}, now.Add(-time.Hour)},
		"less than is read again": {func(s *checkpoint.State) { s.Overlap = 10 * time.Minute }, to},
		"an earlier version's": {func(s *checkpoint.State) {
			s.Overlap, s.Seen = 0, seen.Store(now.Add(-9*time.Hour), 1)
		}, now.Add(-3 * time.Hour)},
		"none": {func(s *checkpoint.State) { s.Overlap = 0 }, to},
	} {
		state := stateAt(now)
		test.change(&state)
		path := filepath.Join(t.TempDir(), "audit.json")
		write(t, path, state)
		_, err := Rewind(path, to, "r", now)
		require.NoError(t, err, name)
		require.Equal(t, test.want, read1(t, path).Floor.UTC(), name)
	}
}

// What was left out by hand is left out no more where it is read again.
func TestARewindTakesBackWhatWasLeftOut(t *testing.T) {
	path := atRest(t, now.Add(-5*time.Hour))
	_, err := Forward(path, now.Add(-time.Minute), "meant", true, now)
	require.NoError(t, err)
	left := func() (list []checkpoint.Move) {
		for _, m := range read1(t, path).Moves {
			if m.Kind == checkpoint.Forwarded {
				list = append(list, m)
			}
		}
		return list
	}
	to := now.Add(-90 * time.Minute) // a whole hour
	_, err = Rewind(path, to, "a part", now)
	require.NoError(t, err)
	require.Len(t, left(), 1)
	require.Equal(t, now.Add(-5*time.Hour), left()[0].From)
	require.Equal(t, to, left()[0].To)
	_, err = Rewind(path, now.Add(-6*time.Hour), "all", now)
	require.NoError(t, err)
	require.Empty(t, left())
	require.NotEmpty(t, read1(t, path).Moves)
}

func TestAGapAfterARewindSaysWhatWasHandedOver(t *testing.T) {
	path := atRest(t, now.Add(-time.Hour))
	_, err := Rewind(path, now.Add(-9*time.Hour), "a mistake", now)
	require.NoError(t, err)
	move, err := Forward(path, now.Add(-time.Minute), "back again", true, now)
	require.NoError(t, err)
	require.Equal(t, "back again; up to 2026-05-04T11:30:00Z it had been handed over before a rewind", move.Reason)
	move, err = Forward(path, now, "", true, now)
	require.NoError(t, err)
	require.Empty(t, move.Reason)
	require.Len(t, read1(t, path).Moves, 3)
}

func TestImportRefuses(t *testing.T) {
	from := atRest(t, now)
	var doc bytes.Buffer
	_, err := Export(&doc, from, "v", now)
	require.NoError(t, err)
	for _, c := range []struct {
		at              time.Time
		replace, accept bool
		want            string
	}{
		{now.Add(-time.Hour), false, true, "there is a checkpoint"},
		{now.Add(-time.Hour), true, false, "what happened between and was not collected elsewhere would never be"},
		{now.Add(-time.Hour), true, true, ""},
		{now.Add(time.Hour), true, false, ""},
	} {
		path := atRest(t, c.at)
		_, err := Import(bytes.NewReader(doc.Bytes()), path, c.replace, c.accept, now)
		if c.want != "" {
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.at, read1(t, path).Through)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, read1(t, from), read1(t, path))
	}
	fresh := filepath.Join(t.TempDir(), "fresh.json")
	_, err = Import(bytes.NewReader(doc.Bytes()), fresh, false, false, now.Add(100*24*time.Hour))
	require.ErrorContains(t, err, "the endpoint keeps events for 90 days")
	_, err = Import(bytes.NewReader(doc.Bytes()), fresh, false, false, now.Add(-2*time.Hour))
	require.ErrorContains(t, err, "in the future by this machine's clock")
	other := filepath.Join(t.TempDir(), "other.json")
	file, err := checkpoint.Open(other, checkpoint.Source{Endpoint: "https://other.example.test"})
	require.NoError(t, err)
	require.NoError(t, file.Save(stateAt(now)))
	require.NoError(t, file.Close())
	_, err = Import(bytes.NewReader(doc.Bytes()), other, true, true, now)
	require.ErrorContains(t, err, "belongs to endpoint https://other.example.test")
	for text, want := range map[string]string{
		"": "EOF", "{}": "its kind is", `{"kind":"x"}`: "its kind", `{"a":1}`: "unknown field",
		doc.String() + "{}": "something follows it",
	} {
		_, err = Import(strings.NewReader(text), fresh, false, false, now)
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, want)
	}
	require.NoFileExists(t, fresh)
}

// A change of any byte that means something is noticed before anything is written.
func TestEveryByteOfAnExportCounts(t *testing.T) {
	from := atRest(t, now)
	var doc, again bytes.Buffer
	_, err := Export(&doc, from, "v", now)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "audit.json")
	begin := bytes.Index(doc.Bytes(), []byte(`"through"`))
	for i := begin; i < doc.Len(); i++ {
		damaged := bytes.Clone(doc.Bytes())
		if damaged[i] ^= 1; bytes.ContainsRune([]byte(" \n!\v"), rune(damaged[i])) {
			continue // white space between
		}
		if _, _, _, err := read(bytes.NewReader(damaged)); err == nil {
			require.Contains(t, "sha256through", strings.ToLower(string(doc.Bytes()[i])), "byte %d", i) // names have any case
		}
	}
	for n := range doc.Len() - 2 {
		_, _, _, err := read(bytes.NewReader(doc.Bytes()[:n]))
		require.ErrorIs(t, err, ErrDamaged)
	}
	_, err = Import(bytes.NewReader(doc.Bytes()), path, false, false, now)
	require.NoError(t, err)
	_, err = Export(&again, path, "v", now)
	require.NoError(t, err)
	var a, b document
	require.NoError(t, json.Unmarshal(doc.Bytes(), &a))
	require.NoError(t, json.Unmarshal(again.Bytes(), &b))
	require.Equal(t, a.Through, b.Through)
}
