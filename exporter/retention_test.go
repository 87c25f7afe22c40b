package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// An endpoint that refuses windows that begin before what it keeps, at once or after an outage, is asked from
// where it answers on; the gap is told and nothing newer waits.
func TestABeginningThatIsTooOldMovesForward(t *testing.T) {
	for _, status := range []int{400, 422} {
		for name, keeps := range map[string]time.Duration{
			"90 days": 90*day - time.Second, "a little less": 90*day - 3*time.Hour,
		} {
			inBubble(t, map[string]string{"status_events": "on", "start_time": "-90d"}, func(h *simHost) {
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Windows.TooOld, a.Windows.TooOldAt = status, keeps })
				now := h.now()
				h.server.Add(exportertest.Generate(1, 300, now.Add(-89*day), now)...)
				h.start()
				h.liveWith(10)
				time.Sleep(3 * time.Minute)
				h.requireAll()
				require.Contains(t, h.logged(), "refuses to answer for what happened before", name)
				require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusRetentionGap], h.logged())

				h.shutdown()
				time.Sleep(91 * day)
				h.server.Add(exportertest.Generate(2, 300, h.now().Add(-89*day), h.now())...)
				h.start()
				h.liveWith(10)
				time.Sleep(3 * time.Minute)
				h.requireAll()
				require.Less(t, h.e.Stats().LagSeconds, 200., name)
			})
		}
	}
}

// A refusal that has nothing to do with age skips nothing.
func TestARefusalForAnotherReasonSkipsNothing(t *testing.T) {
	inBubble(t, map[string]string{"retry_max_interval": "1m", "start_time": "-90d"}, func(h *simHost) {
		now := h.now()
		h.server.Add(exportertest.Generate(1, 300, now.Add(-89*day-12*time.Hour), now)...)
		refuse := func(status int) {
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Windows.TooOld, a.Windows.TooOldAt = status, 50*day })
		}
		refuse(422)
		h.start()
		time.Sleep(3 * time.Hour)
		require.Less(t, len(h.exports()), 400, "the steps are not tried each time")
		refuse(0)
		time.Sleep(10 * time.Minute)
		h.requireAll()
		require.NotContains(t, h.logged(), "refuses to answer for")
	})
}

// Where the longest window that the endpoint answers is shorter than max_window, windows become shorter; so they do
// where it takes the present for the future. Nothing stands still or is skipped.
func TestAWindowThatIsRefusedAsWrongIsMadeShorter(t *testing.T) {
	for name, windows := range map[string]exportertest.Windows{
		"too long 400":           {TooLong: 400, Longest: 6 * time.Hour},
		"too long 422":           {TooLong: 422, Longest: time.Hour},
		"the clock is behind":    {Future: 400, Behind: 5 * time.Second},
		"so is the other status": {Future: 422, Behind: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": "-3d"}, func(h *simHost) {
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Windows = windows })
				h.server.Add(exportertest.Generate(1, 300, h.now().Add(-3*day), h.now())...)
				h.start()
				time.Sleep(time.Hour)
				h.liveWith(10)
				time.Sleep(10 * time.Minute)
				h.requireOnce()
				require.WithinDuration(t, h.now(), h.through(), 3*time.Minute, h.logged())
			})
		})
	}
}
