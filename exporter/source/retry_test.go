package source

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

const day = 24 * time.Hour

func TestRetriesSlowDownAndNeverEnd(t *testing.T) {
	r := NewRetry(5 * time.Minute)
	for n := range 10_000 {
		most := 5 * time.Minute
		if n < 9 {
			most = min(most, time.Second<<n)
		}
		wait := r.Next(io.ErrUnexpectedEOF)
		require.LessOrEqual(t, wait, most, "try %d", n)
		require.GreaterOrEqual(t, wait, most/2-time.Millisecond, "try %d", n)
	}
	r.Reset()
	assert.LessOrEqual(t, r.Next(io.ErrUnexpectedEOF), time.Second)
}

func TestWaitsAreJittered(t *testing.T) {
	waits := make(map[time.Duration]bool)
	for range 20 {
		waits[NewRetry(time.Minute).Next(errors.New("x"))] = true
	}
	assert.Greater(t, len(waits), 10)
}

func TestRefusedSoonWaitsAtTheSlowEnd(t *testing.T) {
	r := NewRetry(5 * time.Minute)
	refused := fmt.Errorf("read window: %w", &APIError{Class: ClassRefused})
	for range maxRefusals {
		assert.LessOrEqual(t, r.Next(refused), 5*time.Second, "it may be a moment's")
	}
	for range 3 {
		wait := r.Next(refused)
		assert.GreaterOrEqual(t, wait, 150*time.Second)
		assert.LessOrEqual(t, wait, 5*time.Minute)
	}
	assert.LessOrEqual(
		t, r.Next(io.EOF), 10*time.Second,
		"what was refused does not slow down the retries of other failures",
	)
}

// 90 days are halved 23 times down to a second; that must not take hours, but a second that is still too much
// must not be asked for each second.
func TestShrinkingIsQuickButBounded(t *testing.T) {
	r := NewRetry(5 * time.Minute)
	shrink := fmt.Errorf("x: %w", errRequestTimeout)
	for range maxShrinks {
		require.LessOrEqual(t, r.Next(shrink), time.Second)
	}
	var last time.Duration
	for range 12 {
		last = r.Next(shrink)
	}
	assert.GreaterOrEqual(t, last, 149*time.Second)
	r.Reset()
	assert.LessOrEqual(t, r.Next(shrink), time.Second)
	assert.LessOrEqual(t, 90*day, time.Second<<maxShrinks)
}

func TestRetryAfterIsTheLeast(t *testing.T) {
	for _, class := range []Class{ClassRetry, ClassShrink, ClassRefused} {
		r := NewRetry(time.Minute)
		assert.Equal(t, 10*time.Minute, r.Next(fmt.Errorf("x: %w", &APIError{Class: class, retryAfter: 10 * time.Minute})))
	}
	assert.GreaterOrEqual(t, NewRetry(time.Minute).Next(&APIError{retryAfter: time.Millisecond}), 500*time.Millisecond)
}

func TestWaitsStayWithinTheSetting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := time.Duration(rapid.Int64Range(int64(time.Second), int64(day)).Draw(t, "most"))
		r := NewRetry(most)
		for _, c := range rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(t, "classes") {
			if c == 3 {
				r.Reset()
				continue
			}
			wait := r.Next(&APIError{Class: Class(c)})
			require.Greater(t, wait, time.Duration(0))
			require.LessOrEqual(t, wait, most)
		}
	})
}
