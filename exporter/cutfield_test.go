package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// An answer of the right length may be cut inside its last field, and with it the rows that it leaves out: what made it
// had only so much room, or broke off. It looks whole, but for its last line end.

// Where each answer is cut so, however long it is, nothing passes of which something may be missing.
func TestAnswersThatAreCutInsideTheLastFieldPassNothing(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-2d", "count_check": "off"}, func(h *simHost) {
		h.server.Add(exportertest.Generate(1, 1000, h.now().Add(-40*time.Hour), h.now().Add(-time.Hour))...)
		h.server.SetAnswers(func(a *exportertest.Answers) {
			a.Broken = exportertest.Broken{At: exportertest.InsideField}
		})
		h.start()
		time.Sleep(2 * time.Minute)
		times, lost := h.arrived(), 0
		for _, event := range h.server.Events() {
			if times[event.ID] == 0 {
				lost++
				require.True(t, event.Time.After(h.through()), "%s has passed", event.Time)
			}
		}
		require.Positive(t, lost)
		require.Contains(t, h.logged(), "the last row has no line end")
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Broken = exportertest.Broken{} })
		time.Sleep(10 * time.Minute)
		h.requireAll()
	})
}

// What is cut once is asked for again: no event arrives with half of its last field, and no limit is learnt.
func TestAnAnswerThatIsCutInsideTheLastFieldOnceCostsNoCopy(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-2d"}, func(h *simHost) {
		h.server.Add(exportertest.Generate(1, 1000, h.now().Add(-40*time.Hour), h.now().Add(-time.Hour))...)
		broken := exportertest.Fault{Name: "cut inside a field", Change: func(a *exportertest.Answers) {
			a.Broken = exportertest.Broken{At: exportertest.InsideField, Most: 60}
		}}
		h.server.Fail(exportertest.Fault{}, broken, exportertest.Fault{}, broken)
		h.start()
		time.Sleep(10 * time.Minute)
		h.requireOnce()
		require.NotContains(t, h.logged(), "came again with other content")
		require.NotContains(t, h.logged(), "does not say so")
	})
}

// Some endpoints never end the last line. That is found out, and costs little from then on.
func TestAnEndpointThatNeverEndsTheLastLine(t *testing.T) {
	requests := func(torn bool) (n int) {
		inBubble(t, map[string]string{"start_time": "-20d", "poll_interval": "1m"}, func(h *simHost) {
			h.server.Add(exportertest.Generate(1, 3000, h.now().Add(-19*day), h.now().Add(-time.Hour))...)
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Torn = torn })
			h.start()
			h.liveFor(600)
			time.Sleep(3 * time.Minute)
			h.requireOnce()
			n = len(h.exports())
		})
		return n
	}
	require.Less(t, float64(requests(true)), 1.15*float64(requests(false)))
}

// A silent limit is found although a part of the window that is read again for it was cut off by something that passes.
func TestASilentLimitIsFoundAlthoughAPartIsCutOff(t *testing.T) {
	for name, ill := range map[string]exportertest.SilentLimit{
		"with a link": {Rows: 63, Link: true}, "with a total": {Rows: 63, Total: "X-Total-Count"}, "silently": {Rows: 63},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": "-2d", "count_check": "off"}, func(h *simHost) {
				h.server.Add(exportertest.Generate(1, 2000, h.now().Add(-8*time.Hour), h.now().Add(-time.Hour))...)
				h.limitSilently(256, false)
				part := exportertest.Fault{Name: "cut off", Change: func(a *exportertest.Answers) { a.Limit = ill }}
				// the question for the time, a day without events, the day with all of them, its first part
				h.server.Fail(exportertest.Fault{}, exportertest.Fault{}, exportertest.Fault{}, exportertest.Fault{}, part)
				h.start()
				time.Sleep(10 * time.Minute)
				h.requireOnce()
			})
		})
	}
}
