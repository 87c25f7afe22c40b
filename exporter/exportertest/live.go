package exportertest

import (
	"context"
	"math/rand/v2"
	"time"
)

// Liveness describes events that happen as time goes on. The same values give the same events, whenever the
// server was started.
type Liveness struct {
	Seed   int64
	Anchor time.Time     // after which the first event happens
	Rate   float64       // events a second
	Late   float64       // share of events that appear late …
	LateBy time.Duration // … by this
	Odd    float64       // share of events that are odd; see Oddities
}

// tieShare is the share of live events that share the timestamp of the one before.
const tieShare = 0.05

// Live adds events from the anchor until now, and then as time goes on, until ctx ends. Some share a timestamp.
func (s *Server) Live(ctx context.Context, l Liveness) {
	if l.Rate <= 0 {
		return
	}
	random := rand.New(rand.NewPCG(uint64(l.Seed), 2))
	interval := time.Duration(float64(time.Second) / l.Rate)
	at := l.Anchor
	for i := 1; ; i++ {
		if i == 1 || random.Float64() >= tieShare {
			at = l.Anchor.Add(time.Duration(i) * interval)
		}
		if !s.until(ctx, at) {
			return
		}
		event := generate(random, at.UTC().Truncate(time.Microsecond))
		if random.Float64() < l.Late {
			event.Visible = event.Time.Add(l.LateBy)
		}
		events := []Event{event}
		MakeOdd(l.Seed+int64(i), l.Odd, events)
		s.Add(events...)
	}
}

// until waits for a time of the server's clock; false means that ctx ended.
func (s *Server) until(ctx context.Context, at time.Time) bool {
	wait := at.Sub(s.options.Clock())
	if wait <= 0 {
		return ctx.Err() == nil
	}
	return sleep(ctx, wait) == nil
}

// sleep waits; the error is that of a ctx that ended before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
