package exportertest

import (
	"context"
	"encoding/csv"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testKey = "key"

// now is the servers' clock in most tests.
var now = time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)

// newServer returns a server whose clock stands still.
func newServer(a Answers, events ...Event) *Server {
	s := New(Options{APIKey: testKey, Clock: func() time.Time { return now }, Answers: a, Seed: 1})
	s.Add(events...)
	return s
}

// ask sends a request without sockets; headers are changes of a right request's.
func ask(t *testing.T, s *Server, query url.Values, headers map[string]string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(
		t.Context(), http.MethodGet, "https://api.example.test"+Path+"?"+query.Encode(), nil,
	)
	require.NoError(t, err)
	request.Header.Set("X-API-Key", testKey)
	for name, value := range headers {
		request.Header.Del(name)
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	return s.Transport().RoundTrip(request)
}

// read returns a whole answer.
func read(t *testing.T, s *Server, query url.Values, headers map[string]string) (*http.Response, string) {
	t.Helper()
	response, err := ask(t, s, query, headers)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

// body is the answer's to a request without parameters.
func body(t *testing.T, s *Server) string {
	t.Helper()
	_, text := read(t, s, nil, nil)
	return text
}

// rows reads CSV, and fails on what encoding/csv does not take.
func rows(t *testing.T, text string) [][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err, text)
	return records
}

// ids returns the first field of each row but the header.
func ids(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for _, row := range rows(t, text)[1:] {
		out = append(out, row[0])
	}
	return out
}

// at returns an event of a time relative to now.
func at(id string, d time.Duration) Event { return Event{ID: id, Time: now.Add(d), Action: "login"} }

func window(start, end time.Time) url.Values {
	return url.Values{"startTime": {start.Format(time.RFC3339Nano)}, "endTime": {end.Format(time.RFC3339Nano)}}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// withCancel runs f until the returned function is called, which waits for it.
func withCancel(t *testing.T, running *sync.WaitGroup, f func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { f(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// hangs asks for what is never answered, gives up after a minute, and returns how long that took. In a
// synctest bubble only.
func hangs(t *testing.T, s *Server) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.test"+Path, nil)
	require.NoError(t, err)
	request.Header.Set("X-API-Key", testKey)
	began := time.Now()
	response, err := s.Transport().RoundTrip(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, response.Body.Close())
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	return time.Since(began)
}
