package exporter

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
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

// Where even dealing with an error is a panic, the collection rests and says so now and then; the engine goes on.
func TestADefectWhileAnErrorIsDealtWithIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		log := new(logline.Queue)
		c := &collector{log: log, stats: new(stats), notices: nil} // the rest is missing
		c.run(ctx)
		require.Error(t, ctx.Err(), "it goes on until it is ended")
		lines := log.Drain()
		require.Contains(t, lines[0].Text, "a defect of the plugin, please report it")
		require.LessOrEqual(t, len(lines), 21)
	})
}

// An instance whose end is a panic lets go of the checkpoint all the same.
func TestADefectAtTheEndLetsGoOfTheCheckpoint(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		close(h.stop)
		h.wg.Wait()
		h.e.cancel()
		h.e.done.Wait()
		h.e.collector.commits.ledger = nil
		require.Panics(t, func() { _ = h.e.Close() })
		h.e = nil
		require.NoError(t, h.tryStart())
	})
}
