package exportertest

import (
	"context"
	"math/rand/v2"
	"time"
)

// Liveness describes events that happen as time goes on. The same values give the same events, whenever the server was started.
type Liveness struct {
	Seed   int64
	Anchor time.Time // of the first event
	Rate   float64   // events a second
	Late   float64   // share of events that appear late …
	LateBy time.Duration
}

// Live adds events from the anchor until now, and then as time goes on, until ctx ends.
func (s *Server) Live(ctx context.Context, l Liveness) {
	if l.Rate <= 0 {
		return
	}
	random := rand.New(rand.NewPCG(uint64(l.Seed), 2))
	interval := time.Duration(float64(time.Second) / l.Rate)
	for i := 1; ; i++ {
		at := l.Anchor.Add(time.Duration(i) * interval)
		if wait := at.Sub(s.options.Clock()); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
		event := generate(random, at.UTC().Truncate(time.Microsecond))
		if random.Float64() < l.Late {
			event.Visible = event.Time.Add(l.LateBy)
		}
		s.Add(event)
	}
}
