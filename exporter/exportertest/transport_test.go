package exportertest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// handled is a request of the in-memory transport to a handler.
func handled(ctx context.Context, t *testing.T, handler http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.test/", nil)
	require.NoError(t, err)
	return memory{handler}.RoundTrip(request)
}

// In a bubble a test ends only when every goroutine has ended: none is left behind, whatever happens to the request.
func TestTransportLeavesNothingBehind(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, s *Server){
		"read": func(t *testing.T, s *Server) { body(t, s) },
		"closed in the middle": func(t *testing.T, s *Server) {
			response, err := ask(t, s, nil, nil)
			require.NoError(t, err)
			_, err = io.ReadFull(response.Body, make([]byte, 10))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			synctest.Wait()
			assert.False(t, s.Requests()[0].Complete)
		},
		"cancelled while it hangs": func(t *testing.T, s *Server) {
			s.Fail(Fault{Hang: true})
			assert.Equal(t, time.Minute, hangs(t, s))
			synctest.Wait()
			assert.Zero(t, s.Requests()[0].Status)
		},
		"cancelled in the middle": func(t *testing.T, s *Server) {
			s.Fail(Fault{StallAfter: 1000})
			assert.Equal(t, time.Minute, hangs(t, s))
		},
		"cancelled while nobody reads": func(t *testing.T, s *Server) {
			ctx, cancel := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.test"+Path, nil)
			require.NoError(t, err)
			request.Header.Set("X-API-Key", testKey)
			response, err := s.Transport().RoundTrip(request)
			require.NoError(t, err)
			synctest.Wait() // the handler waits for a reader
			cancel()
			_, err = io.Copy(io.Discard, response.Body)
			assert.ErrorIs(t, err, context.Canceled)
			require.NoError(t, response.Body.Close())
		},
		"cancelled during the latency": func(t *testing.T, s *Server) {
			s.SetAnswers(func(a *Answers) { a.Latency = time.Hour })
			assert.Equal(t, time.Minute, hangs(t, s))
		},
		"reset": func(t *testing.T, s *Server) {
			s.Fail(Fault{Reset: true})
			_, err := ask(t, s, nil, nil)
			assert.Equal(t, io.ErrUnexpectedEOF, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { use(t, withRows()) })
		})
	}
}

func TestTransportIsATransport(t *testing.T) {
	t.Run("says nothing", func(t *testing.T) {
		response, err := handled(t.Context(), t, func(http.ResponseWriter, *http.Request) {})
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, "200 OK", response.Status)
		assert.Empty(t, text)
	})
	t.Run("only the first status counts", func(t *testing.T) {
		response, err := handled(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Before", "1")
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-After", "1")
			w.WriteHeader(http.StatusOK)
		})
		require.NoError(t, err)
		assert.Equal(t, http.StatusTeapot, response.StatusCode)
		assert.Equal(t, http.Header{"X-Before": {"1"}}, response.Header)
	})
	t.Run("less than its length", func(t *testing.T) {
		response, err := handled(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "1234")
		})
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		assert.Equal(t, io.ErrUnexpectedEOF, err)
		assert.Equal(t, "1234", string(text))
	})
	t.Run("the request is the client's own", func(t *testing.T) {
		closed := &closer{Reader: bytes.NewReader(nil)}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.test/x", closed)
		require.NoError(t, err)
		response, err := memory{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Changed", "1")
			assert.Equal(t, "api.example.test", r.Host)
		})}.RoundTrip(request)
		require.NoError(t, err)
		assert.Same(t, request, response.Request)
		assert.Empty(t, request.Header)
		assert.True(t, closed.closed)
	})
}

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}
