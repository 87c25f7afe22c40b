package exporter

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// firstRetry is about how long the first retry waits.
const firstRetry = time.Second

// maxShrinks is how often a window can be halved: from 90 days, the longest max_window, to one second.
const maxShrinks = 23

// maxRefusals is after how many refusals in a row a person must be needed: a proxy or a deployment under way refuses for moments only.
const maxRefusals = 3

// retry says how long to wait after a failure. It never gives up.
//
// Waits are drawn at random between half and the whole of an interval that doubles from 1 s up to retry_max_interval, so that instances that
// failed together do not come back together. They are never shorter than what Retry-After asks for.
type retry struct {
	most     time.Duration
	interval *backoff.ExponentialBackOff
	shrinks  int // since the last success
	refusals int // likewise
}

func newRetry(maxInterval time.Duration) *retry {
	return &retry{most: maxInterval, interval: newInterval(firstRetry, maxInterval)}
}

// newInterval makes an exponential backoff whose waits, jitter included, lie between half and the whole of its interval: the library puts
// jitter on both sides of the interval, so that its middle is three quarters.
func newInterval(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(first, most)*3/4),
		backoff.WithMaxInterval(most*3/4),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1./3),
		backoff.WithMaxElapsedTime(0),
	)
}

// next returns how long to wait after err.
func (r *retry) next(err error) time.Duration {
	var wait time.Duration
	switch class := classOf(err); {
	case class == classRefused && r.refusals >= maxRefusals:
		// This does not heal by itself: the slow end.
		wait = newInterval(r.most, r.most).NextBackOff()
	case class == classShrink && r.shrinks < maxShrinks:
		// The next request asks for half as much, so it is not the same again.
		r.shrinks++
		wait = newInterval(firstRetry, r.most).NextBackOff()
	default:
		if class == classRefused { // the first few may come from a proxy or a deployment under way
			r.refusals++
		}
		wait = r.interval.NextBackOff()
	}
	wait = min(wait, r.most) // rounding
	var refusal *apiError
	if errors.As(err, &refusal) {
		wait = max(wait, refusal.retryAfter)
	}
	return wait
}

// reset starts over after a success.
func (r *retry) reset() {
	r.shrinks, r.refusals = 0, 0
	r.interval.Reset()
}
