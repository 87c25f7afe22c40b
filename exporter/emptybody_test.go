package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestAnEndpointWithoutHeadersForNothing(t *testing.T) {
	for name, empty := range map[string]exportertest.Empty{
		"no byte": exportertest.NoBytes, "a line end": exportertest.LineEndOnly,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"max_window": "10m"}, func(h *simHost) {
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Empty = empty })
				h.start()
				time.Sleep(5 * time.Minute)
				require.WithinDuration(t, time.Now(), h.through(), 65*time.Second, "empty windows advance: %s", h.logged())
				require.Equal(t, 1, count(h.logged(), "the body is empty"))
				h.liveWith(20)
				time.Sleep(70 * time.Second)
				h.requireOnce()
			})
		})
	}
}

// A broken proxy answers 200 without a byte: what happened must not be taken for nothing.
func TestEmptyBodiesOfABrokenProxyLoseNothing(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		time.Sleep(3 * time.Minute) // an empty export with its header was seen
		for range 3 {
			h.happen(10)
			for range 4 {
				h.server.Fail(exportertest.Fault{EmptyBody: true})
			}
			time.Sleep(2 * time.Minute)
		}
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		require.Equal(t, 3, count(h.logged(), "the body is empty"), "once each time")
	})
}
