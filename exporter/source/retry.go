package source

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// firstRetry is about how long the first retry waits.
const firstRetry = time.Second

// maxShrinks is how often a window can be halved: from 90 days, the longest max_window, to one second.
const maxShrinks = 23

// maxRefusals is after how many refusals in a row a person must be needed: a proxy or a deployment under way
// refuses for moments only.
const maxRefusals = 3

// Retry says how long to wait after a failure. It never gives up.
//
// Waits are drawn at random between half and the whole of an interval that doubles from 1 s up to
// retry_max_interval, so that instances that failed together do not come back together. They are never
// shorter than what Retry-After asks for.
type Retry struct {
	most     time.Duration
	interval *backoff.ExponentialBackOff
	shrinks  int // since the last success
	refusals int // likewise
}

func NewRetry(maxInterval time.Duration) *Retry {
	return &Retry{most: maxInterval, interval: newInterval(firstRetry, maxInterval)}
}

// newInterval makes an exponential backoff whose waits, jitter included, lie between half and the whole of
// its interval: the library puts jitter on both sides of the interval, so that its middle is three quarters.
func newInterval(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(first, most)*3/4),
		backoff.WithMaxInterval(most*3/4),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1./3),
		backoff.WithMaxElapsedTime(0),
	)
}

// Next returns how long to wait after err.
func (r *Retry) Next(err error) time.Duration {
	var wait time.Duration
	switch class := ClassOf(err); {
	case class == ClassRefused && r.refusals >= maxRefusals:
		// This does not heal by itself: the slow end.
		wait = newInterval(r.most, r.most).NextBackOff()
	case class == ClassShrink && r.shrinks < maxShrinks:
		// The next request asks for half as much, so it is not the same again.
		r.shrinks++
		wait = newInterval(firstRetry, r.most).NextBackOff()
	default:
		if class == ClassRefused { // the first few may come from a proxy or a deployment under way
			r.refusals++
		}
		wait = r.interval.NextBackOff()
	}
	wait = min(wait, r.most) // rounding
	var refusal *APIError
	if errors.As(err, &refusal) {
		wait = max(wait, refusal.retryAfter)
	}
	return wait
}

// Reset starts over after a success.
func (r *Retry) Reset() {
	r.shrinks, r.refusals = 0, 0
	r.interval.Reset()
}
