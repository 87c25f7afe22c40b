package exporter

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// reconciling are settings under which a pass comes every hour.
func reconciling(more map[string]string) map[string]string {
	settings := map[string]string{
		"reconcile_interval": "1h", "reconcile_window": "6h", "overlap": "2m", "poll_interval": "5m",
		"max_window": "2h",
	}
	for key, value := range more {
		settings[key] = value
	}
	return settings
}

// happenLate adds n events of this moment that appear so much later.
func (h *simHost) happenLate(n int, by time.Duration) (ids []string) {
	now := h.now()
	for i := range n {
		e := exportertest.Event{
			ID:   fmt.Sprintf("late-%d-%d", now.UnixNano(), i),
			Time: now.Add(time.Duration(i) * time.Millisecond), Action: "login", Visible: now.Add(by),
		}
		h.server.Add(e)
		ids = append(ids, e.ID)
	}
	return ids
}

// liveFor lets 5 events happen a minute.
func (h *simHost) liveFor(minutes int) {
	for range minutes {
		h.happen(5)
		time.Sleep(time.Minute)
	}
}

func TestReconciliationFindsWhatTheOverlapMissed(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.start()
		h.liveFor(30)
		late := h.happenLate(7, 40*time.Minute)
		minute := h.now().Truncate(time.Minute)
		h.liveFor(150)
		time.Sleep(6 * time.Minute)
		h.requireAll()
		require.EqualValues(t, len(late), h.e.Stats().Reconciled)
		require.Contains(t, h.logged(), "7 events of "+minute.Format(time.RFC3339))
		require.Contains(t, h.logged(), "appeared later than the overlap of 2m0s caught, at most ")
		require.Contains(t, h.logged(), "found 7 events that had appeared later than the overlap")

		times := h.arrived()
		for _, e := range h.server.Events() {
			if !e.Time.Truncate(time.Minute).Equal(minute) {
				require.Equal(t, 1, times[e.ID], "an event of %s: only the minute that differs is forwarded again", e.Time)
			}
		}
		for _, id := range late {
			require.Equal(t, 1, times[id])
		}
	})
}

func TestReconciliationSendsNothingAgainWhenNothingDiffers(t *testing.T) {
	inBubble(t, reconciling(map[string]string{"reconcile_interval": "20m"}), func(h *simHost) {
		for i := range 12 {
			h.server.SetAnswers(func(a *exportertest.Answers) {
				a.Order = exportertest.Order(i % 3)
				a.RowLimit = []int{0, 60, 500}[i%3]
			})
			h.start()
			h.liveFor(35)
			time.Sleep(6 * time.Minute) // a poll, and all that it brought is safe
			time.Sleep(10*time.Second - time.Duration(time.Now().Second()%5)*time.Second)
			if i%2 == 0 {
				h.kill()
			} else {
				h.shutdown()
			}
		}
		h.start()
		time.Sleep(30 * time.Minute)
		require.Zero(t, h.e.Stats().Reconciled)
		require.GreaterOrEqual(t, count(h.logged(), "found 0 events"), 12)
		h.requireOnce()
	})
}

func TestKillsDuringReconciliationLoseNothing(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Latency = 2 * time.Second })
		h.start()
		for range 4 {
			h.liveFor(10)
			h.happenLate(3, 30*time.Minute)
		}
		h.liveFor(22) // a pass is due since two minutes, and begins with the next poll or start
		for i := range 14 {
			time.Sleep(time.Duration(i) * 700 * time.Millisecond)
			h.kill()
			h.start()
		}
		require.NotContains(t, h.logged(), "caught, at most 1h", "no kill was too late to matter")
		time.Sleep(80 * time.Minute)
		h.requireAll()
		found := count(h.logged(), "caught, at most")
		time.Sleep(4 * time.Hour)
		require.Equal(t, found, count(h.logged(), "caught, at most"), "what was sent again is known from then on")
	})
}

// The checkpoint goes on while a pass fails and waits: what leaves the reconcile_window meanwhile must not look new.
func TestAReconciliationThatTakesLongFindsNothingThatIsNotThere(t *testing.T) {
	settings := map[string]string{"poll_interval": "30s", "reconcile_window": "30m", "retry_max_interval": "10m"}
	inBubble(t, reconciling(settings), func(h *simHost) {
		var failed atomic.Int64
		begin := time.Now() // the pass an hour later has events to compare
		h.wrap = func(next http.RoundTripper) http.RoundTripper {
			return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				if isOld(r) && time.Now().After(begin.Add(time.Hour)) && failed.Add(1) <= 3 {
					return refusalOf(r, http.StatusServiceUnavailable, http.Header{"Retry-After": {"120"}}), nil
				}
				return next.RoundTrip(r)
			})
		}
		h.start()
		h.liveFor(90)
		require.Greater(t, failed.Load(), int64(3))
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		time.Sleep(time.Minute)
		h.requireOnce()
	})
}

func refusalOf(r *http.Request, status int, header http.Header) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Header: header, Body: http.NoBody,
		Request: r,
	}
}

func TestAReconciliationThatFailsEndsEarlyAndHoldsNothingUp(t *testing.T) {
	for _, status := range []int{
		http.StatusInternalServerError, http.StatusForbidden, http.StatusGatewayTimeout,
		http.StatusRequestEntityTooLarge,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, reconciling(map[string]string{"poll_interval": "1m"}), func(h *simHost) {
				var asked atomic.Int64
				h.wrap = func(next http.RoundTripper) http.RoundTripper {
					return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
						if isOld(r) {
							asked.Add(1)
							return refusalOf(r, status, http.Header{}), nil
						}
						return next.RoundTrip(r)
					})
				}
				h.start()
				for range 150 {
					h.happen(1)
					time.Sleep(time.Minute)
					time.Sleep(5 * time.Second)
				}
				require.NotZero(t, asked.Load())
				require.LessOrEqual(t, asked.Load(), int64(3*(reconcileAttempts+11+reconcileSkips)),
					"three passes; 413 halves a day down to a minute first")
				require.Contains(t, h.logged(), "reconciliation ends early")
				require.NotContains(t, h.logged(), "reconciliation up to")
				h.requireAll()
				h.requireNoGap(2*time.Minute, time.Now().Add(-150*65*time.Second))
			})
		})
	}
}

// requireNoGap checks that polls up to the present came at least that often since begin.
func (h *simHost) requireNoGap(most time.Duration, begin time.Time) {
	h.t.Helper()
	last := begin
	for _, r := range h.exports() {
		if r.At.Before(begin) || r.At.Sub(r.End) > 2*time.Second {
			continue
		}
		require.LessOrEqual(h.t, r.At.Sub(last), most, "no poll between %s and %s", last, r.At)
		last = r.At
	}
}

// At 100 events a second a day of them is read in windows whose identities fit in a few megabytes.
func TestReconciliationReadsABoundedNumberOfRowsAtATime(t *testing.T) {
	h := dedup.NewHistory()
	for minute := dedup.MinuteOf(windowsBegin); minute < dedup.MinuteOf(windowsBegin)+24*60; minute++ {
		h.Minutes[minute] = dedup.Digest{Count: 6000}
	}
	r := reconciler{cursor: windowsBegin, until: windowsBegin.Add(day), span: day}
	windows := 0
	for r.cursor.Before(r.until) {
		w := r.window(h, reconcileRows)
		require.Equal(t, r.cursor, w.Start)
		require.LessOrEqual(t, w.End.Sub(w.Start), 34*time.Minute, "200,000 events")
		require.GreaterOrEqual(t, w.End.Sub(w.Start), time.Minute)
		r.cursor = w.End
		windows++
	}
	require.Equal(t, r.until, r.cursor)
	require.Equal(t, 44, windows)

	h.Minutes[dedup.MinuteOf(windowsBegin)] = dedup.Digest{Count: 1_000_000}
	r = reconciler{cursor: windowsBegin, until: windowsBegin.Add(day), span: day}
	require.Equal(
		t, plan.Window{Start: windowsBegin, End: windowsBegin.Add(time.Minute)}, r.window(h, reconcileRows),
		"one crowded minute is one window",
	)
}

// The endpoint may forget what the reconcile_window still holds: that is no difference.
func TestReconciliationAtTheEdgeOfTheRetention(t *testing.T) {
	settings := map[string]string{
		"reconcile_window": "90d", "poll_interval": "2h", "reconcile_interval": "6h", "max_window": "30d",
	}
	inBubble(t, reconciling(settings), func(h *simHost) {
		now := h.now()
		h.server.Add(exportertest.Generate(1, 800, now.Add(-89*day), now)...)
		h.settings["start_time"] = "-89d"
		h.start()
		time.Sleep(20 * time.Hour)
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		require.Contains(t, h.logged(), "found 0 events")
		h.requireOnce()
	})
}

// Another version of an event, or a row that cannot be read, is in none of the digests: neither makes a pass
// send anything again.
func TestReconciliationIgnoresOtherVersionsAndBadRows(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.start()
		h.liveFor(3)
		minute := h.now().Truncate(time.Minute)
		h.server.Add(
			exportertest.Event{ID: "two versions", Time: minute, Action: "login"},
			exportertest.Event{ID: "two versions", Time: minute, Action: "logout"},
		)
		h.liveFor(200)
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		require.Equal(t, 2, h.arrived()["two versions"])
		require.GreaterOrEqual(t, count(h.logged(), "found 0 events"), 3)
	})
}

// A minute that the endpoint never answers must not keep the minutes behind it from being compared.
func TestReconciliationLeavesOutAMinuteThatIsTooMuch(t *testing.T) {
	inBubble(t, map[string]string{"reconcile_interval": "1h", "max_window": "10m"}, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit = 100 })
		h.start()
		time.Sleep(30 * time.Minute)
		minute := time.Now().Truncate(time.Minute)
		for i := range 300 {
			at := minute.Add(time.Duration(i) * 200 * time.Millisecond)
			h.server.Add(exportertest.Event{ID: fmt.Sprint("crowd-", i), Time: at, Action: "login"})
		}
		time.Sleep(10 * time.Minute)
		visible := time.Now().Add(40 * time.Minute)
		h.server.Add(exportertest.Event{ID: "late", Time: time.Now(), Visible: visible, Action: "login"})
		time.Sleep(5 * time.Hour)
		require.Contains(t, h.logged(), "leaves out the minute")
		h.requireAll()
	})
}

// isOld reports whether a request asks for what only reconciliation asks for.
func isOld(r *http.Request) bool {
	end, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("endTime"))
	return end.Before(time.Now().Add(-100 * time.Second))
}

var windowsBegin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A first pass begins when all that the first sweep read is committed: it compares the whole reconcile_window, and not
// what the checkpoint happened to have passed.
func TestTheFirstReconciliationComparesWhatTheFirstSweepRead(t *testing.T) {
	settings := map[string]string{"start_time": "-30d", "max_window": "1d", "reconcile_interval": "6h", "overlap": "10m"}
	inBubble(t, reconciling(settings), func(h *simHost) {
		for i := range 3000 {
			h.server.Add(exportertest.Event{
				ID: fmt.Sprint("old-", i), Time: h.now().Add(-time.Duration(i) * 14 * time.Minute), Action: "login",
			})
		}
		begin := h.now()
		h.start()
		time.Sleep(10 * time.Minute)
		until := begin.Add(-10 * time.Minute).Truncate(time.Minute)
		require.Contains(t, h.logged(), "reconciliation up to "+until.Format(time.RFC3339))
		h.requireOnce()
	})
}

// Events that never cease to be on their way keep no pass from beginning.
func TestReconciliationBeginsUnderASteadyStream(t *testing.T) {
	inBubble(t, reconciling(map[string]string{"poll_interval": "10s"}), func(h *simHost) {
		newSimEngine(h).latency = 20 * time.Second
		h.start()
		for range 3 * 60 * 30 {
			h.happen(1)
			time.Sleep(2 * time.Second)
		}
		require.GreaterOrEqual(t, count(h.logged(), "reconciliation up to "), 2, h.logged())
	})
}

// A collect call takes a batch a second: minutes that differ share batches, so that many of them do not keep new events
// waiting.
func TestManyMinutesThatDifferKeepNewEventsWaitingForSeconds(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.start()
		h.liveFor(5)
		time.Sleep(5 * time.Hour)
		const late = 120
		for i := range late {
			h.crowd(1, h.now().Add(-5*time.Hour+time.Duration(2*i)*time.Minute), 0)
		}
		for range 2 * 3600 {
			if h.missing() < late {
				break
			}
			time.Sleep(time.Second)
		}
		require.Less(t, h.missing(), late, "a pass has begun")
		time.Sleep(20 * time.Second)
		h.requireOnce()
		require.EqualValues(t, late, h.e.Stats().Reconciled)
	})
}
