package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestAnExportWhoseLinesEndWithALoneCRIsRead(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.CR = true })
		h.start()
		time.Sleep(5 * time.Second)
		h.liveWith(20)
		time.Sleep(3 * time.Minute)
		h.requireOnce()
		require.Zero(t, h.e.Stats().BadRows)
	})
}

// A header that lacks its line end may be all that came of an answer. It is asked for again.
func TestABareHeaderIsBelievedWhenItComesTwice(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		time.Sleep(3 * time.Minute)
		h.happen(20)
		before := h.through()
		h.server.Fail(exportertest.Fault{Body: "event_id,event_time,action_name"})
		time.Sleep(90 * time.Second)
		require.Contains(t, h.logged(), "a header without a line end")
		require.True(t, before.Before(h.through()))
		h.requireOnce()
	})
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) {
			a.Fault = exportertest.Fault{Body: "event_id,event_time,action_name"}
		})
		h.start()
		time.Sleep(5 * time.Minute)
		require.WithinDuration(t, h.now(), h.through(), 2*time.Minute, h.logged())
	})
}
