package exporter

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// deepSettings are settings under which a pass over the whole retention comes every six hours.
func deepSettings(more map[string]string) map[string]string {
	settings := map[string]string{
		"reconcile_interval": "6h", "deep_reconcile_interval": "6h", "poll_interval": "2m",
		"start_time": "-20d",
	}
	for key, value := range more {
		settings[key] = value
	}
	return settings
}

// deepLate lets 5,000 events have happened in the last 20 days, 100 of which appear only in the time that follows.
func (h *simHost) deepLate(within time.Duration) {
	now := h.now()
	events := exportertest.Generate(1, 5000, now.Add(-20*day+time.Hour), now)
	random := rand.New(rand.NewPCG(1, 2))
	for _, i := range random.Perm(len(events))[:100] {
		events[i].Visible = now.Add(10*time.Minute + time.Duration(random.Int64N(int64(within))))
	}
	h.server.Add(events...)
}

// copies is how many records arrived beyond the first of each event.
func (h *simHost) copies() (n int) {
	for id, times := range h.arrived() {
		if id != "" { // a status event
			n += times - 1
		}
	}
	return n
}

// old is how many requests asked for nothing but what is older than a day.
func (h *simHost) old() (n int) {
	for _, r := range h.server.Requests() {
		if r.At.Sub(r.End) > 23*time.Hour {
			n++
		}
	}
	return n
}

func TestAKillInTheMiddleOfADeepPassLosesNothing(t *testing.T) {
	settings := map[string]string{"deep_reconcile_interval": "1h", "poll_interval": "1m", "reconcile_interval": "1h"}
	inBubble(t, deepSettings(settings), func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Latency = 700 * time.Millisecond })
		h.deepLate(9 * time.Hour)
		h.start()
		random := rand.New(rand.NewPCG(3, 4))
		for range 80 {
			time.Sleep(3*time.Minute + time.Duration(random.Int64N(int64(7*time.Minute))))
			h.kill()
			h.start()
		}
		time.Sleep(4 * time.Hour)
		h.requireAll()
		require.Less(t, h.copies(), 300)
		t.Logf("%d copies, %d old requests", h.copies(), h.old())
		require.Less(t, h.old(), 14*25+100+80*3,
			"20 pieces an hour, one for each that differed, and a few for each kill")
		require.Greater(t, count(h.logged(), "deep reconciliation of everything since"), 5, "passes get to their end")
	})
}

// Pieces that fail, or that are refused, hold nothing up and are tried again; one that is too much is left out.
func TestADeepReconciliationThatFailsHoldsNothingUp(t *testing.T) {
	for _, status := range []int{
		http.StatusInternalServerError, http.StatusForbidden, http.StatusRequestEntityTooLarge,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			settings := map[string]string{"reconcile_interval": "0", "deep_reconcile_interval": "2h", "poll_interval": "1m"}
			inBubble(t, deepSettings(settings), func(h *simHost) {
				var ill atomic.Bool
				h.wrap = func(next http.RoundTripper) http.RoundTripper {
					return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
						end, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("endTime"))
						if ill.Load() && end.Before(time.Now().Add(-20*time.Minute)) {
							return refusalOf(r, status, http.Header{}), nil
						}
						return next.RoundTrip(r)
					})
				}
				h.deepLate(9 * time.Hour)
				h.start()
				time.Sleep(9 * time.Minute)
				ill.Store(true)
				begin := time.Now()
				before := len(h.exports())
				for range 9 * 60 {
					h.happen(1)
					time.Sleep(time.Minute)
				}
				h.requireNoGap(2*time.Minute, begin)
				require.Less(t, len(h.exports())-before, 9*60+30, "polls")
				ill.Store(false)
				time.Sleep(6 * time.Hour)
				h.requireAll()
				require.Less(t, h.copies(), 300)
			})
		})
	}
}

// Events that the endpoint files under another time are no difference, and are found all the same.
func TestDeepReconciliationWhenEventTimeIsAnotherThanTheFilters(t *testing.T) {
	inBubble(t, deepSettings(map[string]string{"max_window": "7h"}), func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.TimeLag = 25 * time.Minute })
		h.deepLate(30 * time.Hour)
		h.start()
		time.Sleep(38 * time.Hour)
		h.requireAll()
		t.Logf("%d copies", h.copies())
		require.Less(t, h.copies(), 300)
		found := h.e.Stats().Reconciled
		time.Sleep(13 * time.Hour)
		require.Equal(t, found, h.e.Stats().Reconciled, "found once")
	})
}

// An endpoint that goes by a time of its own, further from event_time than pieces are read around, has fewer events of
// an hour than were handed over: those of an hour come once more, and then no more.
func TestDeepReconciliationWhenEventTimeIsFarFromTheFilters(t *testing.T) {
	inBubble(t, deepSettings(map[string]string{"reconcile_interval": "0"}), func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.TimeLag = 100 * time.Minute })
		h.deepLate(30 * time.Hour)
		h.start()
		time.Sleep(38 * time.Hour)
		require.LessOrEqual(t, h.copies(), len(h.server.Events()))
		copies := h.copies()
		time.Sleep(26 * time.Hour)
		require.Equal(t, copies, h.copies())
	})
}

// Rows with a time that is none hide nothing either: an hour may have had events for which the endpoint told another
// time for a while (simulation, seed 103938).
func TestDeepReconciliationBesideRowsWithOddTimes(t *testing.T) {
	inBubble(t, deepSettings(map[string]string{"reconcile_interval": "0"}), func(h *simHost) {
		hour := h.now().Add(-10 * day).Truncate(time.Hour)
		h.server.Add(exportertest.Event{
			ID: "odd", Time: hour.Add(-20 * time.Hour), Filed: hour.Add(5 * time.Minute), Action: "login",
		})
		h.loseTwoBeforeOneIsLate(hour)
	})
}

// What is gone at the endpoint hides nothing that is new.
func TestDeepReconciliationWhenEventsAreGone(t *testing.T) {
	inBubble(t, deepSettings(map[string]string{"reconcile_interval": "0"}), func(h *simHost) {
		h.loseTwoBeforeOneIsLate(h.now().Add(-10 * day).Truncate(time.Hour))
		require.LessOrEqual(t, h.copies(), 2*18)
		copies := h.copies()
		time.Sleep(24 * time.Hour)
		require.Equal(t, copies, h.copies(), "once")
	})
}

// loseTwoBeforeOneIsLate runs until an event of an hour must have been found that appeared after two of the hour's
// twenty others were gone.
func (h *simHost) loseTwoBeforeOneIsLate(hour time.Time) {
	for i := range 20 {
		h.server.Add(exportertest.Event{
			ID: fmt.Sprint("event-", i), Time: hour.Add(time.Duration(i) * time.Minute), Action: "login",
		})
	}
	h.server.Add(exportertest.Event{
		ID: "late", Time: hour.Add(30 * time.Minute), Action: "login", Visible: h.now().Add(2 * time.Hour),
	})
	var gone atomic.Bool
	h.wrap = func(next http.RoundTripper) http.RoundTripper { return withoutRows(next, &gone, "event-7", "event-8") }
	h.start()
	time.Sleep(time.Hour)
	gone.Store(true)
	time.Sleep(14 * time.Hour)
	require.Equal(h.t, 1, h.arrived()["late"])
}

// withoutRows takes the rows that have one of these texts out of the answers while gone says so.
func withoutRows(next http.RoundTripper, gone *atomic.Bool, texts ...string) http.RoundTripper {
	return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err != nil || !gone.Load() {
			return answer, err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		var kept []string
		for line := range strings.Lines(string(body)) {
			if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(line, text) }) {
				kept = append(kept, line)
			}
		}
		answer.Body = io.NopCloser(strings.NewReader(strings.Join(kept, "")))
		return answer, answer.Body.Close()
	})
}

// An endpoint may refuse windows that begin before what it keeps. The oldest hours are compared all the same.
func TestDeepReconciliationAtTheEdgeOfTheRetention(t *testing.T) {
	settings := map[string]string{"start_time": "-90d", "reconcile_interval": "0"}
	inBubble(t, deepSettings(settings), func(h *simHost) {
		now := h.now()
		h.server.Add(exportertest.Generate(1, 2000, now.Add(-89*day), now)...)
		h.server.Add(exportertest.Event{
			ID: "late", Time: now.Add(-90*day + 20*time.Hour), Action: "login", Visible: now.Add(time.Hour),
		})
		h.wrap = func(next http.RoundTripper) http.RoundTripper {
			return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				start, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("startTime"))
				if start.Before(time.Now().Add(-90 * day)) {
					return refusalOf(r, http.StatusBadRequest, http.Header{}), nil
				}
				return next.RoundTrip(r)
			})
		}
		h.start()
		time.Sleep(14 * time.Hour)
		require.Equal(t, 1, h.arrived()["late"], h.logged())
		require.NotContains(t, h.logged(), "leaves out")
	})
}
