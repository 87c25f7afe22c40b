package exportertest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGenerate(t *testing.T) {
	from, to := now.Add(-24*time.Hour), now
	events := Generate(7, 5000, from, to)
	require.Equal(t, events, Generate(7, 5000, from, to), "the same arguments, the same events")
	require.NotEqual(t, events[0].ID, Generate(8, 5000, from, to)[0].ID)
	ids, same, longest := map[string]bool{}, 1, 1
	var text strings.Builder
	for i, e := range events {
		ids[e.ID] = true
		assert.False(t, e.Time.Before(from.Truncate(time.Microsecond)) || e.Time.After(to), e.Time)
		if same++; i == 0 || !e.Time.Equal(events[i-1].Time) {
			assert.True(t, i == 0 || e.Time.After(events[i-1].Time), "by time")
			same = 1
		}
		longest = max(longest, same)
		fields := e.Fields()
		text.WriteString(strings.Join(fields[:], "|"))
	}
	assert.Len(t, ids, len(events), "no identity twice")
	assert.Greater(t, longest, tieLength, "events that share a timestamp")
	for _, part := range []string{`"`, ",", "\n", "\r\n", "ß", "日本語", "🛰️", "||", "2001:db8::1", "203.0.113.7"} {
		assert.Contains(t, text.String(), part)
	}
	assert.Empty(t, Generate(1, 0, from, to))
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		anchor := time.Now().Add(-10 * time.Second)
		l := Liveness{Seed: 4, Anchor: anchor, Rate: 4, Late: 0.25, LateBy: time.Minute}
		s := New(Options{})
		var running sync.WaitGroup
		stop := withCancel(t, &running, func(ctx context.Context) { s.Live(ctx, l) })
		synctest.Wait()
		assert.Len(t, s.Events(), 40, "those since the anchor are there at once")
		time.Sleep(100 * time.Second)
		synctest.Wait()
		assert.InDelta(t, 440, len(s.Events()), 1)
		stop()
		time.Sleep(time.Hour)
		events := s.Events()
		assert.InDelta(t, 440, len(events), 1, "it ended")
		ties, late := 0, 0
		for i, e := range events {
			if i > 0 && e.Time.Equal(events[i-1].Time) {
				ties++
			}
			if !e.Visible.IsZero() {
				assert.Equal(t, time.Minute, e.Visible.Sub(e.Time))
				late++
			}
		}
		assert.InDelta(t, 440*tieShare, ties, 15)
		assert.InDelta(t, 110, late, 30)

		again := New(Options{})
		stop = withCancel(t, &running, func(ctx context.Context) { again.Live(ctx, l) })
		synctest.Wait()
		stop()
		assert.Equal(t, events, again.Events()[:len(events)], "started later, the same events")
		again.Live(t.Context(), Liveness{}) // no rate, no events, no waiting
	})
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		start := time.Now()
		late := Event{ID: "late", Time: start, Visible: start.Add(time.Minute)}
		s.Add(late, Event{ID: "old", Time: start.Add(-time.Hour)})
		told := map[string]time.Duration{}
		var running sync.WaitGroup
		stop := withCancel(t, &running, func(ctx context.Context) {
			assert.NoError(t, s.Follow(ctx, func(e Event) error {
				assert.NotContains(t, told, e.ID)
				told[e.ID] = time.Since(start)
				return nil
			}))
		})
		time.Sleep(10 * time.Second)
		s.Add(Event{ID: "new", Time: time.Now()})
		time.Sleep(2 * time.Minute)
		stop()
		assert.Equal(t, []string{"late", "new", "old"}, sortedKeys(told))
		assert.InDelta(t, 0, told["old"], float64(time.Second))
		assert.InDelta(t, 10*time.Second, told["new"], float64(time.Second))
		assert.InDelta(t, time.Minute, told["late"], float64(time.Second))
		assert.ErrorIs(t, s.Follow(t.Context(), func(Event) error { return http.ErrAbortHandler }), http.ErrAbortHandler)
	})
}
