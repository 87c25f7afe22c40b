package turn

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const distance = 200 * time.Millisecond

// taken notes who had a turn, and when.
type taken struct {
	mu    sync.Mutex
	began time.Time
	by    []int
	at    []time.Duration
}

func (l *taken) note(who int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by, l.at = append(l.by, who), append(l.at, time.Since(l.began))
}

func TestTurnsComeInOrderAndApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := new(Queue), &taken{began: time.Now()}
		for who := range 50 {
			go func() {
				require.NoError(t, q.Take(t.Context(), distance))
				l.note(who)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for n := range 50 {
			require.Equal(t, n, l.by[n])
			require.Equal(t, time.Duration(n)*distance, l.at[n])
		}
		begin := time.Now()
		require.NoError(t, q.Take(t.Context(), distance))
		require.Zero(t, time.Since(begin), "nobody was before it for a minute")
	})
}

// One that asks without end gets as many turns as each of the others that want one, and no more.
func TestNobodyStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := new(Queue), &taken{began: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		for who, rest := range []time.Duration{0, 0, 0, 3 * time.Second, time.Minute} {
			go func() {
				for q.Take(ctx, distance) == nil {
					l.note(who)
					time.Sleep(rest) // an answer that takes long, or a pause between two requests
				}
			}()
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		turns := make([]int, 5)
		for n, who := range l.by {
			if turns[who]++; n > 0 {
				require.GreaterOrEqual(t, l.at[n]-l.at[n-1], distance)
			}
		}
		require.InDelta(t, 500, len(l.by), 2, "no turn was wasted")
		require.InDelta(t, turns[0], turns[1], 2)
		require.InDelta(t, turns[0], turns[2], 2)
		require.GreaterOrEqual(t, turns[3], 25, "at most 800 ms besides its own 3 s")
		require.Equal(t, 2, turns[4])
	})
}

// Whoever gives up leaves no gap, wherever it stood.
func TestOneThatGivesUpCostsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := new(Queue), &taken{began: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		for who := range 6 {
			go func() {
				mine := t.Context()
				if slices.Contains([]int{1, 3, 5}, who) {
					mine = ctx
				}
				if err := q.Take(mine, distance); err != nil {
					require.ErrorIs(t, err, context.Canceled)
					return
				}
				l.note(who)
			}()
			synctest.Wait()
		}
		time.Sleep(distance / 2)
		cancel()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []int{0, 2, 4}, l.by)
		require.Equal(t, []time.Duration{0, distance, 2 * distance}, l.at)
		require.Empty(t, q.waiting)
	})
}

// An input without the setting waits for those that came earlier, and for nothing else.
func TestWithoutADistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := new(Queue), &taken{began: time.Now()}
		require.NoError(t, q.Take(t.Context(), distance))
		require.NoError(t, q.Take(t.Context(), 0))
		require.Zero(t, time.Since(l.began))
		go func() {
			require.NoError(t, q.Take(t.Context(), distance))
			l.note(1)
		}()
		synctest.Wait()
		require.NoError(t, q.Take(t.Context(), 0))
		l.note(2)
		require.Equal(t, []int{1, 2}, l.by, "it must not keep the other one waiting for ever")
		require.Equal(t, []time.Duration{distance, distance}, l.at)
	})
}

// A clock that was set back while the machine slept holds nobody up.
func TestALastTurnInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &Queue{last: time.Now().Add(time.Hour)}
		begin := time.Now()
		require.NoError(t, q.Take(t.Context(), distance))
		require.Equal(t, distance, time.Since(begin))
	})
}

func TestOneQueueForAnEndpoint(t *testing.T) {
	require.Same(t, Of("a.example:443"), Of("a.example:443"))
	require.NotSame(t, Of("a.example:443"), Of("b.example:443"))
}
