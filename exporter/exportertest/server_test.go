package exportertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refusalOf returns status and code of an error answer, which must be an ErrorBody with everything that the
// OpenAPI text requires.
func refusalOf(t *testing.T, s *Server, query url.Values, headers map[string]string) string {
	t.Helper()
	response, text := read(t, s, query, headers)
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	var got errorBody
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&got), text)
	require.Len(t, got.Errors, 1)
	for _, field := range []string{
		got.RequestID, got.Errors[0].Message, got.Errors[0].Details, got.Errors[0].Path,
		got.Errors[0].Suggestion,
	} {
		assert.NotEmpty(t, field, text)
	}
	requests := s.Requests()
	last := requests[len(requests)-1]
	assert.Equal(t, last.ID, got.RequestID)
	assert.Equal(t, response.StatusCode, last.Status)
	assert.True(t, last.Complete)
	return strconv.Itoa(response.StatusCode) + " " + got.Errors[0].Code
}

func TestCredentials(t *testing.T) {
	s := New(Options{APIKey: "key", BearerToken: "token", Clock: func() time.Time { return now }})
	for name, c := range map[string]struct {
		headers    map[string]string
		admitted   bool
		credential string
	}{
		"key":          {map[string]string{"X-API-Key": "key"}, true, "X-API-Key"},
		"token":        {map[string]string{"X-API-Key": "", "Authorization": "Bearer token"}, true, "Authorization"},
		"none":         {map[string]string{"X-API-Key": ""}, false, ""},
		"wrong key":    {map[string]string{"X-API-Key": "Key"}, false, "X-API-Key"},
		"wrong token":  {map[string]string{"X-API-Key": "", "Authorization": "Bearer key"}, false, "Authorization"},
		"other scheme": {map[string]string{"X-API-Key": "", "Authorization": "Basic token"}, false, "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.admitted {
				response, _ := read(t, s, nil, c.headers)
				assert.Equal(t, http.StatusOK, response.StatusCode)
			} else {
				assert.Equal(t, "401 UNAUTHORIZED_ERROR", refusalOf(t, s, nil, c.headers))
			}
			requests := s.Requests()
			assert.Equal(t, c.credential, requests[len(requests)-1].Credential)
		})
	}
	s.SetCredentials("", "token")
	assert.Equal(
		t, "401 UNAUTHORIZED_ERROR", refusalOf(t, s, nil, map[string]string{"X-API-Key": "key"}),
		"a key that is no longer one",
	)
	assert.Equal(
		t, "401 UNAUTHORIZED_ERROR", refusalOf(t, s, nil, map[string]string{"X-API-Key": ""}),
		"no key is not the empty key",
	)
}

func TestWindowIsInclusive(t *testing.T) {
	start, end := now.Add(-time.Hour), now.Add(-time.Minute)
	s := newServer(Answers{},
		Event{ID: "before", Time: start.Add(-1)}, Event{ID: "first", Time: start},
		Event{ID: "last", Time: end}, Event{ID: "after", Time: end.Add(1)})
	for name, c := range map[string]struct {
		query url.Values
		want  []string
	}{
		"both":     {window(start, end), []string{"first", "last"}},
		"no end":   {url.Values{"startTime": {start.Format(time.RFC3339Nano)}}, []string{"first", "last", "after"}},
		"no start": {url.Values{"endTime": {end.Format(time.RFC3339Nano)}}, []string{"before", "first", "last"}},
		"neither":  {nil, []string{"before", "first", "last", "after"}},
		"other zone": {
			window(start.In(time.FixedZone("", 7200)), end.In(time.FixedZone("", -3600))),
			[]string{"first", "last"},
		},
		"one instant": {window(end, end), []string{"last"}},
		"backward":    {window(end, start), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, text := read(t, s, c.query, nil)
			assert.Equal(t, c.want, ids(t, text))
		})
	}
}

func TestWrongRequests(t *testing.T) {
	s := newServer(Answers{})
	for _, text := range []string{"2026-05-06T07:08:09", "2026-05-06T07:08:09 00:00", "yesterday", "1778051280"} {
		assert.Equal(t, "422 INVALID_INPUT_ERROR", refusalOf(t, s, url.Values{"startTime": {text}}, nil), text)
		assert.Equal(t, "422 INVALID_INPUT_ERROR", refusalOf(t, s, url.Values{"endTime": {text}}, nil), text)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodPost, Path, 405},
		{http.MethodGet, "/audit-logs", 404},
		{http.MethodPost, CountPath, 405},
		{http.MethodGet, Path + "/", 404},
	} {
		request := httptest.NewRequestWithContext(t.Context(), c.method, "https://api.example.test"+c.path, nil)
		request.Header.Set("X-API-Key", testKey)
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		assert.Equal(t, c.status, recorder.Code)
	}
}

// The names are those of the OpenAPI text.
func TestErrorBody(t *testing.T) {
	_, text := read(t, newServer(Answers{}), url.Values{"endTime": {"x"}}, nil)
	assert.JSONEq(t, `{"errors": [{
		"code": "INVALID_INPUT_ERROR", "message": "endTime must be ISO 8601 with an offset",
			"details": "simulated: endTime must be ISO 8601 with an offset",
		"path": "query.endTime", "suggestion": "Contact us at support@wherobots.com to get help with resolving your error.",
		"documentation_url": null, "field": "endTime"
	}], "requestId": "req-000001"}`, text)
}

func TestErrorForms(t *testing.T) {
	s := newServer(Answers{Errors: FastAPI})
	response, text := read(t, s, nil, map[string]string{"X-API-Key": "wrong"})
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.JSONEq(t, `{"detail": "the credential is missing, wrong or expired"}`, text)
	response, text = read(t, s, url.Values{"endTime": {"x"}}, nil)
	assert.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
	assert.JSONEq(
		t,
		`{"detail": [{"type": "datetime_parsing", "loc": ["query", "endTime"], "msg": "endTime must be ISO 8601 with an `+
			`offset"}]}`,
		text,
	)
	s.Fail(Fault{Status: 500})
	_, text = read(t, s, nil, nil)
	assert.JSONEq(t, `{"detail": "an injected fault"}`, text, "faults too")
	s.SetAnswers(func(a *Answers) { a.Errors = HTMLPages })
	response, text = read(t, s, nil, map[string]string{"X-API-Key": "wrong"})
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Contains(t, text, "<h1>the credential is missing")
}

func TestSearch(t *testing.T) {
	events := []Event{at("one", -3*time.Minute), at("two", -2*time.Minute), at("three", -time.Minute)}
	events[0].UserName, events[1].ResourceName, events[2].SourceIP = "Ann", "plan of Ann", "2001:db8::1"
	s := newServer(Answers{}, events...)
	for term, want := range map[string][]string{
		"Ann": {"one", "two"}, "ann": nil, "db8": {"three"}, "login": {"one", "two", "three"}, "07:06:09": {"two"},
		"": {"one", "two", "three"}, "plan of": {"two"},
	} {
		_, text := read(t, s, url.Values{"searchTerm": {term}}, nil)
		assert.Equal(t, want, ids(t, text), term)
	}
	assert.Len(t, events[0].Fields(), len(ColumnNames))
	for i, name := range ColumnNames { // every field is searched
		e := Event{Time: now.Add(-time.Second)}
		fields := []*string{
			&e.ID, nil, &e.Action, &e.UserID, &e.UserName, &e.UserAgent, &e.SourceIP, &e.ResourceName,
			&e.ResourceID, &e.ComputeRegion, &e.ClientChain, &e.SourceClient,
		}
		if fields[i] != nil {
			*fields[i] = "needle"
			assert.True(t, e.matches("need"), name)
			assert.Equal(t, "needle", rows(t, body(t, newServer(Answers{Columns: []string{name, "event_time"}}, e)))[1][0])
		}
	}
}

func TestRetention(t *testing.T) {
	s := newServer(Answers{}, at("gone", -Retention-time.Second), at("oldest", -Retention), at("new", -time.Hour))
	assert.Equal(t, []string{"oldest", "new"}, ids(t, body(t, s)))
	_, text := read(t, s, window(now.Add(-2*Retention), now.Add(-Retention-time.Second)), nil)
	assert.Empty(t, ids(t, text), "asked for or not")
	s.SetAnswers(func(a *Answers) { a.Retention = 2 * time.Hour })
	assert.Equal(t, []string{"new"}, ids(t, body(t, s)))
	s.SetAnswers(func(a *Answers) { a.Retention = -1 })
	assert.Equal(t, []string{"gone", "oldest", "new"}, ids(t, body(t, s)))
}

func TestVisible(t *testing.T) {
	clock := now
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return clock }})
	late := at("late", -time.Minute)
	late.Visible = now.Add(time.Hour)
	ahead := at("dated ahead", time.Hour)
	ahead.Visible = now
	s.Add(late, ahead, at("future", time.Minute), at("now", 0))
	far := window(now.Add(-time.Hour), now.Add(2*time.Hour))
	shown := func() []string {
		_, text := read(t, s, far, nil)
		return ids(t, text)
	}
	assert.Equal(t, []string{"now", "dated ahead"}, shown())
	assert.Len(t, s.Visible(), 2)
	assert.Len(t, s.Events(), 4)
	clock = now.Add(time.Minute)
	assert.Equal(t, []string{"now", "future", "dated ahead"}, shown())
	clock = now.Add(time.Hour)
	assert.Equal(t, []string{"late", "now", "future", "dated ahead"}, shown())
}

func TestRequestsAreRecorded(t *testing.T) {
	s := newServer(Answers{}, at("1", -time.Minute), at("2", -time.Minute))
	query := window(now.Add(-time.Hour), now)
	query.Set("searchTerm", "login")
	read(t, s, query, map[string]string{"User-Agent": "test/1", "Accept-Encoding": "identity"})
	assert.Equal(t, []Request{{
		ID: "req-000001", At: now, Method: http.MethodGet, Host: "api.example.test", Path: Path, Query: query.Encode(),
		Start: now.Add(-time.Hour), End: now, SearchTerm: "login", UserAgent: "test/1", AcceptEncoding: "identity",
		Credential: "X-API-Key",
		Status:     200, Rows: 2, Complete: true,
	}}, s.Requests())
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := newServer(Answers{})
	web := httptest.NewServer(s)
	defer web.Close()
	var running sync.WaitGroup
	for n := range 4 {
		running.Go(func() {
			for i := range 50 {
				s.Add(Generate(int64(n*100+i), 10, now.Add(-time.Hour), now)...)
				s.SetAnswers(func(a *Answers) { a.Order = Order(i % 3) })
				s.SetChaos(Chaos{Seed: int64(i), Fail: 0.1})
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+Path, nil)
				assert.NoError(t, err)
				request.Header.Set("X-API-Key", testKey)
				if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
					response.Body.Close()
				}
				s.Requests()
				s.Events()
				s.Visible()
			}
		})
	}
	running.Wait()
	assert.Len(t, s.Events(), 2000)
	assert.GreaterOrEqual(t, len(s.Requests()), 200)
}
