package exportertest

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWindowsThatAreRefused(t *testing.T) {
	day := 24 * time.Hour
	oldest := now.Add(-Retention)
	for name, c := range map[string]struct {
		windows Windows
		query   url.Values
		want    string // "" = answered
	}{
		"old, answered": {Windows{}, window(oldest.Add(-day), now), ""},
		"old, 400":      {Windows{TooOld: 400}, window(oldest.Add(-1), now), "400 INVALID_INPUT_ERROR"},
		"old, 422":      {Windows{TooOld: 422}, window(oldest.Add(-1), now), "422 INVALID_INPUT_ERROR"},
		"just kept":     {Windows{TooOld: 400}, window(oldest, now), ""},
		"older than the limit": {
			Windows{TooOld: 400, TooOldAt: day}, window(now.Add(-day-1), now), "400 INVALID_INPUT_ERROR",
		},
		"at the limit":          {Windows{TooOld: 400, TooOldAt: day}, window(now.Add(-day), now), ""},
		"no start":              {Windows{TooOld: 400, Backward: 400}, nil, ""},
		"zero length, answered": {Windows{}, window(now, now), ""},
		"zero length":           {Windows{Backward: 422}, window(now, now), "422 INVALID_INPUT_ERROR"},
		"backward":              {Windows{Backward: 400}, window(now, now.Add(-1)), "400 INVALID_INPUT_ERROR"},
		"forward":               {Windows{Backward: 422}, window(now.Add(-1), now), ""},
		"future, answered":      {Windows{}, window(now, now.Add(day)), ""},
		"future":                {Windows{Future: 422}, window(now, now.Add(1)), "422 INVALID_INPUT_ERROR"},
		"the present":           {Windows{Future: 422}, window(now.Add(-day), now), ""},
	} {
		t.Run(name, func(t *testing.T) {
			// the Date header says something else than the clock that decides
			s := newServer(Answers{Windows: c.windows, DateOffset: 10 * day})
			if c.want != "" {
				assert.Equal(t, c.want, refusalOf(t, s, c.query, nil))
				return
			}
			_, text := read(t, s, c.query, nil)
			assert.Empty(t, ids(t, text))
		})
	}
}

func TestForgets(t *testing.T) {
	clock := now
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return clock }, Answers: Answers{Retention: time.Hour}})
	s.Add(at("old", -30*time.Minute), at("new", 0))
	forgets := func(yes bool) { s.SetAnswers(func(a *Answers) { a.Forgets = yes }) }
	clock = now.Add(45 * time.Minute)
	assert.Equal(t, []string{"new"}, ids(t, body(t, s)))
	clock = now
	assert.Equal(t, []string{"old", "new"}, ids(t, body(t, s)), "kept out of sight")
	forgets(true)
	clock = now.Add(30 * time.Minute)
	assert.Equal(t, []string{"old", "new"}, ids(t, body(t, s)), "at the limit")
	clock = now.Add(30*time.Minute + 1)
	assert.Equal(t, []string{"new"}, ids(t, body(t, s)))
	clock = now
	forgets(false)
	assert.Equal(t, []string{"new"}, ids(t, body(t, s)), "for good")
	assert.Len(t, s.Events(), 1)
	if forgotten := s.Forgotten(); assert.Len(t, forgotten, 1) {
		assert.Equal(t, "old", forgotten[0].ID)
	}
}
