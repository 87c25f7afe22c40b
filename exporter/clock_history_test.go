package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// dates is a time in which all Dates are off by as much.
type dates struct {
	off     time.Duration
	minutes int
}

func (h *simHost) liveWithDates(history []dates) {
	for _, d := range history {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = d.off })
		h.liveWith(d.minutes)
	}
	h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 0 })
}

// Dates that are less than a minute off, that jump more than once or that creep away lose nothing either.
func TestAHistoryOfWrongDatesLosesNothing(t *testing.T) {
	for name, history := range map[string][]dates{
		"30 s ahead for 3 min":  {{30 * time.Second, 3}},
		"50 s ahead for 25 min": {{50 * time.Second, 25}},
		"ahead, then more":      {{2 * time.Hour, 25}, {5 * time.Hour, 25}},
		"ahead, then less":      {{5 * time.Hour, 25}, {2 * time.Hour, 25}},
		"behind, then ahead":    {{-2 * time.Hour, 25}, {2 * time.Hour, 25}},
		"creeping":              {{50 * time.Second, 5}, {100 * time.Second, 5}, {150 * time.Second, 15}},
		"creeping and back":     {{50 * time.Second, 5}, {100 * time.Second, 15}, {50 * time.Second, 5}},
	} {
		for _, cold := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, cold %t", name, cold), func(t *testing.T) {
				inBubble(t, map[string]string{"overlap": "10s", "start_time": "-6h"}, func(h *simHost) {
					h.server.Add(exportertest.Generate(1, 100, h.now().Add(-5*time.Hour), h.now())...)
					if cold {
						h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = history[0].off })
					}
					h.start()
					if !cold {
						h.liveWith(5)
					}
					h.liveWithDates(history)
					h.liveWith(30)
					time.Sleep(3 * time.Minute)
					h.requireAll()
				})
			})
		}
	}
}

// The clock that was ahead is put right while no process runs: the next one reads again what the one before could not
// know to be the future.
func TestARestartAfterAClockThatWasAheadLosesNothing(t *testing.T) {
	for name, stop := range map[string]func(*simHost){"shutdown": (*simHost).shutdown, "kill": (*simHost).kill} {
		for _, restarts := range []int{0, 1} { // while the clock is wrong
			t.Run(fmt.Sprint(name, restarts), func(t *testing.T) {
				inBubble(t, map[string]string{"overlap": "10s", "start_time": "-6h", "reconcile_interval": "0"}, func(h *simHost) {
					h.start()
					h.liveWith(5)
					h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 2 * time.Hour })
					h.liveWith(25)
					for range restarts {
						stop(h)
						h.start()
						h.liveWith(10)
					}
					stop(h)
					h.server.SetAnswers(func(a *exportertest.Answers) { a.DateOffset = 0 })
					h.start()
					h.liveWith(30)
					time.Sleep(3 * time.Minute)
					h.requireAll()
				})
			})
		}
	}
}

// The server's clock is behind the local one, and when a process starts no Date says so any more. The local clock must
// not pass for the server's: events that appear within the overlap would be too late.
func TestARestartWithoutDatesKnowsAClockThatIsBehind(t *testing.T) {
	noDates := map[string]func(*exportertest.Answers){
		"no Date":      func(a *exportertest.Answers) { a.NoDate = true },
		"Date of 2000": func(a *exportertest.Answers) { a.DateAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for name, change := range noDates {
		for _, behind := range []time.Duration{2 * time.Minute, 5 * time.Hour} {
			t.Run(fmt.Sprint(name, behind), func(t *testing.T) {
				inBubble(t, map[string]string{"overlap": "1m", "start_time": "-6h", "reconcile_interval": "0"}, func(h *simHost) {
					live := func() {
						for range 15 {
							h.happenLate(3, 30*time.Second)
							time.Sleep(time.Minute)
						}
						h.kill()
					}
					h.setServerClock(-behind)
					h.start()
					live()
					h.server.SetAnswers(change)
					h.start()
					live()
					h.start() // what the process before went by without a Date is known to this one
					live()
					h.start()
					time.Sleep(3 * time.Minute)
					h.requireAll()
				})
			})
		}
	}
}

// Dates that are behind for long do not send again all that happened since the start.
func TestDatesThatAreBehindDoNotRepeatTheWholeCollection(t *testing.T) {
	inBubble(t, map[string]string{"overlap": "10s", "start_time": "-6h"}, func(h *simHost) {
		h.start()
		h.liveWith(24 * 60)
		h.liveWithDates([]dates{{-2 * time.Hour, 25}})
		h.liveWith(30)
		time.Sleep(3 * time.Minute)
		h.requireAll()
		copies := 0
		for _, n := range h.arrived() {
			copies += n - 1
		}
		require.LessOrEqual(t, copies, 3*60*(2+1), "of two hours and what happened meanwhile")
	})
}
