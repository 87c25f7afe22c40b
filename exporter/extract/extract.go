// Package extract has what reading a stretch of the export for a person needs besides the collector's own parts: how
// long it is tried, how much is remembered, and what its errors say.
package extract

import (
	"context"
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

const (
	Attempts       = 6         // at one window
	Memory         = time.Hour // for which events are remembered at least, so that none is given twice
	MostRemembered = 4_000_000 // events, 160 MB; with fewer, none is forgotten
)

// Error says what an error did, redacted, and knows what it was, for those who ask for its class.
type Error struct {
	Text  string
	Cause error
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Cause }

// Consumer is what whoever takes the events could not do with one: nothing to be tried again.
type Consumer struct{ Cause error }

func (e *Consumer) Error() string { return e.Cause.Error() }
func (e *Consumer) Unwrap() error { return e.Cause }

// Persistence tries things again that may heal.
type Persistence struct {
	Retry *source.Retry
	Sleep func(ctx context.Context, d time.Duration) error
	Say   func(err error, wait time.Duration) // before each pause
	Ever  bool                                // it never gives up
}

// Do does something until it succeeds, a few times. What is refused, and what a Consumer could not do, ends it at once.
func (p Persistence) Do(ctx context.Context, do func() error) error {
	p.Retry.Reset()
	for attempt := 1; ; attempt++ {
		err := do()
		var consumer *Consumer
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil, errors.As(err, &consumer), source.ClassOf(err) == source.ClassRefused,
			attempt >= Attempts && !p.Ever:
			return err
		}
		wait := p.Retry.Next(err)
		p.Say(err, wait)
		if err := p.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}
