package exporter

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// crowd adds n events at equal distances from at on, in so much time.
func (h *simHost) crowd(n int, at time.Time, within time.Duration) {
	for i := range n {
		h.server.Add(exportertest.Event{
			ID:   fmt.Sprintf("crowd-%d-%d", at.UnixNano(), i),
			Time: at.Add(within * time.Duration(i) / time.Duration(n)), Action: "login",
		})
	}
}

// limitSilently lets the endpoint leave out what goes beyond so many rows.
func (h *simHost) limitSilently(rows int, newest bool) {
	h.server.SetAnswers(func(a *exportertest.Answers) {
		a.Limit = exportertest.SilentLimit{Rows: rows, Newest: newest}
	})
}

// requireCopies checks that every event of the endpoint is there after de-duplication, and that no more than so
// many copies came.
func (h *simHost) requireCopies(most int) {
	h.t.Helper()
	h.requireAll()
	copies, times := 0, h.arrived()
	for _, event := range h.server.Events() {
		copies += times[event.ID] - 1
	}
	require.LessOrEqual(h.t, copies, most, "copies, log:\n%s", h.logged())
}

// missing is how many events of the endpoint have not arrived.
func (h *simHost) missing() int {
	times, missing := h.arrived(), 0
	for _, event := range h.server.Events() {
		if times[event.ID] == 0 {
			missing++
		}
	}
	return missing
}

func eachOrder(t *testing.T, settings map[string]string, test func(h *simHost, newest bool)) {
	for _, newest := range []bool{false, true} {
		t.Run(map[bool]string{false: "oldest", true: "newest"}[newest], func(t *testing.T) {
			inBubble(t, settings, func(h *simHost) { test(h, newest) })
		})
	}
}

func TestASilentLimitLosesNothing(t *testing.T) {
	settings := map[string]string{"start_time": "-10d", "status_events": "on", "status_interval": "0"}
	eachOrder(t, settings, func(h *simHost, newest bool) {
		h.server.Add(exportertest.Generate(1, 20_000, h.now().Add(-10*day), h.now())...)
		h.limitSilently(1000, newest)
		h.start()
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusRowLimit], h.logged())
		require.Zero(t, h.statuses(schema.Raw)[schema.StatusRowGap])
		h.requireAll()
		require.Equal(t, 20_000+2, len(h.delivered), "nothing twice, and two status events")
		require.Less(t, h.e.Stats().Requests(), int64(140), "20 answers could have brought them")

		requests := h.e.Stats().Requests()
		h.shutdown()
		h.server.Add(exportertest.Generate(2, 3_000, h.now().Add(-time.Minute), h.now())...)
		h.start()
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, count(h.logged(), "the endpoint leaves out what goes beyond 1000 rows"), "a restart knows it")
		require.NotEqual(t, requests, h.e.Stats().Requests())
		h.requireAll()
		require.Equal(t, 23_000+2, len(h.delivered))
	})
}

// A limit that is no round number shows when it comes again; what had passed until then is read again.
func TestASilentLimitThatIsNotRoundLosesNothing(t *testing.T) {
	for _, limit := range []int{57, 987} {
		eachOrder(t, map[string]string{"start_time": "-10d"}, func(h *simHost, newest bool) {
			h.server.Add(exportertest.Generate(1, 20*limit, h.now().Add(-10*day), h.now())...)
			h.limitSilently(limit, newest)
			h.start()
			time.Sleep(2 * time.Minute)
			require.Contains(t, h.logged(), fmt.Sprintf("beyond %d rows", limit))
			h.requireCopies(2 * limit)
		})
	}
}

// A limit that goes by bytes, or is another one each time, never shows by a number of rows that comes again.
func TestALimitThatIsNoNumberOfRowsLosesNothing(t *testing.T) {
	for name, limit := range map[string]exportertest.SilentLimit{
		"bytes": {Bytes: 150_000}, "bytes, newest": {Bytes: 150_000, Newest: true},
		"many bytes": {Bytes: 1_200_000}, "many bytes, newest": {Bytes: 1_200_000, Newest: true},
		"varies": {Rows: 900, Varies: true}, "varies, newest": {Rows: 900, Varies: true, Newest: true},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{"start_time": "-10d", "count_check": "off", "deep_reconcile_interval": "0"}
			inBubble(t, settings, func(h *simHost) {
				events := 20_000
				if limit.Bytes > 1_000_000 {
					events = 120_000 // a day has more than the limit, and so many rows that only a sample is read again
				}
				h.server.Add(exportertest.Generate(1, events, h.now().Add(-10*day), h.now())...)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Limit = limit })
				h.start()
				time.Sleep(10 * time.Minute)
				h.requireCopies(0)
				require.NotContains(t, h.logged(), "they are missing until")
				t.Logf("%s: %d requests, %d lines", name, h.e.Stats().Requests(), strings.Count(h.logged(), "\n"))
				for range 30 {
					h.happen(40)
					time.Sleep(time.Minute)
				}
				time.Sleep(3 * time.Minute)
				h.requireCopies(0)
				t.Logf("%s: %d requests, %d lines", name, h.e.Stats().Requests(), strings.Count(h.logged(), "\n"))
			})
		})
	}
}

// What a Link or a total in a header says is looked into, however few rows there are.
func TestHeadersThatPromiseMoreAreFollowedUp(t *testing.T) {
	for name, limit := range map[string]exportertest.SilentLimit{
		"link":  {Rows: 57, Link: true},
		"total": {Rows: 57, Newest: true, Total: "X-Total-Count"},
		"few":   {Rows: 7, Link: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": "-1d"}, func(h *simHost) {
				begin := h.now().Add(-20 * time.Hour)
				for i := range 100 {
					h.crowd(1, begin.Add(time.Duration(i)*7*time.Minute), 0)
				}
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Limit = limit })
				h.start()
				time.Sleep(10 * time.Minute)
				h.requireOnce()
			})
		})
	}
}

// A header that promises rows which there are not is believed a few times only.
func TestHeadersThatLieAreBelievedAFewTimesOnly(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.wrap = withHeader("Link", `<https://api.example.test>; rel="next"`)
		h.start()
		h.liveFor(60)
		require.LessOrEqual(t, h.e.Stats().Requests(), int64(130), "instead of 180")
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		require.NotContains(t, h.logged(), "leaves out")
	})
}

func TestMoreThanASilentLimitWithinASecond(t *testing.T) {
	eachOrder(t, map[string]string{"status_events": "on"}, func(h *simHost, newest bool) {
		h.limitSilently(200, newest)
		h.crowd(3000, h.now().Add(-30*time.Minute).Truncate(time.Second), time.Second)
		h.happen(60)
		h.start()
		time.Sleep(5 * time.Minute)
		h.requireCopies(0)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusRowLimit])
		require.Zero(t, h.statuses(schema.Raw)[schema.StatusRowGap], h.logged())
	})
}

// More events at one instant than the limit do not hide what happened before and after it.
func TestAnInstantBeyondASilentLimitHidesNothingElse(t *testing.T) {
	settings := map[string]string{"start_time": "-5h", "count_check": "off", "deep_reconcile_interval": "0"}
	eachOrder(t, settings, func(h *simHost, newest bool) {
		h.limitSilently(100, newest)
		instant := h.now().Add(-4 * time.Hour).Truncate(time.Second)
		h.crowd(300, instant, 0)
		h.crowd(60, instant.Add(5*time.Minute), 100*time.Minute)
		h.crowd(60, instant.Add(-30*time.Minute), 20*time.Minute)
		h.start()
		time.Sleep(time.Hour)
		require.Equal(t, 200, h.missing(), "of the instant: %s", h.logged())
		require.Equal(t, 1, count(h.logged(), "leaves out the others"), h.logged())
	})
}

// What happens in one millisecond beyond the limit is told, holds nothing up, and is found when the endpoint
// gives it.
func TestMoreThanASilentLimitWithinAMillisecond(t *testing.T) {
	settings := reconciling(map[string]string{"status_events": "on", "poll_interval": "1m"})
	eachOrder(t, settings, func(h *simHost, newest bool) {
		h.limitSilently(200, newest)
		instant := h.now().Add(-30 * time.Minute).Truncate(time.Second).Add(345 * time.Millisecond)
		h.crowd(500, instant.Add(100*time.Microsecond), 800*time.Microsecond)
		h.happen(250)
		h.start()
		h.liveFor(20)
		time.Sleep(90 * time.Second)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusRowGap], h.logged())
		require.Contains(t, h.logged(), "answers with 200 rows for the 1ms from "+instant.Format(time.RFC3339Nano))
		require.Equal(t, 300, h.missing(), "all others came")
		h.limitSilently(0, newest)
		h.liveFor(150)
		h.requireAll()
	})
}

// An endpoint that cuts the fractions of times off still loses nothing, nor does one that then refuses a window
// without length.
func TestWindowsBelowASecondWhereFractionsAreCutOff(t *testing.T) {
	for _, refuses := range []int{0, 422} {
		eachOrder(t, map[string]string{"status_events": "on"}, func(h *simHost, newest bool) {
			h.server.SetAnswers(func(a *exportertest.Answers) {
				a.Windows = exportertest.Windows{WholeSeconds: true, Backward: refuses}
			})
			h.limitSilently(200, newest)
			crowded := h.now().Add(-30 * time.Minute).Truncate(time.Second)
			h.crowd(1000, crowded, time.Second)
			for i := range 30 {
				h.crowd(150, crowded.Add(time.Duration(i+2)*time.Second), time.Second)
			}
			h.start()
			time.Sleep(10 * time.Minute)
			require.NotZero(h.t, h.statuses(schema.Raw)[schema.StatusRowGap], h.logged())
			require.GreaterOrEqual(h.t, len(h.arrived()), 30*150+200, h.logged())
			require.Equal(h.t, refuses != 0, count(h.logged(), "asks for whole seconds") == 1, h.logged())
		})
	}
}

// Reconciliation finds late events behind a limit too, and takes nothing for missing that the limit hides.
func TestReconciliationKnowsSilentLimits(t *testing.T) {
	eachOrder(t, reconciling(nil), func(h *simHost, newest bool) {
		h.limitSilently(100, newest)
		h.start()
		h.liveFor(40)
		late := h.happenLate(250, 40*time.Minute)
		h.liveFor(150)
		time.Sleep(6 * time.Minute)
		h.requireAll()
		require.EqualValues(t, len(late), h.e.Stats().Reconciled, h.logged())
	})
}

// A limit that comes later, or becomes another one, is found too; one that is gone is forgotten.
func TestASilentLimitThatChanges(t *testing.T) {
	eachOrder(t, map[string]string{"poll_interval": "30s"}, func(h *simHost, newest bool) {
		h.start()
		for _, limit := range []int{0, 400, 150, 0} {
			h.limitSilently(limit, newest)
			for range 30 {
				h.happen(50)
				time.Sleep(time.Minute)
			}
		}
		time.Sleep(time.Minute)
		h.requireAll()
		require.Contains(t, h.logged(), "beyond 400 rows")
		require.Contains(t, h.logged(), "beyond 150 rows")
	})
}

// withHeader adds a header to each answer.
func withHeader(name, value string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return exportertest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil {
				response.Header.Set(name, value)
			}
			return response, err
		})
	}
}

// Rows that are never the same twice look as if parts had more of them than the whole, but teach no limit.
func TestRowsThatDifferEachTimeTeachNoLimit(t *testing.T) {
	for _, without := range [][]string{nil, {"event_id"}} {
		inBubble(t, nil, func(h *simHost) {
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Volatile, a.Without = "now", without })
			h.happen(100)
			h.start()
			h.liveFor(15)
			require.NotContains(t, h.logged(), "leaves out")
			require.LessOrEqual(t, h.e.Stats().Requests(), int64(200))
		})
	}
}

// What fails while an answer is examined, or a footer that has to come twice, keeps nothing from being read.
func TestASilentLimitBehindFailures(t *testing.T) {
	eachOrder(t, map[string]string{"start_time": "-10d"}, func(h *simHost, newest bool) {
		h.server.Add(exportertest.Generate(1, 5_000, h.now().Add(-10*day), h.now())...)
		h.limitSilently(500, newest)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.LastLine = "total: %d rows" })
		h.server.SetChaos(exportertest.Chaos{Seed: 3, Fail: 0.2, Cut: 0.1})
		h.start()
		time.Sleep(2 * time.Hour)
		h.server.SetChaos(exportertest.Chaos{})
		time.Sleep(30 * time.Minute)
		h.requireCopies(0)
	})
}

// A pass asks for windows that stay below the limit too.
func TestReconciliationStaysClearOfALimit(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.limitSilently(100, false)
		h.happen(150)
		h.start()
		h.liveFor(90)
		before := len(h.exports())
		h.liveFor(60)
		for _, r := range h.exports()[before:] {
			require.Less(t, r.Rows, 100, "%s – %s", r.Start, r.End)
		}
		require.GreaterOrEqual(t, count(h.logged(), "found 0 events"), 2)
	})
}

// An answer that is cut off lacks what lies beyond its rows. Some endpoints leave rows out between them: a part in the
// middle, some everywhere, or those of one user.
func TestRowsThatAreMissingBetweenOthersAreNotLost(t *testing.T) {
	for name, limit := range map[string]exportertest.SilentLimit{
		"in the middle":        {Rows: 5000, Keeps: exportertest.KeepsEnds},
		"everywhere":           {Rows: 5000, Keeps: exportertest.KeepsMost},
		"of a user":            {Rows: 1000, Keeps: exportertest.KeepsPerUser},
		"the oldest of a user": {Rows: 1000, Keeps: exportertest.KeepsPerUser, Newest: true},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{"start_time": "-3d", "count_check": "off", "deep_reconcile_interval": "0"}
			inBubble(t, settings, func(h *simHost) {
				random := rand.New(rand.NewPCG(5, 6)) // no two days have as many
				events := exportertest.Generate(1, 18_000, h.now().Add(-3*day), h.now())
				for i := range events {
					events[i].Time = h.now().Add(-time.Duration(random.Int64N(int64(3 * day))))
					events[i].UserName = fmt.Sprintf("user-%d@example.test", max(i%20-4, 0)) // user-0 has a quarter of them
				}
				h.server.Add(events...)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Limit = limit })
				h.start()
				time.Sleep(10 * time.Minute)
				h.requireCopies(0)
				require.NotContains(t, h.logged(), "they are missing until")
			})
		})
	}
}

// Where hardly any rows are missing, a sample of an answer may show none. What reads it again later reads all of it.
func TestReconciliationReadsAllOfWhatWasSampled(t *testing.T) {
	settings := map[string]string{
		"start_time": "-3d", "count_check": "off", "reconcile_interval": "1h", "deep_reconcile_interval": "1h",
	}
	inBubble(t, settings, func(h *simHost) {
		h.spread(18_000, 3*day, 0, nil)
		h.server.SetAnswers(func(a *exportertest.Answers) {
			a.Limit = exportertest.SilentLimit{Rows: 5000, Keeps: exportertest.KeepsNearly}
		})
		h.start()
		time.Sleep(10 * time.Minute)
		require.NotZero(t, h.missing(), "no sample shows them")
		time.Sleep(4 * time.Hour)
		h.requireCopies(0)
	})
}
