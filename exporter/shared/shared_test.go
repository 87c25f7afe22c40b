package shared

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	interval = 200 * time.Millisecond
	pause    = 250 * time.Millisecond // between two questions of one asker
)

// Fifty askers cost as many answers as one or two do, and each gets one to a request that began after it asked.
func TestAnswersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		f, asked := &Answers[int64]{interval: interval}, 0
		ask := func(context.Context) (int64, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			began := time.Now()
			time.Sleep(10 * time.Millisecond)
			return began.UnixNano(), nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var running sync.WaitGroup
		for n := range 50 {
			running.Go(func() {
				time.Sleep(time.Duration(n) * 5 * time.Millisecond)
				for ctx.Err() == nil {
					called := time.Now()
					if s, err := f.Read(ctx, ask); err == nil {
						require.GreaterOrEqual(t, s, called.UnixNano(), "an answer of before the question proves nothing")
						require.Less(t, time.Since(called), 300*time.Millisecond)
					}
					time.Sleep(pause)
				}
			})
		}
		running.Wait()
		require.InDelta(t, 50, asked, 5)
	})
}

func TestAnOnlyAskerDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, begin := &Answers[int64]{interval: interval}, time.Now()
		for range 10 {
			_, err := f.Read(t.Context(), func(context.Context) (int64, error) { return 1, nil })
			require.NoError(t, err)
			time.Sleep(pause)
		}
		require.Equal(t, 10*pause, time.Since(begin))
	})
}

// An asker that ends, or whose question fails, takes nobody along.
func TestWhoWasToAskMayEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &Answers[int64]{interval: interval, last: time.Now()}
		first, end := context.WithCancel(t.Context())
		go func() {
			_, err := f.Read(first, func(context.Context) (int64, error) { return 0, errors.New("it has ended") })
			require.ErrorIs(t, err, context.Canceled)
		}()
		synctest.Wait()
		go func() {
			time.Sleep(50 * time.Millisecond)
			end()
		}()
		s, err := f.Read(t.Context(), func(context.Context) (int64, error) { return 1, nil })
		require.NoError(t, err)
		require.EqualValues(t, 1, s)
		broken := errors.New("broken")
		_, err = f.Read(t.Context(), func(context.Context) (int64, error) { return 0, broken })
		require.ErrorIs(t, err, broken)
	})
}

func TestOnePlaceForAName(t *testing.T) {
	require.Same(t, At[int64]("a", interval), At[int64]("a", interval))
	require.NotSame(t, At[int64]("a", interval), At[int64]("b", interval))
}
