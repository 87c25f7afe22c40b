package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// An endpoint may say "no events" in many ways: no window stands still by any of them, and nothing is lost.
func TestNoEventsInEachForm(t *testing.T) {
	for _, form := range []exportertest.Empty{
		exportertest.NoContent, exportertest.EmptyList, exportertest.EmptyObject, exportertest.EmptyNull,
		exportertest.EmptyEvents,
	} {
		t.Run(fmt.Sprint(form), func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": "-3d"}, func(h *simHost) {
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Empty = form })
				h.start()
				time.Sleep(10 * time.Minute)
				require.WithinDuration(t, h.now(), h.through(), 3*time.Minute, h.logged())
				h.liveWith(10)
				time.Sleep(10 * time.Minute)
				h.requireAll()
				require.WithinDuration(t, h.now(), h.through(), 3*time.Minute, h.logged())
			})
		})
	}
}
