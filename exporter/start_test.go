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
		"the same time":          {began, began, false},
		"another time":           {began, "2009-12-10T00:00:00Z", true},
		"a time, then an age":    {began, "-90d", true},
		"an age, as it was":      {"-90d", "-90d", true}, // means another time now
		"from now on, as it was": {"now", "now", true},
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
