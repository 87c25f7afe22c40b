package source

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/turn"
)

// turns is a client's place among all that ask the same endpoint.
type turns struct {
	queue    *turn.Queue
	distance time.Duration // min_request_interval

	waited atomic.Int64 // nanoseconds, of the waits that are over
	last   atomic.Int64 // nanoseconds, of the last of them
	since  atomic.Int64 // Unix nanoseconds; 0 = it does not wait
}

func newTurns(cfg Config) *turns {
	host := strings.ToLower(cfg.Endpoint.Hostname()) + ":" + portOf(cfg.Endpoint)
	return &turns{queue: turn.Of(host), distance: cfg.MinRequestInterval}
}

// take waits for the client's turn. The endpoint's time does not run yet.
func (w *turns) take(ctx context.Context) error {
	begin := time.Now()
	w.since.Store(begin.UnixNano())
	err := w.queue.Take(ctx, w.distance)
	w.since.Store(0)
	took := int64(time.Since(begin))
	w.last.Store(took)
	w.waited.Add(took)
	return err
}

// LastWait is how long the client waited for its last turn. Any goroutine may call it.
func (c *Client) LastWait() time.Duration { return time.Duration(c.turns.last.Load()) }

// Waited is how long the client has waited for its turns so far, a wait under way included. Any goroutine may call it.
func (c *Client) Waited() time.Duration {
	waited := time.Duration(c.turns.waited.Load())
	if since := c.turns.since.Load(); since != 0 {
		waited += max(0, time.Since(time.Unix(0, since)))
	}
	return waited
}
