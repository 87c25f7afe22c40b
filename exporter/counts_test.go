package exporter

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// counts are the requests for a count.
func (h *simHost) counts() (requests []exportertest.Request) {
	for _, r := range h.server.Requests() {
		if r.Path == exportertest.CountPath {
			requests = append(requests, r)
		}
	}
	return requests
}

// counting lets the endpoint count in another way.
func (h *simHost) counting(c exportertest.Count) {
	h.server.SetAnswers(func(a *exportertest.Answers) { a.Count = c })
}

// statusesOf returns the status events of a kind, in raw.
func (h *simHost) statusesOf(kind schema.Kind) (records []map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.delivered {
		if statusOf(h.t, schema.Raw, event.Record) == kind {
			records = append(records, event.Record)
		}
	}
	return records
}

// With a witness a limit is found at the first window that it cuts, whatever number it is.
func TestACountFindsASilentLimitAtOnce(t *testing.T) {
	settings := map[string]string{"start_time": "-10d", "status_events": "on", "status_interval": "0"}
	for _, limit := range []int{1000, 157, 40} {
		eachOrder(t, settings, func(h *simHost, newest bool) {
			begin := h.now().Add(-10 * day)
			if limit < 50 {
				h.crowd(5_000, begin, 10*day) // no ties, which a small limit hides
			} else {
				h.server.Add(exportertest.Generate(1, 20_000, begin, h.now())...)
			}
			h.limitSilently(limit, newest)
			h.start()
			time.Sleep(3 * time.Minute)
			h.requireOnceAndStatuses(2)
			limits := h.statusesOf(schema.StatusRowLimit)
			require.Len(t, limits, 1, h.logged())
			require.EqualValues(t, limit, limits[0]["count"])
			require.Contains(t, limits[0]["from"], begin.Format("2006-01-02"), "the first window showed it")
			require.LessOrEqual(t, len(h.counts()), len(h.exports()))
			require.Contains(t, h.logged(), "by a count that agreed")
			require.Empty(t, h.statusesOf(schema.StatusCountMismatch))
		})
	}
}

// requireOnceAndStatuses checks that all events arrived once, and so many status events.
func (h *simHost) requireOnceAndStatuses(n int) {
	h.t.Helper()
	h.requireCopies(0)
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Len(h.t, h.delivered, len(h.server.Events())+n)
}

// One busy hour is cut off once: nothing but the count shows it.
func TestACountFindsWhatIsCutOffOnce(t *testing.T) {
	for _, limit := range []int{157, 40, 12} {
		eachOrder(t, map[string]string{"start_time": "-3d"}, func(h *simHost, newest bool) {
			h.limitSilently(limit, newest)
			h.crowd(limit+100, h.now().Add(-30*time.Hour), time.Hour)
			h.start()
			time.Sleep(3 * time.Minute)
			h.requireCopies(0)
		})
	}
}

// What a poll lacks is found when it leaves the overlap.
func TestACountFindsWhatPollsCutOff(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		h.liveFor(30)
		h.limitSilently(45, true)
		h.happen(59)
		for range 25 {
			h.happen(3)
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Minute)
		h.requireCopies(0)
	})
}

// A pass of reconciliation has a count of its own, for its whole window.
func TestReconciliationCounts(t *testing.T) {
	inBubble(t, reconciling(map[string]string{"poll_interval": "10s", "max_window": "24h"}), func(h *simHost) {
		h.happen(500)
		h.start()
		h.liveFor(200)
		whole := 0
		for _, r := range h.counts() {
			if r.End.Sub(r.Start) > 30*time.Minute {
				whole++
			}
		}
		require.GreaterOrEqual(t, whole, 3, "one each pass")
		require.LessOrEqual(t, len(h.counts()), 200)

		h.limitSilently(20, false)
		late := h.happenLate(55, 40*time.Minute)
		time.Sleep(3 * time.Hour)
		h.requireAll()
		require.EqualValues(t, len(late), h.e.Stats().Reconciled, h.logged())
	})
}

// liars are witnesses that do not count what the export has.
var liars = map[string]exportertest.Count{
	"low":      {Off: -1},
	"lower":    {Off: -1000},
	"high":     {Off: 1},
	"higher":   {Off: 100_000},
	"constant": {Body: `{"items":[],"total":7}`},
	"ahead":    {Lag: -2 * time.Hour},
	"behind":   {Lag: 2 * time.Hour},
	"blind":    {LateOver: time.Second},
}

// What a witness that lies costs is bounded, and it changes nothing.
func TestAWitnessThatLiesChangesNothing(t *testing.T) {
	play := func(h *simHost) (exports int) {
		h.server.Add(exportertest.Generate(1, 5000, h.now().Add(-10*day), h.now())...)
		h.start()
		for range 8 * 60 {
			h.happen(2)
			h.happenLate(1, 3*time.Minute)
			time.Sleep(time.Minute)
		}
		time.Sleep(10 * time.Minute)
		h.requireCopies(0)
		require.Zero(h.t, h.e.Stats().Failures)
		return len(h.exports())
	}
	settings := map[string]string{"start_time": "-10d", "status_events": "on", "count_check": "off"}
	without := 0
	inBubble(t, settings, func(h *simHost) {
		without = play(h)
		require.Empty(t, h.counts(), "it is off")
	})
	settings["count_check"] = "auto"
	for name, liar := range liars {
		t.Run(name, func(t *testing.T) {
			inBubble(t, settings, func(h *simHost) {
				h.counting(liar)
				exports := play(h)
				require.LessOrEqual(t, exports, without+60, h.logged())
				require.LessOrEqual(t, len(h.counts()), 500)
				require.LessOrEqual(t, len(h.statusesOf(schema.StatusCountMismatch)), 5)
				require.LessOrEqual(t, count(h.logged(), "are not believed"), 1)
			})
		})
	}
}

// A witness that is wrong is not asked before a day is over, and is said to be wrong once.
func TestAWitnessThatCountsTooLittleIsNotBelieved(t *testing.T) {
	inBubble(t, map[string]string{"poll_interval": "10m"}, func(h *simHost) {
		h.crowd(200, h.now().Add(-50*time.Minute), 20*time.Minute)
		h.counting(exportertest.Count{Off: -1})
		h.start()
		time.Sleep(23 * time.Hour)
		require.Len(t, h.counts(), 1, h.logged())
		require.Contains(t, h.logged(), "but its export has ")
		h.liveFor(180)
		require.Equal(t, 1, count(h.logged(), "are not believed"))
		asked := len(h.counts())
		require.Greater(t, asked, 1, "tried again after a day")
		require.LessOrEqual(t, asked, 5)
		h.counting(exportertest.Count{})
		time.Sleep(25 * time.Hour)
		require.Greater(t, len(h.counts()), asked+3, "it is believed again")
	})
}

// A count that is too high is told with both numbers, and nothing waits for it.
func TestACountThatIsTooHighIsTold(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-2d", "status_events": "on"}, func(h *simHost) {
		begin := h.now().Add(-2 * day)
		h.server.Add(exportertest.Generate(1, 90, begin, begin.Add(day-time.Hour))...)
		h.counting(exportertest.Count{Off: 5})
		h.start()
		time.Sleep(30 * time.Second)
		h.counting(exportertest.Count{})
		time.Sleep(time.Minute)
		h.requireCopies(0)
		told := h.statusesOf(schema.StatusCountMismatch)
		require.NotEmpty(t, told, h.logged())
		require.EqualValues(t, 5, told[0]["count"])
		require.Equal(t, "counted 95, exported 90; read whole by halves that agreed", told[0]["detail"])
		require.Equal(t, begin.Truncate(time.Second).Format(time.RFC3339), told[0]["from"])
		require.Equal(t, begin.Truncate(time.Second).Add(day).Format(time.RFC3339), told[0]["to"])
		require.Contains(t, h.logged(), "also when asked again (counted 95, exported 90)")
		require.EqualValues(t, len(told), h.e.Stats().Mismatches)
		require.Contains(t, h.logged(), "by a count that did not agree")
	})
}

// Whatever is no count is no witness for a day: one line, one request, and the collection notices nothing.
func TestWhatIsNoCountIsNoWitness(t *testing.T) {
	body := func(text string) exportertest.Count { return exportertest.Count{Body: text} }
	for name, c := range map[string]exportertest.Count{
		"401": {Status: 401}, "403": {Status: 403}, "404": {Status: 404}, "405": {Status: 405}, "422": {Status: 422},
		"500": {Status: 500}, "503": {Status: 503}, "204": {Status: 204}, "302": {Status: 302}, "429": {Status: 429},
		"page": {HTML: true}, "text": body("OK"), "no total": body(`{"items":[]}`), "no items": body(`{"total":3}`),
		"negative": body(`{"items":[],"total":-3}`), "fraction": body(`{"items":[],"total":2.5}`),
		"huge": body(fmt.Sprintf(`{"items":[],"total":3%070000d}`, 0)),
		"hang": {Latency: 24 * time.Hour}, "slow": {Latency: 5100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"poll_interval": "20m"}, func(h *simHost) {
				h.happen(70)
				h.counting(c)
				h.start()
				h.liveFor(60)
				time.Sleep(22 * time.Hour)
				require.Len(t, h.counts(), 1)
				require.Equal(t, 1, count(h.logged(), "there is no count to compare"), h.logged())
				require.Zero(t, h.e.Stats().Failures)
				require.NotContains(t, h.logged(), "\n1 ")
				require.NotContains(t, h.logged(), "\n2 ")
				require.LessOrEqual(t, len(h.exports()), 23*3+16)
				h.requireOnce()
				h.counting(exportertest.Count{})
				time.Sleep(5 * time.Hour)
				require.Greater(t, len(h.counts()), 5, "tried again after a day")
				require.Contains(t, h.logged(), "the endpoint counts events")
			})
		})
	}
}

// A count that has to wait holds nobody else up.
func TestRetryAfterOfACountIsHonoured(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.server.FailCount(exportertest.Fault{Status: http.StatusTooManyRequests, RetryAfter: "1200"})
		h.start()
		before := 0
		for range 30 {
			h.happen(3)
			time.Sleep(2 * time.Minute)
			require.Greater(t, len(h.exports()), before, "polls go on")
			before = len(h.exports())
		}
		asked := h.counts()
		require.Greater(t, len(asked), 15)
		require.GreaterOrEqual(t, asked[1].At.Sub(asked[0].At), 20*time.Minute)
		require.Less(t, asked[1].At.Sub(asked[0].At), 23*time.Minute)
		require.Zero(t, h.e.Stats().Failures)
	})
}

// Copies of events at the endpoint are no disagreement, whether they are counted or not.
func TestCopiesAtTheEndpointDoNotDisagree(t *testing.T) {
	for _, byID := range []bool{false, true} {
		inBubble(t, map[string]string{"start_time": "-5d", "status_events": "on"}, func(h *simHost) {
			begin := h.now().Add(-5 * day)
			for range 2 {
				h.server.Add(exportertest.Generate(1, 400, begin, h.now().Add(-2*day))...)
			}
			h.counting(exportertest.Count{ByID: byID})
			h.start()
			time.Sleep(time.Hour)
			require.NotContains(t, h.logged(), "are not believed")
			require.Empty(t, h.statusesOf(schema.StatusCountMismatch))
			require.Greater(t, len(h.counts()), 50, "it is still asked")
			require.LessOrEqual(t, len(h.exports()), 75)
			h.requireCopies(0)
		})
	}
}

// Where event_time is another than what the endpoint goes by, parts of windows cannot be counted by it: that is given
// up, and whole windows are still counted.
func TestCountsWhereEventTimeLags(t *testing.T) {
	play := func(h *simHost) int {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.TimeLag = 90 * time.Second })
		h.server.Add(exportertest.Generate(1, 300, h.now().Add(-3*day), h.now())...)
		h.start()
		for minute := range 180 {
			h.happen(minute % 9)
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Minute)
		return len(h.exports())
	}
	settings, without := map[string]string{"start_time": "-3d", "count_check": "off"}, 0
	inBubble(t, settings, func(h *simHost) { without = play(h) })
	settings["count_check"] = "auto"
	inBubble(t, settings, func(h *simHost) {
		require.LessOrEqual(t, play(h), without+20)
		require.NotContains(t, h.logged(), "are not believed")
		require.NotContains(t, h.logged(), "than it exports")
		require.Less(t, len(h.counts()), 20, "polls are not counted any more")
		require.Equal(t, 1, count(h.logged(), "polls are not compared with counts for a day"))
		h.requireAll()
	})
}

// What the endpoint forgets between an answer and its count is no disagreement, and neither is a footer.
func TestWhatOnlyLooksLikeAWrongCount(t *testing.T) {
	for name, c := range map[string]struct {
		start  string
		crowd  time.Duration // ago
		change func(*exportertest.Answers)
	}{
		"expires": {"-90d", 90 * day, func(a *exportertest.Answers) { a.Count.Latency = 4 * time.Second }},
		"footer":  {"-20d", 19 * day, func(a *exportertest.Answers) { a.LastLine = "total: %d rows" }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"start_time": c.start}, func(h *simHost) {
				h.crowd(3000, h.now().Add(-c.crowd), time.Hour)
				h.server.SetAnswers(c.change)
				h.start()
				h.liveFor(30)
				require.NotContains(t, h.logged(), "believed")
				require.NotContains(t, h.logged(), "again and again")
				require.Greater(t, len(h.counts()), 10)
			})
		})
	}
}

// A witness costs an honest endpoint at most one small request a minute.
func TestAWitnessCostsAnHonestEndpointLittle(t *testing.T) {
	const minutes = 24 * 60
	play := func(h *simHost) int {
		h.start()
		for minute := range minutes {
			h.happen(minute % 20)
			h.happenLate(minute%3, time.Duration(minute%8)*time.Minute)
			time.Sleep(time.Minute)
		}
		time.Sleep(10 * time.Minute)
		h.requireCopies(0)
		require.Empty(h.t, h.statusesOf(schema.StatusCountMismatch))
		require.Less(h.t, len(h.counts()), minutes+20)
		return len(h.exports())
	}
	settings := map[string]string{"status_events": "on", "reconcile_interval": "6h", "count_check": "off"}
	without, with := 0, 0
	inBubble(t, settings, func(h *simHost) { without = play(h) })
	settings["count_check"] = "auto"
	inBubble(t, settings, func(h *simHost) {
		with = play(h)
		require.Greater(t, len(h.counts()), minutes*9/10)
		require.NotContains(t, h.logged(), "believed")
		require.NotContains(t, h.logged(), "by another time")
	})
	require.LessOrEqual(t, float64(with), 1.02*float64(without))
	t.Logf("%d export requests instead of %d", with, without)
}
