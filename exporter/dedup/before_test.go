package dedup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// storedAround has an event, as seen, as a stray and in digests, at each of some minutes around midday.
func storedAround(t *testing.T, minutes ...int) Stored {
	t.Helper()
	seen, strays, counted, h := new(Seen), &Strays{seen: new(Seen)}, NewHistory(), NewHours()
	h.Since = midday.Add(-5 * time.Hour)
	tally := counted.Tally()
	for n, m := range minutes {
		who, at := Identity{ID: uint64(n+1) * 0x9e3779b97f4a7c15, Content: 1}, midday.Add(time.Duration(m)*time.Minute)
		seen.Mark(who, at, 1)
		strays.Note(who, at, 1)
		tally.Add(Mix(who.ID), MinuteOf(at))
		h.Apply(map[int64]Digest{MinuteOf(at): DigestOf(who.ID)}, nil)
	}
	tally.End()
	h.Fold(midday.Add(-time.Hour), midday.Add(-100*time.Hour))
	long := midday.Add(-100 * time.Hour)
	return Stored{
		Seen: seen.Store(long, 1), Strays: strays.Store(long, midday.Add(time.Hour), 1),
		Minutes: counted.Store(), Hours: h.Store(),
	}
}

// What happened at a moment or later is read anew when a checkpoint is moved back to it; what happened before stays.
func TestWhatStaysOfBeforeAMoment(t *testing.T) {
	through := midday.Add(time.Hour)
	s := storedAround(t, -200, -61, -60, -1, 0, 1, 30)
	count := func(s Stored) (Counts, *Hours) {
		c, err := s.Count(through)
		require.NoError(t, err)
		require.NoError(t, s.Check(through))
		hours, err := LoadHours(s.Hours, through)
		require.NoError(t, err)
		return c, hours
	}
	c, _ := count(s)
	require.Equal(t, Counts{
		Seen: 7, Strays: 7, Minutes: 7, Hours: 4, Oldest: midday.Add(-200 * time.Minute),
		FirstHour: midday.Add(-4 * time.Hour), LastHour: midday,
	}, c)
	left, err := s.Before(midday, through)
	require.NoError(t, err)
	c, hours := count(left)
	require.Equal(t, Counts{
		Seen: 4, Strays: 4, Minutes: 4, Hours: 3, Oldest: midday.Add(-200 * time.Minute),
		FirstHour: midday.Add(-4 * time.Hour), LastHour: midday.Add(-time.Hour),
	}, c)
	require.Equal(t, midday.Add(-5*time.Hour), hours.Since.UTC())
	require.EqualValues(t, 2, hours.Of(HourOf(midday.Add(-time.Hour))).Count)

	left, err = s.Before(midday.Add(-20*time.Hour), through)
	require.NoError(t, err)
	c, hours = count(left)
	require.Equal(t, Counts{}, c)
	require.Equal(t, midday.Add(-20*time.Hour), hours.Since.UTC(), "hours are known from there on")
}

// A checkpoint of an earlier version has no strays: then all since the start of this one are told.
func TestBeforeAnEarlierVersionsCheckpoint(t *testing.T) {
	s := storedAround(t, -1, 1)
	s.Strays = nil
	left, err := s.Before(midday, midday.Add(time.Hour))
	require.NoError(t, err)
	require.Nil(t, left.Strays)
	require.NotEmpty(t, left.Seen)
}

// Since when strays are known, and before what time some were given up, goes back too, but not forward.
func TestTimesOfStraysGoBack(t *testing.T) {
	through := midday.Add(time.Hour)
	known := func(s *Strays, t time.Time) *Strays {
		s.seen = new(Seen)
		left, err := Stored{Strays: s.Store(midday.Add(-time.Hour), through, 1)}.Before(t, through)
		if err != nil {
			panic(err)
		}
		if s, err = LoadStrays(left.Strays, through); err != nil {
			panic(err)
		}
		return s
	}
	s := known(&Strays{Since: midday, Forgotten: midday.Add(-2 * time.Hour)}, midday.Add(-time.Hour))
	require.Equal(t, midday.Add(-time.Hour), s.Since.UTC())
	require.Equal(t, midday.Add(-2*time.Hour), s.Forgotten.UTC())
	s = known(&Strays{}, midday)
	require.True(t, s.Since.IsZero(), "they were always known")
	require.True(t, s.Forgotten.IsZero(), "none was given up")
}

// A part that no Store wrote is told, whichever it is.
func TestTornPartsAreTold(t *testing.T) {
	through := midday.Add(time.Hour)
	for name, tear := range map[string]func(s *Stored) *[]byte{
		"seen":    func(s *Stored) *[]byte { return &s.Seen },
		"strays":  func(s *Stored) *[]byte { return &s.Strays },
		"minutes": func(s *Stored) *[]byte { return &s.Minutes },
		"hours":   func(s *Stored) *[]byte { return &s.Hours },
	} {
		s := storedAround(t, -1, 1)
		part := tear(&s)
		*part = (*part)[:len(*part)-1]
		require.Error(t, s.Check(through), name)
		_, err := s.Count(through)
		require.Error(t, err, name)
	}
}

// What a manifest says of an hour is said once, and anew only when it has become something else.
func TestHoursAreIssuedOnce(t *testing.T) {
	through := midday.Add(time.Hour)
	h := NewHours()
	add := func(at time.Time, id uint64) { h.Apply(map[int64]Digest{MinuteOf(at): DigestOf(id)}, nil) }
	due := func(most int) (list []Hour) { return h.Due(midday.Add(-3*time.Hour), midday, most) }
	add(midday.Add(-150*time.Minute), 1)
	add(midday.Add(-10*time.Minute), 2)
	add(midday, 3)
	first, last := midday.Add(-3*time.Hour), midday.Add(-time.Hour)
	require.Equal(t, []Hour{{first, DigestOf(1), 1}, {last, DigestOf(2), 1}}, due(10), "not the hour without events")
	require.Equal(t, []Hour{{first, DigestOf(1), 1}}, due(1))
	h.Issue(due(10))
	require.Empty(t, due(10))
	loaded, err := LoadHours(h.Store(), through)
	require.NoError(t, err)
	h = loaded
	require.Empty(t, due(10), "a restart changes nothing")
	add(midday.Add(-20*time.Minute), 5)
	require.Equal(t, []Hour{{last, DigestOf(2).Plus(DigestOf(5)), 2}}, due(10))
	h.Issue(due(10))
	h.Forget(first, first.Add(59*time.Minute))
	require.Equal(t, []Hour{{first, Digest{}, 2}}, due(10), "it had some")
	h.Issue(due(10))
	require.Empty(t, due(10))
	h.Fold(midday, last)
	add(first.Add(time.Minute), 7)
	require.Equal(t, []Hour{{first, DigestOf(7), 1}}, due(10), "what is older than all that is kept is forgotten")
}
