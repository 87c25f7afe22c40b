package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A column that differs in each answer sends nothing again, and is named once.
func TestAVolatileColumnSendsNothingAgain(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Volatile = "exported_at" })
		for range 3 {
			h.start()
			h.liveFor(20)
			time.Sleep(90 * time.Second)
			h.shutdown()
		}
		h.requireOnce()
		require.Equal(t, 1, count(h.logged(), `the column "exported_at" changes from answer to answer`), h.logged())
		require.NotContains(t, h.logged(), "came again with other content")
	})
}

// Without ids it tells events apart until it is found; from then on nothing is sent again, after a restart neither.
func TestAVolatileColumnOfEventsWithoutIDs(t *testing.T) {
	for name, change := range map[string]func(*exportertest.Answers){
		"no column": func(a *exportertest.Answers) { a.Without = []string{"event_id"} },
		"None":      func(a *exportertest.Answers) { a.SharedID, a.SharedIDs = "None", 1 },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"poll_interval": "30s"}, func(h *simHost) {
				h.server.SetAnswers(func(a *exportertest.Answers) {
					change(a)
					a.Volatile = "exported_at"
				})
				h.start()
				h.happen(50)
				time.Sleep(3 * time.Minute)
				require.LessOrEqual(t, h.countDelivered(), 150)
				before := h.countDelivered()
				h.happen(10)
				time.Sleep(3 * time.Minute)
				h.shutdown()
				h.start()
				time.Sleep(3 * time.Minute)
				require.Equal(t, before+10, h.countDelivered(), h.logged())
				require.Equal(t, 1, count(h.logged(), `the column "exported_at"`))
			})
		})
	}
}

// countDelivered returns how many records were delivered.
func (h *simHost) countDelivered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.delivered)
}
