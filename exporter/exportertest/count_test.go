package exportertest

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted returns an answer of the sister operation.
func counted(t *testing.T, s *Server, query url.Values) (*http.Response, string) {
	t.Helper()
	address := "https://api.example.test" + CountPath + "?" + query.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	request.Header.Set("X-API-Key", testKey)
	response, err := s.Transport().RoundTrip(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

func noItems(start, end time.Time) url.Values {
	query := window(start, end)
	query.Set("size", "0")
	return query
}

const (
	total0 = `{"items":[],"total":0,"current_page":"0","next_page":null}`
	total1 = `{"items":[],"total":1,"current_page":"0","next_page":null}`
	total3 = `{"items":[],"total":3,"current_page":"0","next_page":null}`
	total5 = `{"items":[],"total":5,"current_page":"0","next_page":null}`
	total8 = `{"items":[],"total":8,"current_page":"0","next_page":null}`
)

func TestCount(t *testing.T) {
	late := at("late", -30*time.Minute)
	late.Visible = now.Add(-10 * time.Minute)
	coming := at("coming", -30*time.Minute)
	coming.Visible = now.Add(10 * time.Minute)
	events := []Event{at("1", -50*time.Minute), late, coming, at("2", -40*time.Minute)}
	for name, c := range map[string]struct {
		count  Count
		status int
		want   string
	}{
		"right":             {Count{}, 200, total3},
		"absent":            {Count{Status: 404}, 404, ""},
		"unauthorized":      {Count{Status: 401}, 401, ""},
		"forbidden":         {Count{Status: 403}, 403, ""},
		"unavailable":       {Count{Status: 503}, 503, ""},
		"page":              {Count{HTML: true}, 200, ""},
		"page with status":  {Count{HTML: true, Status: 502}, 502, ""},
		"no total":          {Count{Body: `{"items":[]}`}, 200, `{"items":[]}`},
		"too few":           {Count{Off: -2}, 200, total1},
		"none":              {Count{Off: -7}, 200, total0},
		"too many":          {Count{Off: 5}, 200, total8},
		"lags":              {Count{Lag: 45 * time.Minute}, 200, total1},
		"runs ahead":        {Count{Lag: -10 * time.Minute, Off: 1}, 200, total5},
		"blind to late":     {Count{LateOver: 20*time.Minute - 1, Off: -1}, 200, total1},
		"not quite so late": {Count{LateOver: 20 * time.Minute}, 200, total3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(Answers{Count: c.count}, events...)
			response, text := counted(t, s, noItems(now.Add(-time.Hour), now))
			assert.Equal(t, c.status, response.StatusCode)
			if c.want != "" {
				assert.Equal(t, c.want, text)
			}
			if c.count.HTML {
				assert.Contains(t, text, "<!DOCTYPE html>")
			}
			assert.Len(t, ids(t, body(t, s)), 3, "the export shows the same as ever")
			assert.Eventually(t, func() bool { // it is noted when the client has its answer already
				first := s.Requests()[0]
				return first.Path == CountPath && first.Status == c.status && first.Complete
			}, 10*time.Second, time.Millisecond)
		})
	}
}

func TestCountIsOfTheWindow(t *testing.T) {
	s := newServer(Answers{}, fiveEvents()...)
	for name, c := range map[string]struct {
		query url.Values
		want  string
	}{
		"both ends":  {noItems(now.Add(-4*time.Minute), now.Add(-2*time.Minute)), total3},
		"one second": {noItems(now.Add(-time.Minute), now.Add(-time.Minute)), total1},
		"search":     {url.Values{"size": {"0"}, "searchTerm": {"none of them"}}, total0},
		"no window":  {url.Values{"size": {"0"}}, total5},
	} {
		t.Run(name, func(t *testing.T) {
			_, text := counted(t, s, c.query)
			assert.Equal(t, c.want, text)
		})
	}
	s.SetAnswers(func(a *Answers) { a.Limit, a.RowLimit, a.Windows = SilentLimit{Rows: 2}, 1, Windows{Future: 422} })
	_, text := counted(t, s, url.Values{"size": {"0"}})
	assert.Equal(t, total5, text, "limits of rows are none of its")
	response, _ := counted(t, s, noItems(now, now.Add(time.Second)))
	assert.Equal(t, 422, response.StatusCode, "a window is refused here too")
}

func TestCountShowsItems(t *testing.T) {
	s := newServer(Answers{}, fiveEvents()...)
	_, text := counted(t, s, url.Values{"size": {"2"}, "cursor": {"2"}})
	assert.Equal(t, `{"items":[{"action_name":"login","event_id":"3","event_time":"2026-05-06T07:05:09.123456Z"},`+
		`{"action_name":"login","event_id":"4","event_time":"2026-05-06T07:06:09.123456Z"}],`+
		`"total":5,"current_page":"2","next_page":"4"}`, text)
	_, text = counted(t, s, nil)
	assert.Contains(t, text, `"event_id":"5"`)
	assert.Contains(t, text, `"next_page":null`)
	for _, query := range []url.Values{
		{"size": {"101"}}, {"size": {"-1"}}, {"size": {"x"}}, {"cursor": {"-1"}}, {"startTime": {"x"}},
	} {
		response, _ := counted(t, s, query)
		assert.Equal(t, 422, response.StatusCode, query)
	}
}

// What is there twice is counted twice, or once.
func TestCountOfCopies(t *testing.T) {
	s := newServer(Answers{}, at("1", -3*time.Minute), at("1", -3*time.Minute), at("2", -2*time.Minute), at("3", 0))
	for byID, want := range map[bool]string{false: `"total":4`, true: total3} {
		s.SetAnswers(func(a *Answers) { a.Count.ByID = byID })
		_, text := counted(t, s, url.Values{"size": {"0"}})
		assert.Contains(t, text, want)
	}
}

func TestASlowCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(Answers{Count: Count{Latency: time.Minute}}, fiveEvents()...)
		began := time.Now()
		_, text := counted(t, s, url.Values{"size": {"0"}})
		assert.Equal(t, total5, text)
		assert.Equal(t, time.Minute, time.Since(began))
		body(t, s)
		assert.Equal(t, time.Minute, time.Since(began), "the export is not slow")
	})
}

// Faults of the export do not go to whoever counts, and the other way round.
func TestFaultsOfTheCount(t *testing.T) {
	s := newServer(Answers{}, at("1", -time.Minute))
	s.Fail(Fault{Status: 503})
	s.FailCount(Fault{Status: 429}, Fault{EndAfter: 12})
	response, _ := counted(t, s, nil)
	assert.Equal(t, 429, response.StatusCode)
	_, text := counted(t, s, url.Values{"size": {"0"}})
	assert.Equal(t, total1[:12], text)
	_, text = counted(t, s, url.Values{"size": {"0"}})
	assert.Equal(t, total1, text)
	response, _ = read(t, s, nil, nil)
	assert.Equal(t, 503, response.StatusCode)
}
