package exportertest

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// way is one to the server: without sockets, and over them.
type way func(t *testing.T, s *Server) (http.RoundTripper, string)

var ways = map[string]way{
	"memory": func(_ *testing.T, s *Server) (http.RoundTripper, string) {
		return s.Transport(), "https://api.example.test"
	},
	"HTTP/1.1": func(t *testing.T, s *Server) (http.RoundTripper, string) {
		web := httptest.NewServer(s)
		t.Cleanup(web.Close)
		return &http.Transport{DisableCompression: true, DisableKeepAlives: true}, web.URL
	},
	"HTTP/2": func(t *testing.T, s *Server) (http.RoundTripper, string) {
		web := httptest.NewUnstartedServer(s)
		web.EnableHTTP2 = true
		web.StartTLS()
		t.Cleanup(web.Close)
		transport := web.Client().Transport.(*http.Transport)
		transport.DisableCompression = true
		return transport, web.URL
	},
}

// onEachWay runs a test with fetch, which returns the answer, its body as far as it came within patience, and
// the error that ended it.
func onEachWay(
	t *testing.T, patience time.Duration, s func() *Server,
	test func(t *testing.T, s *Server, fetch func() (*http.Response, string, error)),
) {
	t.Helper()
	for name, to := range ways {
		t.Run(name, func(t *testing.T) {
			server := s()
			transport, address := to(t, server)
			test(t, server, func() (*http.Response, string, error) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+Path, nil)
				require.NoError(t, err)
				request.Header.Set("X-API-Key", testKey)
				request.Header.Set("Accept-Encoding", "gzip")
				response, err := transport.RoundTrip(request)
				if err != nil {
					return nil, "", err
				}
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				return response, string(text), err
			})
		})
	}
}

// last returns the record of the latest request, when the server has ended it.
func last(s *Server) Request {
	time.Sleep(20 * time.Millisecond) // the handler ends after its answer
	requests := s.Requests()
	return requests[len(requests)-1]
}

func withRows() *Server { return newServer(Answers{}, Generate(5, 1000, now.Add(-time.Hour), now)...) }

// replacingFaults take the place of an answer.
var replacingFaults = map[string]struct {
	fault              Fault
	status             int
	contentType, holds string
	retryAfter         string
}{
	"status": {
		fault: Fault{Status: 500}, status: 500, contentType: "application/json",
		holds: `"code":"INTERNAL_SERVER_ERROR"`,
	},
	"its own code": {
		fault: Fault{Status: 403}, status: 403, contentType: "application/json",
		holds: `"code":"INSUFFICIENT_PERMISSIONS_ERROR"`,
	},
	"another code": {
		fault: Fault{Status: 400, Code: "REQUEST_ENTITY_TOO_LARGE"}, status: 400,
		contentType: "application/json", holds: `"code":"REQUEST_ENTITY_TOO_LARGE"`,
	},
	"retry seconds": {
		fault: Fault{Status: 429, RetryAfter: "17"}, status: 429, contentType: "application/json",
		holds: "RATE_LIMIT_ERROR", retryAfter: "17",
	},
	"retry date": {
		fault: Fault{Status: 503, RetryDate: time.Hour}, status: 503,
		contentType: "application/json", retryAfter: "Wed, 06 May 2026 08:08:09 GMT",
	},
	"retry date before": {
		fault: Fault{Status: 503, RetryDate: -time.Hour}, status: 503,
		contentType: "application/json", retryAfter: "Wed, 06 May 2026 06:08:09 GMT",
	},
	"HTML": {
		fault: Fault{HTML: true}, status: 200, contentType: "text/html; charset=utf-8",
		holds: "<!DOCTYPE html>",
	},
	"HTML with status": {
		fault: Fault{HTML: true, Status: 502}, status: 502, contentType: "text/html; charset=utf-8",
		holds: "<!DOCTYPE html>",
	},
	"JSON error": {
		fault: Fault{JSONError: true, Code: "TIMEOUT_ERROR"}, status: 200,
		contentType: "application/json", holds: `"code":"TIMEOUT_ERROR"`,
	},
	"empty": {fault: Fault{EmptyBody: true}, status: 200, contentType: "text/csv"},
	"body": {
		fault: Fault{Body: "event_id\nx", BodyType: "text/plain"}, status: 200,
		contentType: "text/plain", holds: "event_id\nx",
	},
	"body with status": {fault: Fault{Body: "gone", Status: 404}, status: 404, contentType: "text/csv", holds: "gone"},
	"redirect": {
		fault: Fault{Redirect: "https://elsewhere.example.test/x"}, status: 302,
		contentType: "text/html; charset=utf-8", holds: "elsewhere",
	},
}

func TestFaultsThatReplaceTheAnswer(t *testing.T) {
	for name, c := range replacingFaults {
		t.Run(name, func(t *testing.T) {
			onEachWay(t, time.Minute, withRows, func(t *testing.T, s *Server, fetch func() (*http.Response, string, error)) {
				s.Fail(c.fault)
				response, text, err := fetch()
				require.NoError(t, err)
				assert.Equal(t, c.status, response.StatusCode)
				assert.Equal(t, c.contentType, response.Header.Get("Content-Type"))
				assert.Equal(t, c.retryAfter, response.Header.Get("Retry-After"))
				assert.Contains(t, text, c.holds)
				if c.holds == "" && c.fault.EmptyBody {
					assert.Empty(t, text)
				}
				record := last(s)
				assert.Equal(t, c.status, record.Status)
				assert.NotEmpty(t, record.Fault)
				assert.True(t, record.Complete)
				response, _, err = fetch()
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, response.StatusCode, "only once")
				assert.Equal(t, "text/csv; charset=utf-8", response.Header.Get("Content-Type"))
			})
		})
	}
}

func TestFaultsThatBreakTheAnswer(t *testing.T) {
	whole := body(t, withRows())
	for name, c := range map[string]struct {
		fault   Fault
		answers Answers
		most    int  // bytes that may come
		fails   bool // the client sees that the answer is broken
	}{
		"cut":         {Fault{CutAfter: 5000}, Answers{}, 5000, true},
		"cut, length": {Fault{CutAfter: 5000}, Answers{ContentLength: true}, 5000, true},
		"cut, gzip":   {Fault{CutAfter: 5000}, Answers{Gzip: GzipIfAccepted}, 5000, true},
		"cut, gzip, length": {
			Fault{CutAfter: 5000}, Answers{Gzip: GzipIfAccepted, ContentLength: true}, 5000, true,
		},
		"cut at the first byte": {Fault{CutAfter: 1}, Answers{}, 1, true},
		"cut behind the end":    {Fault{CutAfter: 1 << 30}, Answers{}, len(whole), true},
		"cut behind a said end": {Fault{CutAfter: 1 << 30}, Answers{ContentLength: true}, len(whole) - 1, true},
		"cut of nothing":        {Fault{CutAfter: 10}, Answers{Empty: NoBytes, Retention: 1}, 0, true},
		"cut of nothing, said": {
			Fault{CutAfter: 10}, Answers{Empty: NoBytes, Retention: 1, ContentLength: true}, 0, true,
		},
		"early end":                 {Fault{EndAfter: 5000}, Answers{}, 5000, false},
		"early end, length":         {Fault{EndAfter: 5000}, Answers{ContentLength: true}, 5000, false},
		"early end behind the last": {Fault{EndAfter: 1 << 30}, Answers{}, len(whole), false},
		"early end, gzip":           {Fault{EndAfter: 5000}, Answers{Gzip: GzipAlways}, 5000, false},
	} {
		t.Run(name, func(t *testing.T) {
			onEachWay(t, time.Minute, withRows, func(t *testing.T, s *Server, fetch func() (*http.Response, string, error)) {
				s.SetAnswers(func(a *Answers) { *a = c.answers })
				s.Fail(c.fault)
				_, text, err := fetch()
				record := last(s)
				assert.Equal(t, c.fault.String(), record.Fault)
				if c.fails {
					assert.Error(t, err)
					assert.NotErrorIs(t, err, context.DeadlineExceeded)
					assert.False(t, record.Complete)
				} else {
					assert.NoError(t, err)
					assert.Equal(t, c.most == len(whole), record.Complete)
				}
				assert.LessOrEqual(t, len(text), c.most)
				if c.answers.Gzip == GzipNever {
					assert.True(t, strings.HasPrefix(whole, text))
				} else {
					reader, err := gzip.NewReader(strings.NewReader(text))
					require.NoError(t, err)
					unzipped, err := io.ReadAll(reader)
					require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a gzip stream without its end")
					assert.True(t, strings.HasPrefix(whole, string(unzipped)))
				}
				if !c.fails {
					assert.Len(t, text, c.most)
				}
			})
		})
	}
}

// Without sockets the cut is at its byte, and is the error that package documentation names.
func TestCutInMemory(t *testing.T) {
	for _, n := range []int{1, 100, 5000} {
		s := withRows()
		s.Fail(Fault{CutAfter: n})
		response, err := ask(t, s, nil, nil)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		assert.Equal(t, io.ErrUnexpectedEOF, err)
		assert.Len(t, text, n)
		s.Fail(Fault{CutAfter: n})
		s.SetAnswers(func(a *Answers) { a.ContentLength = true })
		response, err = ask(t, s, nil, nil)
		require.NoError(t, err)
		assert.Greater(t, response.ContentLength, int64(n))
		_, err = io.ReadAll(response.Body)
		assert.Equal(t, io.ErrUnexpectedEOF, err)
	}
}

func TestReset(t *testing.T) {
	onEachWay(t, time.Minute, withRows, func(t *testing.T, s *Server, fetch func() (*http.Response, string, error)) {
		s.Fail(Fault{Reset: true})
		_, _, err := fetch()
		require.Error(t, err)
		record := last(s)
		assert.Equal(t, "reset", record.Fault)
		assert.Zero(t, record.Status)
		if operation := (*net.OpError)(nil); errors.As(err, &operation) {
			assert.ErrorIs(t, err, syscall.ECONNRESET)
		}
	})
}

func TestHangAndStallOverSockets(t *testing.T) {
	onEachWay(t, 300*time.Millisecond, withRows, func(
		t *testing.T, s *Server, fetch func() (*http.Response, string, error),
	) {
		for _, fault := range []Fault{{Hang: true}, {StallAfter: 5000}, {StallAfter: 1 << 30}} {
			s.Fail(fault)
			_, text, err := fetch()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			if fault.StallAfter == 5000 {
				assert.Len(t, text, 5000)
			}
			record := last(s)
			assert.Equal(t, fault.String(), record.Fault)
			assert.False(t, record.Complete)
		}
	})
}

func TestDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := withRows()
		whole := body(t, s)
		s.Fail(Fault{Drip: time.Second})
		began := time.Now()
		response, err := ask(t, s, nil, nil)
		require.NoError(t, err)
		first := make([]byte, 200)
		n, err := response.Body.Read(first)
		require.NoError(t, err)
		assert.Equal(t, dripBytes, n)
		assert.Equal(t, time.Second, time.Since(began))
		rest, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, whole, string(first[:n])+string(rest))
		drops := float64(len(whole)) / dripBytes
		assert.InEpsilon(t, drops*float64(time.Second), float64(time.Since(began)), 0.01)
		synctest.Wait()
		assert.True(t, s.Requests()[1].Complete)
	})
}

func TestFaultsComeInTurn(t *testing.T) {
	s := newServer(Answers{})
	s.Fail(Fault{Status: 503}.Times(2)...)
	s.Fail(Fault{Status: 429})
	s.SetChaos(Chaos{Fail: 1}) // is not asked while there are faults
	s.SetChaos(Chaos{})
	for _, want := range []int{503, 503, 429, 200, 200} {
		response, _ := read(t, s, nil, nil)
		assert.Equal(t, want, response.StatusCode)
	}
}

// A fault that breaks exports is none for an answer that is no export, and is not counted as one.
func TestBreakingFaultOfARefusal(t *testing.T) {
	s := newServer(Answers{})
	s.Fail(Fault{CutAfter: 1})
	assert.Equal(t, "401 UNAUTHORIZED_ERROR", refusalOf(t, s, nil, map[string]string{"X-API-Key": ""}))
	assert.Empty(t, s.Requests()[0].Fault)
}

func TestChaos(t *testing.T) {
	const n = 4000
	draws := func(seed int64) map[string]int {
		counts := map[string]int{}
		c := newServer(Answers{})
		c.SetChaos(Chaos{Seed: seed, Fail: 0.2, Cut: 0.1, Hang: 0.02, Drip: 0.05})
		for range n {
			switch fault := c.chaos.draw(); {
			case fault.CutAfter > 0:
				counts["cut"]++
			case fault.Hang || fault.StallAfter > 0:
				counts["hang"]++
			case fault.Drip > 0:
				counts["drip"]++
			case fault.replaces():
				counts["fail"]++
				counts[fault.String()]++
			}
		}
		return counts
	}
	got := draws(1)
	for name, share := range map[string]float64{"fail": 0.2, "cut": 0.1, "hang": 0.02, "drip": 0.05} {
		assert.InDelta(t, share*n, got[name], 0.02*n, name)
	}
	for _, class := range []string{
		"500", "503", "429", "413", "504", "401", "403", "404", "400", "422", "body", "reset",
	} {
		assert.NotZero(t, got[class], class)
	}
	assert.Equal(t, got, draws(1), "the same seed, the same faults")
	assert.NotEqual(t, got, draws(2))
}

func TestChaosReachesRequestsAndEnds(t *testing.T) {
	s := newServer(Answers{}, at("1", -time.Minute))
	s.SetChaos(Chaos{Cut: 1})
	for range 20 {
		response, err := ask(t, s, nil, nil)
		if err == nil {
			_, err = io.ReadAll(response.Body)
		}
		require.Error(t, err, "short answers are cut too")
	}
	s.SetChaos(Chaos{})
	assert.Equal(t, []string{"1"}, ids(t, body(t, s)))
}
