package exporter

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRetriesSlowDownAndNeverEnd(t *testing.T) {
	r := newRetry(5 * time.Minute)
	for n := range 10_000 {
		most := 5 * time.Minute
		if n < 9 {
			most = min(most, time.Second<<n)
		}
		wait := r.next(io.ErrUnexpectedEOF)
		require.LessOrEqual(t, wait, most, "try %d", n)
		require.GreaterOrEqual(t, wait, most/2-time.Millisecond, "try %d", n)
	}
	r.reset()
	assert.LessOrEqual(t, r.next(io.ErrUnexpectedEOF), time.Second)
}

func TestWaitsAreJittered(t *testing.T) {
	waits := make(map[time.Duration]bool)
	for range 20 {
		waits[newRetry(time.Minute).next(errors.New("x"))] = true
	}
	assert.Greater(t, len(waits), 10)
}

func TestRefusedSoonWaitsAtTheSlowEnd(t *testing.T) {
	r := newRetry(5 * time.Minute)
	refused := fmt.Errorf("read window: %w", &apiError{class: classRefused})
	for range maxRefusals {
		assert.LessOrEqual(t, r.next(refused), 5*time.Second, "it may be a moment's")
	}
	for range 3 {
		wait := r.next(refused)
		assert.GreaterOrEqual(t, wait, 150*time.Second)
		assert.LessOrEqual(t, wait, 5*time.Minute)
	}
	assert.LessOrEqual(t, r.next(io.EOF), 10*time.Second, "what was refused does not slow down the retries of other failures")
}

// 90 days are halved 23 times down to a second; that must not take hours, but a second that is still too much must not be asked for each second.
func TestShrinkingIsQuickButBounded(t *testing.T) {
	r := newRetry(5 * time.Minute)
	shrink := fmt.Errorf("x: %w", errRequestTimeout)
	for range maxShrinks {
		require.LessOrEqual(t, r.next(shrink), time.Second)
	}
	var last time.Duration
	for range 12 {
		last = r.next(shrink)
	}
	assert.GreaterOrEqual(t, last, 149*time.Second)
	r.reset()
	assert.LessOrEqual(t, r.next(shrink), time.Second)
	assert.LessOrEqual(t, 90*day, time.Second<<maxShrinks)
}

func TestRetryAfterIsTheLeast(t *testing.T) {
	for _, class := range []class{classRetry, classShrink, classRefused} {
		r := newRetry(time.Minute)
		assert.Equal(t, 10*time.Minute, r.next(fmt.Errorf("x: %w", &apiError{class: class, retryAfter: 10 * time.Minute})))
	}
	assert.GreaterOrEqual(t, newRetry(time.Minute).next(&apiError{retryAfter: time.Millisecond}), 500*time.Millisecond)
}

func TestWaitsStayWithinTheSetting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := time.Duration(rapid.Int64Range(int64(time.Second), int64(day)).Draw(t, "most"))
		r := newRetry(most)
		for _, c := range rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(t, "classes") {
			if c == 3 {
				r.reset()
				continue
			}
			wait := r.next(&apiError{class: class(c)})
			require.Greater(t, wait, time.Duration(0))
			require.LessOrEqual(t, wait, most)
		}
	})
}
