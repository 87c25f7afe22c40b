package source

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/turn"
)

// inTurns makes a client in fake time whose requests are 10 s apart, and tells when each was sent.
func inTurns(t *testing.T, status int, test func(t *testing.T, c *Client, sent func() []time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		c := newTestClient(t, exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(begin))
			answer := answerWith(status, "event_id\n")
			answer.Request = r
			return answer, nil
		}), "request_timeout", "3s")
		c.turns.queue, c.turns.distance = new(turn.Queue), 10*time.Second
		test(t, c, func() []time.Duration { return at })
	})
}

// However long a request waits for its turn, the endpoint has all its time.
func TestATurnIsNotTheEndpointsTime(t *testing.T) {
	inTurns(t, http.StatusOK, func(t *testing.T, c *Client, sent func() []time.Duration) {
		for range 2 {
			response, err := c.Open(t.Context(), testStart, testEnd)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
		}
		_, err := c.Count(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second}, sent())
		require.Equal(t, 20*time.Second, c.Waited())
		require.Equal(t, 10*time.Second, c.LastWait())
	})
}

// The second key is a request like any other.
func TestEachCredentialTakesATurn(t *testing.T) {
	next := filepath.Join(t.TempDir(), "next")
	require.NoError(t, os.WriteFile(next, []byte("two"), 0o600))
	inTurns(t, http.StatusUnauthorized, func(t *testing.T, c *Client, sent func() []time.Duration) {
		c.keys = newKeyring(Credentials{APIKey: "one", APIKeyFileNext: next})
		_, err := c.Open(t.Context(), testStart, testEnd)
		require.Equal(t, ClassRefused, ClassOf(err))
		require.Equal(t, []time.Duration{0, 10 * time.Second}, sent())
	})
}

// A wait for a turn ends with the context, and shows while it lasts.
func TestAWaitForATurnEndsWithItsContext(t *testing.T) {
	inTurns(t, http.StatusOK, func(t *testing.T, c *Client, sent func() []time.Duration) {
		response, err := c.Open(t.Context(), testStart, testEnd)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error)
		for _, ask := range []func() error{
			func() error { _, err := c.Open(ctx, testStart, testEnd); return err },
			func() error { _, err := c.Count(ctx, testStart, testEnd); return err },
		} {
			before := c.Waited()
			go func() { over <- ask() }()
			time.Sleep(2 * time.Second)
			require.Equal(t, before+2*time.Second, c.Waited())
			cancel()
			require.ErrorContains(t, <-over, "context canceled")
			ctx, cancel = context.WithCancel(t.Context())
		}
		cancel()
		require.Len(t, sent(), 1)
	})
}

// Which host it is decides, not how it is written or what is asked there.
func TestAHostHasOneQueue(t *testing.T) {
	a := newTestClient(t, nil, "endpoint", "https://host.example/a")
	for endpoint, same := range map[string]bool{
		"https://HOST.example:443/b": true, "https://host.example:8443": false, "https://other.example": false,
	} {
		require.Equal(t, same, newTestClient(t, nil, "endpoint", endpoint).turns.queue == a.turns.queue, endpoint)
	}
}
