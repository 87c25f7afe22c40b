package exporter

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A defect in the goroutine that asks is an error like any other: it must not take the engine down.
func TestADefectWhileAskingIsAnError(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		panics := 2
		h.wrap = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if panics--; panics >= 0 {
					panic("no such thing")
				}
				return next.RoundTrip(r)
			})
		}
		h.happen(100)
		h.start()
		time.Sleep(10 * time.Minute)
		require.Contains(t, h.logged(), "a defect of the plugin")
		h.requireOnce()
	})
}
