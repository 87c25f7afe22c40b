package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

var (
	testStart = time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
	testEnd   = time.Date(2026, 3, 2, 0, 0, 0, 123456789, time.UTC)
)

// newTestClient makes a client; transport nil means its own, and pairs are settings and their values.
func newTestClient(t *testing.T, transport http.RoundTripper, pairs ...string) *Client {
	t.Helper()
	cfg := Config{
		Endpoint:       &url.URL{Scheme: "https", Host: "api.cloud.wherobots.com"},
		Credentials:    Credentials{APIKey: "hush-hush"},
		UserAgent:      "test agent",
		RequestTimeout: 5 * time.Minute, PollInterval: time.Minute, TLSVerify: true,
	}
	for i := 0; i < len(pairs); i += 2 {
		setForTest(t, &cfg, pairs[i], pairs[i+1])
	}
	c, err := New(cfg, transport)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// setForTest sets what a setting of this name would.
func setForTest(t *testing.T, cfg *Config, key, value string) {
	t.Helper()
	var err error
	switch key {
	case "endpoint":
		cfg.Endpoint, err = url.Parse(strings.TrimSuffix(value, "/"))
	case "search_term":
		cfg.SearchTerm = value
	case "api_key":
		cfg.Credentials.APIKey = Secret(value)
	case "api_key_file":
		cfg.Credentials.APIKeyFile = value
	case "api_key_file_next":
		cfg.Credentials.APIKeyFileNext = value
	case "bearer_token_file":
		cfg.Credentials.BearerTokenFile = value
	case "request_timeout":
		cfg.RequestTimeout, err = time.ParseDuration(value)
	case "tls_ca_file":
		cfg.TLSCAFile = value
	case "tls_verify":
		cfg.TLSVerify = value != "off"
	default:
		t.Fatalf("a client has no setting %s", key)
	}
	require.NoError(t, err)
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestRequest(t *testing.T) {
	var got *http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Date", "Tue, 10 Mar 2026 12:00:00 GMT")
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Encoding", "x-test")
		w.Header().Set("X-Request-Id", "req-1")
		io.WriteString(w, "event_id\n")
	})
	c := newTestClient(t, nil, "endpoint", server.URL+"/base/", "search_term", "a b&c")
	response, err := c.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, "event_id\n", string(body))
	assert.Equal(t, time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), response.Date)
	assert.Equal(t, "text/csv; charset=utf-8", response.ContentType)
	assert.Equal(t, "x-test", response.ContentEncoding)
	assert.Equal(t, "req-1", response.RequestID)

	assert.Equal(t, "GET", got.Method)
	assert.Equal(t, "/base/audit-log/export", got.URL.Path)
	assert.Equal(t, url.Values{
		"startTime": {"2026-03-01T00:00:00Z"}, "endTime": {"2026-03-02T00:00:00.123456789Z"},
		"searchTerm": {"a b&c"},
	}, got.URL.Query())
	assert.Equal(t, http.Header{
		"X-Api-Key": {"hush-hush"}, "Accept": {"text/csv, application/json;q=0.9, */*;q=0.5"},
		"Accept-Encoding": {"identity"},
		"User-Agent":      {"test agent"},
	}, got.Header)
}

func TestRequestWithTokenOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("first\n"), 0o600))
	var sent []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization")+r.Header.Get("X-Api-Key"))
		assert.NotContains(t, r.URL.RawQuery, "searchTerm", "none is set")
		w.WriteHeader(http.StatusUnauthorized)
	})
	c := newTestClient(t, nil, "endpoint", server.URL, "api_key", "", "bearer_token_file", file)
	_, err := c.Open(t.Context(), testStart, testEnd)
	assert.Equal(t, ClassRefused, ClassOf(err))
	require.NoError(t, os.WriteFile(file, []byte("second\n"), 0o600))
	_, err = c.Open(t.Context(), testStart, testEnd)
	assert.Equal(t, ClassRefused, ClassOf(err))
	require.NoError(t, os.Remove(file))
	_, err = c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, `bearer_token_file "`+file+`": cannot be read: no such file or directory`)
	assert.Equal(t, []string{"Bearer first", "Bearer second"}, sent)
}

func TestResponseWithoutHeaders(t *testing.T) {
	c := newTestClient(t, exportertest.RoundTrip(func(*http.Request) (*http.Response, error) {
		return answerWith(200, "", "Date", "yesterday"), nil
	}))
	response, err := c.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	assert.True(t, response.Date.IsZero())
	assert.Empty(t, response.ContentType+response.ContentEncoding+response.RequestID)
	assert.NoError(t, response.Body.Close())
}

func TestRefusalEchoesNoSecret(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<p>no such key: %s</p>", r.Header.Get("X-API-Key"))
	})
	c := newTestClient(t, nil, "endpoint", server.URL)
	_, err := c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, "GET /audit-log/export: 403 Forbidden: no such key: [redacted]; "+
		"suggestion: use a key of an Admin of a Professional or Enterprise organization; "+
		"the credential is that of api_key, which is read at the start only: set another, then start again")
	var refusal *APIError
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, 7*time.Second, refusal.retryAfter)
	assert.Equal(t, "x [redacted] y", c.Redact("x hush-hush y"))
}

// A broken server may repeat what it got where HTTP expects a status.
func TestBrokenAnswerEchoesNoSecret(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		connection.Read(make([]byte, 4096))
		io.WriteString(connection, "you sent hush-hush\x1b[2J\r\n\r\n")
	}()
	c := newTestClient(t, nil, "endpoint", "http://"+listener.Addr().String())
	_, err = c.Open(t.Context(), testStart, testEnd)
	require.Error(t, err)
	assert.EqualError(t, err,
		`GET /audit-log/export: net/http: HTTP/1.x transport connection broken: malformed HTTP status code "sent"`)
	assert.Equal(t, ClassRetry, ClassOf(err))

	c.http.Transport = exportertest.RoundTrip(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("malformed: hush-hush\n\x1b")
	})
	_, err = c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, "GET /audit-log/export: malformed: [redacted]")
}

func TestNetworkErrorsAreRetried(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	c := newTestClient(t, nil, "endpoint", server.URL)
	_, err := c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, "GET /audit-log/export: dial tcp "+address+": connect: connection refused; "+
		"check the setting endpoint (URL)")
	assert.Equal(t, ClassRetry, ClassOf(err))
}

func TestCutBody(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "event_id\n")
	})
	c := newTestClient(t, nil, "endpoint", server.URL)
	response, err := c.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	assert.Equal(t, "event_id\n", string(body))
	assert.EqualError(t, err, "GET /audit-log/export: unexpected EOF")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, ClassRetry, ClassOf(err))
}

func TestConnectionIsKept(t *testing.T) {
	var peers []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		peers = append(peers, r.RemoteAddr)
		if len(peers) == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "event_id\n")
	})
	c := newTestClient(t, nil, "endpoint", server.URL)
	for range 4 {
		response, err := c.Open(t.Context(), testStart, testEnd)
		if err == nil {
			// Nothing is read: Close does.
			require.NoError(t, response.Body.Close())
		}
	}
	assert.Equal(t, []string{peers[0], peers[0], peers[0], peers[0]}, peers)
}

func TestCloseDoesNotWaitForTheServer(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	c := newTestClient(t, nil, "endpoint", server.URL)
	response, err := c.Open(t.Context(), testStart, testEnd)
	require.NoError(t, err)
	begun := time.Now()
	response.Body.Close()
	assert.Less(t, time.Since(begun), 5*time.Second)
}

// slowBody gives one byte a second for ever, or until the request ends.
type slowBody struct{ ctx context.Context }

func (b slowBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		return copy(p, "x"), nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b slowBody) Close() error { return nil }

var drip = exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := answerWith(200, "")
	answer.Body = slowBody{r.Context()}
	return answer, nil
})

const timedOut = "GET /audit-log/export: the answer took longer than request_timeout (10s)"

func TestRequestTimeoutBeforeTheHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := newTestClient(t, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), "request_timeout", "10s")
		_, err := c.Open(t.Context(), testStart, testEnd)
		assert.EqualError(t, err, timedOut)
		assert.Equal(t, ClassShrink, ClassOf(err))
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
}

func TestRequestTimeoutIsForTheWholeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := newTestClient(t, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			time.Sleep(4500 * time.Millisecond)
			return drip(r)
		}), "request_timeout", "10s")
		response, err := c.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		assert.Equal(t, "xxxxx", string(body))
		assert.EqualError(t, err, timedOut)
		assert.Equal(t, ClassShrink, ClassOf(fmt.Errorf("row 5: %w", err)))
		assert.Equal(t, 10*time.Second, time.Since(begun))
		response.Body.Close()
	})
}

func TestRequestTimeoutOfAnErrorBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := newTestClient(t, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			answer, err := drip(r)
			answer.StatusCode = 503
			return answer, err
		}), "request_timeout", "9500ms")
		_, err := c.Open(t.Context(), testStart, testEnd)
		assert.EqualError(t, err, "GET /audit-log/export: 503 Service Unavailable: xxxxxxxxx",
			"the status counts, not how slowly it is explained")
		assert.Equal(t, ClassRetry, ClassOf(err))
		assert.Equal(t, 9500*time.Millisecond, time.Since(begun))
	})
}

// While the engine is paused nobody reads. That must not make windows shorter.
func TestPauseDoesNotCountAsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, drip, "request_timeout", "10s")
		response, err := c.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		defer response.Body.Close()
		for range 9 {
			time.Sleep(time.Hour)
			_, err = response.Body.Read(make([]byte, 1))
			require.NoError(t, err)
		}
	})
}

func TestCancelIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, drip, "request_timeout", "10s")
		ctx, cancel := context.WithCancel(t.Context())
		response, err := c.Open(ctx, testStart, testEnd)
		require.NoError(t, err)
		time.AfterFunc(2500*time.Millisecond, cancel)
		body, err := io.ReadAll(response.Body)
		assert.Equal(t, "xx", string(body))
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, ClassRetry, ClassOf(err))
		response.Body.Close()

		_, err = c.Open(ctx, testStart, testEnd)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// redirectTo answers with a redirect once, then with 200.
func redirectTo(status int, location string, seen *[]string) exportertest.RoundTrip {
	return func(r *http.Request) (*http.Response, error) {
		*seen = append(*seen, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path+" "+r.Header.Get("X-API-Key"))
		if len(*seen) > 1 {
			return answerWith(200, ""), nil
		}
		answer := answerWith(status, "", "Location", location)
		answer.Request = r
		return answer, nil
	}
}

func TestRedirects(t *testing.T) {
	const get = "GET /audit-log/export: "
	const other = ", which must not get the credential; not followed; suggestion: set endpoint to it if it can be trusted"
	for _, test := range []struct {
		endpoint, location string
		status             int
		want               string // "" = followed
	}{
		{"https://example.com", "/v2/audit-log/export", 307, ""},
		{"https://example.com", "https://EXAMPLE.com:443/x", 302, ""},
		{"http://example.com", "https://example.com/x", 301, ""},
		{"http://example.com", "http://example.com:80/x", 301, ""},
		{"https://example.com", "https://evil.example/x", 302, get +
			"302 Found: redirects to another host, evil.example" + other},
		{"https://example.com", "https://sub.example.com/x", 308, get +
			"308 Permanent Redirect: redirects to another host, sub.example.com" + other},
		{"https://example.com", "https://example.com:8443/x", 307, get +
			"307 Temporary Redirect: redirects to another host, example.com:8443" + other},
		{"http://example.com:8080", "https://example.com:8443/x", 302, get +
			"302 Found: redirects to another host, example.com:8443" + other},
		{"https://example.com", "https://hush-hush.evil.example/", 302, get +
			"302 Found: redirects to another host, [redacted].evil.example" + other},
		{"https://example.com", "http://example.com/x", 302, get +
			"302 Found: redirects from https to http://example.com, " +
			"where the credential would travel unencrypted; not followed"},
		{"http://example.com", "ftp://example.com/x", 302, get +
			"302 Found: redirects from http to ftp://example.com, where the credential would travel unencrypted; not followed"},
		{"https://example.com", "", 304, get + "304 Not Modified"},
		{"https://example.com", "", 302, get + "302 Found"},
	} {
		var seen []string
		c := newTestClient(t, redirectTo(test.status, test.location, &seen), "endpoint", test.endpoint)
		_, err := c.Open(t.Context(), testStart, testEnd)
		if test.want == "" {
			assert.NoError(t, err, test.location)
			assert.Len(t, seen, 2)
			continue
		}
		assert.EqualError(t, err, test.want)
		assert.Equal(t, ClassRefused, ClassOf(err))
		assert.Len(t, seen, 1, "the credential went to %v", seen)
	}
}

func TestRedirectsForEver(t *testing.T) {
	requests := 0
	c := newTestClient(t, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		requests++
		answer := answerWith(302, "", "Location", "/again")
		answer.Request = r
		return answer, nil
	}))
	_, err := c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, "GET /audit-log/export: 302 Found: redirects more than 5 times")
	assert.Equal(t, ClassRefused, ClassOf(err))
	assert.Equal(t, 6, requests)
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	server.StartTLS()
	defer server.Close()

	c := newTestClient(t, nil, "endpoint", server.URL)
	_, err := c.Open(t.Context(), testStart, testEnd)
	assert.EqualError(t, err, "GET /audit-log/export: tls: failed to verify certificate: x509: "+
		"certificate signed by unknown authority; "+
		"if a proxy or gateway of yours signs its certificate, name its CA in tls_ca_file")
	assert.Equal(t, ClassRetry, ClassOf(err))

	for _, pair := range [][]string{{"tls_ca_file", exportertest.WriteCA(t, t.TempDir())}, {"tls_verify", "off"}} {
		c := newTestClient(t, nil, append(pair, "endpoint", server.URL)...)
		response, err := c.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err, pair)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, "HTTP/2.0", string(body))
		response.Body.Close()
	}

	cfg := Config{Endpoint: &url.URL{Scheme: "https", Host: "example.com"}, TLSCAFile: "/nonexistent/ca.pem"}
	_, err = New(cfg, nil)
	assert.EqualError(t, err, `tls_ca_file "/nonexistent/ca.pem": cannot be read: no such file or directory`)
}

func TestConnectingFailsBeforeTheRequestDoes(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		3 * time.Second: time.Second,
		5 * time.Minute: connectTimeout,
	} {
		transport, err := newTransport(
			Config{RequestTimeout: timeout, TLSVerify: true, PollInterval: time.Minute}, proxyWay{}, nil,
		)
		require.NoError(t, err)
		assert.Equal(t, want, transport.TLSHandshakeTimeout)
		assert.False(t, transport.TLSClientConfig.InsecureSkipVerify)
		assert.Equal(t, 2*time.Minute, transport.IdleConnTimeout, "a connection outlives the pause between polls")
	}
}
