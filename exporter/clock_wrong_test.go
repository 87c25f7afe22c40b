package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// wrongDates are Dates as broken nodes, proxies and caches send them.
var wrongDates = map[string]func(a *exportertest.Answers){
	"1970":            func(a *exportertest.Answers) { a.DateAt = time.Unix(0, 0) },
	"2000":            func(a *exportertest.Answers) { a.DateAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) },
	"two days ahead":  func(a *exportertest.Answers) { a.DateOffset = 2 * day },
	"5 minutes ahead": func(a *exportertest.Answers) { a.DateOffset = 5 * time.Minute },
	"2 hours behind":  func(a *exportertest.Answers) { a.DateOffset = -2 * time.Hour },
}

// A wrong Date, at a cold start or later, for one answer or for minutes, loses nothing, costs no flood of
// requests and brings up no alarm of a gap.
func TestAWrongDateLosesNothing(t *testing.T) {
	for name, wrong := range wrongDates {
		for _, lasts := range []time.Duration{time.Second, 8 * time.Second, 3 * time.Minute, 25 * time.Minute} {
			for _, cold := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s for %s, cold %t", name, lasts, cold), func(t *testing.T) {
					inBubble(t, map[string]string{"overlap": "10s", "start_time": "-6h"}, func(h *simHost) {
						h.server.Add(exportertest.Generate(1, 100, h.now().Add(-5*time.Hour), h.now())...)
						if !cold {
							h.start()
							h.liveWith(5)
						}
						before := len(h.exports())
						h.server.SetAnswers(func(a *exportertest.Answers) { wrong(a); a.Windows.Future = 422 })
						if cold {
							h.start()
						}
						for left := lasts; left > 0; left -= time.Minute {
							h.happen(2)
							time.Sleep(min(left, time.Minute))
						}
						h.server.SetAnswers(func(a *exportertest.Answers) { a.DateAt, a.DateOffset = time.Time{}, 0 })
						h.liveWith(30)
						time.Sleep(3 * time.Minute)
						h.requireAll()
						// A flood would be one a second. How many there are depends on the jitter of pauses.
						require.LessOrEqual(t, len(h.exports())-before, 200)
						require.NotContains(t, h.logged(), "is gone")
						require.NotContains(t, h.logged(), "cannot be saved")
						require.Less(t, h.e.Stats().LagSeconds, 400.)
					})
				})
			}
		}
	}
}

// With start_time now, or without an overlap, no window without length is asked for: an endpoint may refuse it.
func TestNoWindowIsWithoutLength(t *testing.T) {
	for _, settings := range []map[string]string{{"start_time": "now"}, {"overlap": "0s", "reconcile_interval": "0"}} {
		inBubble(t, settings, func(h *simHost) {
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Windows.Backward = 400 })
			h.start()
			time.Sleep(30 * time.Second) // without an overlap, what appears at the moment of a poll may be missed
			h.liveWith(10)
			time.Sleep(2 * time.Minute)
			require.Zero(t, h.e.Stats().Failures, h.logged())
			h.requireAll()
		})
	}
}

// A clock that is learnt wrong, from a quorum of answers at the start, before the beginning: there is nothing
// to read, but requests go on, so that it is put right.
func TestAPresentBeforeTheBeginningIsAskedForAgain(t *testing.T) {
	for _, start := range []string{"-6h", "2009-12-28T18:00:00Z"} {
		for _, stop := range []func(*simHost){(*simHost).kill, (*simHost).shutdown} {
			inBubble(t, map[string]string{"start_time": start}, func(h *simHost) {
				h.start()
				h.liveWith(5)
				stop(h)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = -40 * time.Hour })
				h.start()
				h.liveWith(3)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 0 })
				h.liveWith(20)
				time.Sleep(3 * time.Minute)
				h.requireAll()
			})
		}
	}
}

// What is read again because a clock was ahead stays so when something handed over meanwhile may be lost: the
// checkpoint that is gone back to may still lie in the future (simulation, seed 303149).
func TestWhatIsReadAgainIsSoAfterADoubt(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		time.Sleep(2 * time.Minute)
		h.shutdown()
		h.server.Play(exportertest.Episode{Ill: "Date ahead", Size: 36, Lasts: 3 * time.Minute})
		h.start()
		time.Sleep(time.Minute)
		h.happen(20)
		time.Sleep(collectPhase / 2) // what is read at a poll is collected after this looks
		for !strings.Contains(h.logged(), "put right") {
			time.Sleep(time.Millisecond)
		}
		h.setSlow(true)
		time.Sleep(5 * time.Second)
		h.setSlow(false)
		time.Sleep(40 * time.Minute)
		require.Contains(t, h.logged(), "fetches again")
		h.requireAll()
	})
}
