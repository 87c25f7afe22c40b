package exportertest

import (
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clocked returns a server of two events and what moves its clock on.
func clocked(a Answers) (*Server, func(time.Duration)) {
	clock := now
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return clock }, Answers: a})
	s.Add(at("1", -time.Hour), at("2", -time.Minute))
	return s, func(d time.Duration) { clock = clock.Add(d) }
}

// dateOf returns the Date header of an answer.
func dateOf(t *testing.T, s *Server) string {
	t.Helper()
	response, _ := read(t, s, nil, nil)
	return response.Header.Get("Date")
}

// A wrong Date once, for a while by the server's clock, and for ever.
func TestEpisodes(t *testing.T) {
	const wrong, right = "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 06 May 2026 07:08:"
	t.Run("once", func(t *testing.T) {
		s, pass := clocked(Answers{})
		s.Play(Episode{Ill: "Date of 1970", Times: 1})
		pass(time.Hour)
		counted(t, s, nil)
		assert.Equal(t, wrong, dateOf(t, s), "the next export, whenever it is asked for")
		assert.NotEqual(t, wrong, dateOf(t, s))
		assert.Equal(t, "Date of 1970", s.Requests()[1].Fault)
		assert.Empty(t, s.Requests()[2].Fault)
	})
	t.Run("for a while", func(t *testing.T) {
		s, pass := clocked(Answers{})
		s.Play(Episode{Ill: "Date of 1970", After: 2 * time.Second, Lasts: 8 * time.Second})
		assert.Equal(t, right+"09 GMT", dateOf(t, s))
		pass(2 * time.Second)
		assert.Equal(t, wrong, dateOf(t, s))
		s.Fail(Fault{Status: 503})
		assert.Equal(t, wrong, dateOf(t, s), "of errors too")
		pass(8*time.Second - 1)
		assert.Equal(t, wrong, dateOf(t, s))
		pass(1)
		assert.Equal(t, right+"19 GMT", dateOf(t, s))
		pass(-time.Second)
		assert.Equal(t, wrong, dateOf(t, s), "the clock steps back into it")
	})
	t.Run("for ever", func(t *testing.T) {
		s, pass := clocked(Answers{})
		s.Play(Episode{Ill: "Date of 1970"})
		pass(1000 * time.Hour)
		assert.Equal(t, wrong, dateOf(t, s))
		response, _ := counted(t, s, nil)
		assert.Equal(t, wrong, response.Header.Get("Date"), "whatever is asked for")
		s.Heal()
		assert.NotEqual(t, wrong, dateOf(t, s))
	})
	t.Run("any change", func(t *testing.T) {
		s, pass := clocked(Answers{})
		s.During(now.Add(time.Second), now.Add(2*time.Second), func(a *Answers) { a.DateAt = time.Unix(0, 0) })
		assert.Equal(t, right+"09 GMT", dateOf(t, s))
		pass(time.Second)
		assert.Equal(t, wrong, dateOf(t, s))
		pass(time.Second)
		assert.Equal(t, right+"11 GMT", dateOf(t, s))
	})
}

func TestEpisodesTogether(t *testing.T) {
	s, _ := clocked(Answers{Columns: []string{"event_id"}})
	s.Play(Episode{Ill: "silent limit", Size: 1, Times: 2})
	s.Play(Episode{Ill: "CR", Times: 1})
	s.Play(Episode{Ill: "count too high", Size: 5, Times: 1})
	assert.Equal(t, "event_id\r1\r", body(t, s))
	assert.Equal(t, "silent limit, CR", s.Requests()[0].Fault)
	assert.Equal(t, "event_id\n1\n", body(t, s))
	assert.Equal(t, "event_id\n1\n2\n", body(t, s))
	_, text := counted(t, s, url.Values{"size": {"0"}})
	assert.Equal(t, `{"items":[],"total":7,"current_page":"0","next_page":null}`, text, "kept for a request that counts")
	s.Fail(Fault{Status: 503})
	s.FailCount(Fault{Status: 503})
	s.SetChaos(Chaos{Fail: 1})
	s.Play(Episode{Ill: "silent limit"})
	s.Heal()
	assert.Equal(t, "event_id\n1\n2\n", body(t, s))
	response, _ := counted(t, s, nil)
	assert.Equal(t, 200, response.StatusCode)
	assert.Panics(t, func() { s.Play(Episode{Ill: "plague"}) })
}

// What is printed when a history fails is what plays it again.
func TestEpisodeIsItsText(t *testing.T) {
	random, again := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	drawn := map[string]bool{}
	for range 2000 {
		e := DrawEpisode(random)
		require.Equal(t, e, DrawEpisode(again))
		require.True(t, (e.Times > 0) != (e.Lasts > 0), e)
		parsed, err := ParseEpisode(e.String())
		require.NoError(t, err)
		require.Equal(t, e, parsed)
		drawn[e.Ill] = true
	}
	assert.Len(t, drawn, len(Ills()), "each is drawn")
	e := Episode{Ill: "Date ahead", Size: 48, After: time.Minute, Lasts: 8 * time.Second, Times: 3}
	assert.Equal(t, "Date ahead; size=48; after=1m0s; lasts=8s; times=3", e.String())
	parsed, err := ParseEpisode(e.String())
	require.NoError(t, err)
	assert.Equal(t, e, parsed)
	for text, want := range map[string]string{
		"plague": `"plague" is none of`, "CR; size=x": `"size=x"`, "CR; lasts=1": "missing unit",
		"CR; x=1": "allowed are size, after, lasts and times",
	} {
		_, err := ParseEpisode(text)
		assert.ErrorContains(t, err, want)
	}
}
