package source

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// counting is an endpoint whose answers a test makes.
func counting(answer func(*http.Request) (*http.Response, error)) http.RoundTripper {
	return exportertest.RoundTrip(answer)
}

func answered(r *http.Request, status int, body io.Reader, headers ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}
	for i := 0; i < len(headers); i += 2 {
		response.Header.Set(headers[i], headers[i+1])
	}
	return response
}

func TestCountRequest(t *testing.T) {
	var got *http.Request
	client := newTestClient(t, counting(func(r *http.Request) (*http.Response, error) {
		got = r
		return answered(r, 200, strings.NewReader("{}")), nil
	}), "endpoint", "https://example.test/base", "search_term", "a b&c")
	body, err := client.Count(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(body))
	assert.Equal(t, "/base/audit-log", got.URL.Path)
	assert.Equal(t, url.Values{
		"startTime": {"2026-03-01T00:00:00Z"}, "endTime": {"2026-03-02T00:00:00.123456789Z"},
		"searchTerm": {"a b&c"}, "size": {"0"},
	}, got.URL.Query())
	assert.Equal(t, http.Header{
		"X-Api-Key": {"hush-hush"}, "Accept": {"application/json"}, "Accept-Encoding": {"identity"},
		"User-Agent": {"test agent"},
	}, got.Header)
}

func TestTheLongestCount(t *testing.T) {
	text := strings.Repeat(" ", maxCount-2) + "{}"
	client := newTestClient(t, counting(func(r *http.Request) (*http.Response, error) {
		return answered(r, 200, strings.NewReader(text)), nil
	}))
	body, err := client.Count(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	assert.Equal(t, text, string(body))
}

// Whatever is no small, whole answer with 200 is none. What it says is not repeated, and redirects are not followed.
func TestCountTakesNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    io.Reader
		headers []string
		want    string
		after   time.Duration
	}{
		"unauthorized": {401, strings.NewReader("hush-hush"), nil, "GET /audit-log: 401 Unauthorized", 0},
		"absent":       {404, strings.NewReader("hush-hush"), nil, "GET /audit-log: 404 Not Found", 0},
		"too many": {
			429, strings.NewReader(""),
			[]string{"Retry-After", "120"},
			"GET /audit-log: 429 Too Many Requests", 2 * time.Minute,
		},
		"too many, no time": {429, strings.NewReader(""), nil, "GET /audit-log: 429 Too Many Requests", 0},
		"unavailable": {
			503, strings.NewReader(""),
			[]string{"Retry-After", "120"},
			"GET /audit-log: 503 Service Unavailable", 0,
		},
		"unknown":  {599, strings.NewReader(""), nil, "GET /audit-log: 599", 0},
		"redirect": {302, strings.NewReader(""), []string{"Location", "/elsewhere"}, "GET /audit-log: 302 Found", 0},
		"elsewhere": {
			307, strings.NewReader(""),
			[]string{"Location", "https://evil.test/"},
			"GET /audit-log: 307 Temporary Redirect", 0,
		},
		"long": {
			200, strings.NewReader(strings.Repeat(" ", maxCount+1)), nil,
			"GET /audit-log: the answer is longer than 65536 bytes", 0,
		},
		"cut": {
			200, io.MultiReader(strings.NewReader("{"), brokenReader{}), nil,
			"GET /audit-log: unexpected EOF near [redacted]", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			client := newTestClient(t, counting(func(r *http.Request) (*http.Response, error) {
				requests++
				return answered(r, c.status, c.body, c.headers...), nil
			}))
			_, err := client.Count(t.Context(), testStart, testEnd)
			var failed *CountError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, c.want, err.Error())
			assert.Equal(t, c.after, failed.RetryAfter)
			assert.NotContains(t, err.Error(), "hush")
			assert.Equal(t, 1, requests)
		})
	}
}

// brokenReader breaks, and its error repeats the key.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

var errBroken = errorText("unexpected EOF near hush-hush")

type errorText string

func (e errorText) Error() string { return string(e) }

// An answer that does not come, or not to its end, is waited for for seconds, whatever request_timeout is.
func TestCountWaitsForSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		timeout string
		stalls  bool // behind the first byte
		want    time.Duration
	}{
		"hangs":           {"1h", false, countTimeout},
		"stalls":          {"1h", true, countTimeout},
		"request_timeout": {"2s", false, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newTestClient(t, counting(func(r *http.Request) (*http.Response, error) {
					if c.stalls {
						return answered(r, 200, io.MultiReader(strings.NewReader("{"), stalledReader{r.Context()})), nil
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				}), "request_timeout", c.timeout)
				began := time.Now()
				_, err := client.Count(t.Context(), testStart, testEnd)
				require.EqualError(t, err, "GET /audit-log: no answer in time")
				require.Equal(t, c.want, time.Since(began))
			})
		})
	}
}

type stalledReader struct{ ctx context.Context }

func (r stalledReader) Read([]byte) (int, error) {
	<-r.ctx.Done()
	return 0, r.ctx.Err()
}

// What fails here changes nothing for the export.
func TestCountLeavesTheExportAlone(t *testing.T) {
	server := exportertest.New(exportertest.Options{APIKey: "hush-hush", Answers: exportertest.Answers{
		Count: exportertest.Count{Status: 401},
	}})
	client := newTestClient(t, server.Transport())
	_, err := client.Count(t.Context(), testStart, testEnd)
	require.Error(t, err)
	response, err := client.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
}
