package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Events whose exporter writes None for each id are told apart by content and number, as without an id.
func TestEventsThatShareAPlaceholder(t *testing.T) {
	for _, share := range []float64{0.5, 1} {
		inBubble(t, reconciling(nil), func(h *simHost) {
			h.server.SetAnswers(func(a *exportertest.Answers) { a.SharedID, a.SharedIDs = "None", share })
			h.start()
			h.liveFor(60)
			same := exportertest.Event{ID: "same", Time: h.now(), Action: "login"}
			h.server.Add(same, same)
			late := h.happenLate(7, 40*time.Minute)
			h.liveFor(120)
			time.Sleep(6 * time.Minute)
			require.NotContains(t, h.logged(), "came again with other content")
			require.EqualValues(t, len(late), h.e.Stats().Reconciled, h.logged())
		})
	}
}

// Any other id that half of the rows share is none from the second answer on, after a restart too.
func TestEventsThatShareAnID(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.SharedID, a.SharedIDs = "0000", 0.6 })
		h.start()
		h.liveFor(60)
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, count(h.logged(), "rows of an answer have the same event_id"), h.logged())
		before, events := h.countDelivered(), len(h.server.Events())
		require.LessOrEqual(t, before, events+60, "an overlap, once")
		h.shutdown()
		same := exportertest.Event{ID: h.server.Events()[0].ID, Time: h.now(), Action: "login"}
		h.server.Add(same, same)
		h.start()
		h.liveFor(20)
		time.Sleep(2 * time.Minute)
		require.Equal(t, before+len(h.server.Events())-events, h.countDelivered(), h.logged())
		require.Zero(t, h.e.Stats().Changed)
	})
}
