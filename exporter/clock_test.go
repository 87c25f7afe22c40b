package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// liveWith lets events happen for so many minutes and returns the number of requests.
func (h *simHost) liveWith(rounds int) (requests int) {
	before := len(h.exports())
	for range rounds {
		h.happen(3)
		time.Sleep(time.Minute)
	}
	time.Sleep(5 * time.Second) // what the last poll read has arrived
	return len(h.exports()) - before
}

func TestTheServersClockDecides(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"hours ahead": 5 * time.Hour, "hours behind": -5 * time.Hour, "years behind": -8 * 365 * day,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *simHost) {
				h.setServerClock(ahead)
				h.settings["start_time"] = "-1h"
				h.happen(30)
				h.start()
				requests := h.liveWith(20)
				h.shutdown()
				h.start()
				requests += h.liveWith(20)
				time.Sleep(70 * time.Second)
				h.requireOnce()
				require.LessOrEqual(t, requests, 64, "a request a minute, a few to be sure of the time, and halves of the largest")
				require.WithinDuration(t, h.now(), h.through(), 70*time.Second)
				require.Equal(t, 2, count(h.logged(), "the local clock is"), "a warning each start")
				require.Less(t, h.e.Stats().LagSeconds, 120.)
			})
		})
	}
}

func TestAClockThatIsAlmostRightIsNotWorthALine(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.setServerClock(time.Minute)
		h.start()
		h.liveWith(3)
		require.NotContains(t, h.logged(), "clock")
	})
}

// The server's clock jumps ahead and comes back. What happens afterwards happens at times that the checkpoint
// has passed.
func TestTheServersClockJumpsAndComesBack(t *testing.T) {
	for name, jump := range map[string]time.Duration{"ahead": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *simHost) {
				h.settings["start_time"] = "-6h"
				h.start()
				requests := h.liveWith(20)
				h.setServerClock(jump)
				requests += h.liveWith(20)
				h.setServerClock(0)
				requests += h.liveWith(20)
				h.shutdown()
				h.start()
				requests += h.liveWith(20)
				time.Sleep(70 * time.Minute)
				h.requireAll()
				require.LessOrEqual(t, requests, 100)
				most := 0
				for _, n := range h.arrived() {
					most = max(most, n)
				}
				require.LessOrEqual(t, most, 3, "each step of the clock may cost one repetition")
				require.LessOrEqual(t, count(h.logged(), "ahead of the server's clock"), 2, "one warning a start")
			})
		})
	}
}

// One answer of a broken node says that it is next year.
func TestOneWrongDateDoesNotMoveTheCheckpointForGood(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		h.liveWith(5)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 40 * day })
		h.liveWith(1)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 0 })
		requests := h.liveWith(20)
		require.LessOrEqual(t, requests, 70, "windows of a day up to next month, once")
		h.requireAll()
		h.kill()
		h.happen(30)
		time.Sleep(2 * time.Hour) // an outage that is longer than the overlap
		h.start()
		h.liveWith(3)
		time.Sleep(70 * time.Second)
		h.requireAll()
	})
}

func TestACheckpointInTheFutureLosesNothing(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.setServerClock(48 * time.Hour)
		h.start()
		h.liveWith(5)
		h.shutdown()
		h.setServerClock(0)
		h.start()
		requests := h.liveWith(10)
		require.LessOrEqual(t, requests, 13)
		require.Equal(t, 1, count(h.logged(), "ahead of the server's clock"), h.logged())
		h.shutdown()
		h.happen(60)
		time.Sleep(3 * time.Hour) // nothing is collected for longer than the overlap
		h.happen(60)
		h.start()
		h.liveWith(10)
		time.Sleep(70 * time.Second)
		for _, e := range h.server.Events() {
			if e.Time.Before(h.now()) {
				require.NotZero(t, h.arrived()[e.ID], "event of %s is lost, log:\n%s", e.Time, h.logged())
			}
		}
	})
}

func TestEventsDatedInTheFuture(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		now := h.now()
		h.server.Add(exportertest.Event{ID: "of the future", Time: now.Add(30 * time.Minute), Action: "login"})
		// An endpoint that shows it all the same, although the window ends before.
		csv := "event_id,event_time,action_name\nshown at once," +
			now.Add(3*time.Hour).UTC().Format(time.RFC3339) + ",login\n"
		h.liveWith(2)
		for range 3 {
			h.server.Fail(exportertest.Fault{Body: csv})
			h.liveWith(2)
		}
		requests := h.liveWith(40)
		require.LessOrEqual(t, requests, 45)
		require.WithinDuration(t, h.now(), h.through(), 70*time.Second, "it does not take the checkpoint along")
		times := h.arrived()
		require.Equal(t, 1, times["of the future"])
		require.Equal(t, 1, times["shown at once"])
		delete(times, "shown at once")
		time.Sleep(time.Minute)
		h.requireAll()
	})
}

func TestWithoutADateHeaderTheLocalClockDecides(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.NoDate = true })
		h.happen(30)
		h.start()
		requests := h.liveWith(20)
		time.Sleep(70 * time.Second)
		h.requireOnce()
		require.LessOrEqual(t, requests, 33, "as many as polls, and a few that look into numbers of rows")
		require.Equal(t, 1, count(h.logged(), "no Date header"), "one warning: %s", h.logged())
	})
}

// One node's Date is two hours ahead for a minute, and then there is an outage that is longer than the
// overlap: the checkpoint must not have passed what happens in it.
func TestADateThatJumpsAheadIsNotBelievedAtOnce(t *testing.T) {
	for _, killed := range []bool{true, false} {
		t.Run(fmt.Sprint("killed ", killed), func(t *testing.T) {
			inBubble(t, nil, func(h *simHost) {
				h.start()
				time.Sleep(10 * time.Minute)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 2 * time.Hour })
				time.Sleep(61 * time.Second)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 0 })
				time.Sleep(time.Second)
				if killed {
					h.kill()
				}
				for range 60 {
					time.Sleep(time.Minute)
					h.happen(1)
				}
				if killed {
					h.start()
				}
				time.Sleep(3 * time.Hour)
				h.requireAll()
			})
		})
	}
}

func TestADateThatStaysAheadIsBelieved(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		h.liveWith(5)
		h.setServerClock(2 * time.Hour)
		time.Sleep(15 * time.Minute)
		h.happen(3)
		time.Sleep(2*time.Hour + time.Minute)
		h.requireAll()
	})
}
