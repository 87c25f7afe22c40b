package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// closing are the two ways to end an answer by closing the connection.
var closing = map[string]exportertest.Framing{"HTTP/1.0": exportertest.HTTP10, "close": exportertest.UntilClose}

// cutOnce lets one of the answers to come be cut.
func (h *simHost) cutOnce(at exportertest.Break) {
	h.server.Fail(exportertest.Fault{Change: func(a *exportertest.Answers) { a.Broken = exportertest.Broken{At: at} }})
}

// What the overlap does not read again would be lost: the first window is a backfill.
func TestAnUnframedAnswerThatIsCutLosesNothing(t *testing.T) {
	for name, framing := range closing {
		for place, at := range map[string]exportertest.Break{
			"behind a row": exportertest.BehindRow, "inside a field": exportertest.InsideField,
		} {
			t.Run(name+", "+place, func(t *testing.T) {
				inBubble(t, map[string]string{"overlap": "0s", "max_window": "10m"}, func(h *simHost) {
					h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing = framing })
					h.server.Add(exportertest.Generate(1, 500, h.now().Add(-55*time.Minute), h.now())...)
					h.server.Fail(exportertest.Fault{}) // the question for the time
					for range 5 {
						h.cutOnce(at)
						h.cutOnce(exportertest.Unbroken)
						h.cutOnce(exportertest.Unbroken)
						h.cutOnce(exportertest.Unbroken)
					}
					h.start()
					time.Sleep(5 * time.Minute)
					h.requireOnce()
					require.Zero(t, h.e.Stats().Failures, h.logged())
					require.Zero(t, h.e.Stats().BadRows+h.e.Stats().Changed, h.logged())
				})
			})
		}
	}
}

// Connections that are cut at the same place each time make answers that are alike, and not whole.
func TestConnectionsThatAreCutAlikeLoseNothing(t *testing.T) {
	for name, framing := range closing {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{"start_time": "-2h", "count_check": "off", "deep_reconcile_interval": "0"}
			inBubble(t, settings, func(h *simHost) {
				h.server.Add(exportertest.Generate(1, 300, h.now().Add(-110*time.Minute), h.now().Add(-time.Hour))...)
				h.server.SetAnswers(func(a *exportertest.Answers) {
					a.Framing, a.Broken = framing, exportertest.Broken{At: exportertest.BehindRow}
				})
				h.start()
				time.Sleep(15 * time.Minute)
				require.Contains(t, h.logged(), "lack events that their parts have")
				require.LessOrEqual(t, len(h.exports()), 200, "but less and less often")
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing, a.Broken = 0, exportertest.Broken{} })
				time.Sleep(10 * time.Minute)
				h.requireOnce()
			})
		})
	}
}

// An endpoint that never says a length is asked hardly more than twice for each window.
func TestAnEndpointWithoutLengthsIsExaminedSeldom(t *testing.T) {
	inBubble(t, map[string]string{"count_check": "off"}, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing = exportertest.HTTP10 })
		h.start()
		h.liveFor(200)
		require.LessOrEqual(t, len(h.exports()), 2*200+160)
		time.Sleep(2 * time.Minute)
		h.requireOnce()
	})
}

// Reconciliation gets to its end too, and finds what is late in answers of which one is cut.
func TestReconciliationOfUnframedAnswers(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing = exportertest.HTTP10 })
		h.start()
		h.liveFor(30)
		late := h.happenLate(7, 40*time.Minute)
		for range 25 {
			h.cutOnce(exportertest.BehindRow)
			h.liveFor(6)
		}
		time.Sleep(6 * time.Minute)
		h.requireAll()
		require.EqualValues(t, len(late), h.e.Stats().Reconciled, h.logged())
		require.GreaterOrEqual(t, count(h.logged(), "reconciliation up to"), 2)
	})
}

// Answers that are cut all the time, each elsewhere, are asked for again at the usual pace.
func TestAnswersThatNeverAgreeMoveNothing(t *testing.T) {
	inBubble(t, map[string]string{"overlap": "0s"}, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Framing = exportertest.HTTP10 })
		h.happen(1000)
		h.server.Fail(exportertest.Fault{}) // the question for the time
		for n := range 6 * whole.MostReadings {
			h.server.Fail(exportertest.Fault{Change: func(a *exportertest.Answers) {
				a.Limit = exportertest.SilentLimit{Rows: 10 + n}
			}})
		}
		h.start()
		time.Sleep(5 * time.Minute)
		h.requireOnce()
		require.EqualValues(t, 6, h.e.Stats().Failures)
		require.Contains(t, h.logged(), "connections may be cut")
	})
}
