package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who changes start_time of a collection that has begun is told that it changes nothing.
func TestAStartTimeThatIsNotUsedIsTold(t *testing.T) {
	const told = " is not used, since there is a checkpoint: this collection began at "
	began := time.Date(2009, 12, 20, 0, 0, 0, 500, time.UTC).Format(time.RFC3339Nano)
	for name, c := range map[string]struct {
		before, after string
		told          bool
	}{
		"the same time":            {began, began, false},
		"another time":             {began, "2009-12-10T00:00:00Z", true},
		"a time, then an age":      {began, "-90d", true},
		"an age, as it was":        {"-90d", "-90d", false},
		"an age, as it is as well": {"-90d", "-2160h", false},
		"another age":              {"-90d", "-30d", true},
		"from now on, as it was":   {"now", "now", false},
		"an age, then now":         {"-2d", "now", true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": c.before}, func(h *simHost) {
				h.start()
				h.liveWith(2)
				require.NotContains(t, h.logged(), told, "there was no checkpoint")
				h.shutdown()
				h.settings["start_time"] = c.after
				h.start()
				h.liveWith(2)
				want := 0
				if c.told {
					want = 1
				}
				require.Equal(t, want, count(h.logged(), "start_time "+c.after+told), h.logged())
			})
		})
	}
}

// A start_time in the future that is put right counts at once: nothing was collected from it.
func TestAStartTimeInTheFutureCanBePutRight(t *testing.T) {
	far := time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	for name, after := range map[string]string{"an age": "-24h", "a time": "2009-12-20T00:00:00Z"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": far}, func(h *simHost) {
				h.happen(5)
				h.start()
				time.Sleep(10 * time.Minute)
				h.shutdown()
				require.Empty(t, h.arrived())
				h.settings["start_time"] = after
				h.start()
				time.Sleep(10 * time.Second)
				require.Contains(t, h.logged(), "the collection had not begun (its start_time lay in the future); "+
					"begins at start_time "+after)
				for _, wrong := range []string{"is done", "is not used", "a clock was wrong"} {
					require.NotContains(t, h.logged(), wrong)
				}
				h.requireOnce()
			})
		})
	}
	inBubble(t, map[string]string{"start_time": far}, func(h *simHost) {
		h.start()
		time.Sleep(time.Minute)
		h.shutdown()
		h.start()
		time.Sleep(5 * time.Minute)
		require.NotContains(t, h.logged(), "had not begun", "it is as it was")
		require.Contains(t, h.logged(), "which lies in the future")
	})
}
