package exportertest

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func fiveEvents() []Event {
	return []Event{
		at("1", -5*time.Minute), at("2", -4*time.Minute),
		at("3", -3*time.Minute), at("4", -2*time.Minute), at("5", -time.Minute),
	}
}

func TestSilentLimit(t *testing.T) {
	for name, c := range map[string]struct {
		limit       SilentLimit
		order       Order
		want        []string
		link, total string
	}{
		"none":               {SilentLimit{}, Ascending, []string{"1", "2", "3", "4", "5"}, "", ""},
		"as many as it":      {SilentLimit{Rows: 5, Link: true}, Ascending, []string{"1", "2", "3", "4", "5"}, "", ""},
		"oldest":             {SilentLimit{Rows: 2}, Ascending, []string{"1", "2"}, "", ""},
		"newest":             {SilentLimit{Rows: 2, Newest: true}, Ascending, []string{"4", "5"}, "", ""},
		"oldest, descending": {SilentLimit{Rows: 2}, Descending, []string{"2", "1"}, "", ""},
		"link": {
			SilentLimit{Rows: 2, Link: true},
			Ascending,
			[]string{"1", "2"},
			`<https://api.example.test/audit-log/export?cursor=2>; rel="next"`, "",
		},
		"total":       {SilentLimit{Rows: 2, Total: "X-Total-Count"}, Ascending, []string{"1", "2"}, "", "5"},
		"total alone": {SilentLimit{Total: "X-Total-Count"}, Ascending, []string{"1", "2", "3", "4", "5"}, "", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			response, text := read(t, newServer(Answers{Limit: c.limit, Order: c.order}, fiveEvents()...), nil, nil)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, c.want, ids(t, text))
			assert.Equal(t, c.link, response.Header.Get("Link"))
			assert.Equal(t, c.total, response.Header.Get("X-Total-Count"))
		})
	}
}

// Whoever follows the links gets each row once.
func TestLinksLeadToAllRows(t *testing.T) {
	for newest, want := range map[bool][]string{false: {"1", "2", "3", "4", "5"}, true: {"4", "5", "2", "3", "1"}} {
		s := newServer(Answers{Limit: SilentLimit{Rows: 2, Newest: newest, Link: true}}, fiveEvents()...)
		var got []string
		for _, cursor := range []string{"", "2", "4"} {
			response, text := read(t, s, url.Values{"cursor": {cursor}}, nil)
			got = append(got, ids(t, text)...)
			next := map[string]string{"": "cursor=2>", "2": "cursor=4>", "4": ""}[cursor]
			assert.Contains(t, response.Header.Get("Link"), next)
			assert.Equal(t, next == "", response.Header.Get("Link") == "")
		}
		assert.Equal(t, want, got)
	}
	s := newServer(Answers{}, fiveEvents()...)
	assert.Equal(t, "422 INVALID_INPUT_ERROR", refusalOf(t, s, url.Values{"cursor": {"x"}}, nil))
	_, text := read(t, s, url.Values{"cursor": {"9"}}, nil)
	require.Empty(t, ids(t, text))
	s.SetAnswers(func(a *Answers) { a.Limit.Total, a.RowLimit = "X-Total", 3 })
	response, _ := read(t, s, nil, nil)
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
	assert.Empty(t, response.Header.Get("X-Total"), "a refusal counts nothing")
}
