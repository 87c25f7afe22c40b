package exporter

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

// The figures say what happened, in the order in which it happens to a collection.
func TestFigures(t *testing.T) {
	settings := map[string]string{"start_time": "-10d", "stalled_after": "10m", "reconcile_interval": "6h"}
	inBubble(t, settings, func(h *simHost) {
		began := h.now()
		h.server.Add(exportertest.Generate(1, 500, began.Add(-10*day), began)...)
		h.prepare = func(e *Exporter) {
			require.False(t, e.Stats().Up, "nothing was asked yet")
			require.Zero(t, e.Stats().LastSuccess)
		}
		h.start()
		h.prepare = nil
		s := h.e.Stats()
		require.InDelta(t, (10 * day).Seconds(), s.LagSeconds, 1)
		require.InDelta(t, (80 * day).Seconds(), s.RetentionLeftSeconds, 1)
		require.Equal(t, 600., s.OverlapSeconds)
		time.Sleep(1500 * time.Millisecond)
		s = h.e.Stats()
		require.True(t, s.Backfill)
		require.Less(t, s.BackfillRatio, 1.01)
		require.NotZero(t, s.WaitingBatches, "the engine has not had time to store anything")

		time.Sleep(3 * time.Minute)
		s = h.e.Stats()
		require.True(t, s.Up)
		require.False(t, s.Backfill)
		require.Zero(t, s.WaitingBatches)
		require.EqualValues(t, 500, s.Records)
		require.Greater(t, s.HandedOver, int64(500*50))
		require.Zero(t, s.Lateness.Count(), "nobody knows when events of a backfill appeared")
		require.NotZero(t, s.Outcomes[figures.OK])
		require.NotZero(t, s.Outcomes[figures.Empty])
		require.Positive(t, s.WindowSeconds)
		require.InDelta(t, float64(began.Unix()), s.LastEvent, 3600)
		require.InDelta(t, float64(h.now().Unix()), s.LastSuccess, 61)
		require.InDelta(t, float64(h.now().Unix()), s.LastCommit, 62)
		require.InDelta(t, 181, s.CredentialAgeSeconds, 5, "since it was used first")

		h.lateFigures()
		h.failingFigures()
	})
}

// lateFigures is about an event in time, one that is late and one that only reconciliation finds.
func (h *simHost) lateFigures() {
	now := h.now()
	h.server.Add(
		exportertest.Event{ID: "in-time", Time: now, Action: "login", Filed: now, Visible: now},
		exportertest.Event{ID: "late", Time: now, Action: "login", Filed: now, Visible: now.Add(5 * time.Minute)},
		exportertest.Event{ID: "later", Time: now, Action: "login", Filed: now, Visible: now.Add(time.Hour)},
	)
	time.Sleep(20 * time.Minute)
	s := h.e.Stats()
	require.EqualValues(h.t, 2, s.Lateness.Count())
	require.EqualValues(h.t, 1, s.Lateness.AtMost[0], "the one in time")
	require.InDelta(h.t, 300, s.Lateness.Sum, 61)
	require.NotZero(h.t, s.Duplicates, "the overlap is read again")
	time.Sleep(7 * time.Hour)
	s = h.e.Stats()
	require.EqualValues(h.t, 3, s.Lateness.Count())
	require.InDelta(h.t, 900, s.Lateness.Sum, 61, "one more, by the overlap")
	require.EqualValues(h.t, 1, s.Reconciled)
}

// failingFigures is about requests that fail, and a pause.
func (h *simHost) failingFigures() {
	was := h.e.Stats()
	h.server.Fail(exportertest.Fault{Status: http.StatusServiceUnavailable}, exportertest.Fault{Status: 413})
	h.server.Fail(exportertest.Fault{Status: http.StatusUnauthorized}.Times(200)...)
	time.Sleep(30 * time.Minute)
	s := h.e.Stats()
	require.False(h.t, s.Up)
	require.True(h.t, s.Stalled)
	require.Equal(h.t, was.Outcomes[figures.Retried]+1, s.Outcomes[figures.Retried])
	require.Equal(h.t, was.Outcomes[figures.Shrunk]+1, s.Outcomes[figures.Shrunk])
	require.Greater(h.t, s.Outcomes[figures.Refused], was.Outcomes[figures.Refused]+2)
	require.InDelta(h.t, float64(h.now().Add(-30*time.Minute).Unix()), s.LastSuccess, 61)
	require.False(h.t, s.Held)
	h.e.Pause()
	require.True(h.t, h.e.Stats().Held)
	h.e.Resume()
}

// What is answered at status_listen follows the collection: ready after the first answer, not when it stands still, and
// alive all the while.
func TestHealthOfAnInstance(t *testing.T) {
	settings := map[string]string{
		"start_time": "-3d", "stalled_after": "10m", "engine_input": "audit", "reconcile_interval": "6h",
	}
	inBubble(t, settings, func(h *simHost) {
		h.server.Add(exportertest.Generate(1, 300, h.now().Add(-3*day+time.Hour), h.now().Add(-time.Hour))...)
		h.wrap = func(next http.RoundTripper) http.RoundTripper { // the first answer is not there at once
			var first sync.Once
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				first.Do(func() { time.Sleep(time.Second) })
				return next.RoundTrip(r)
			})
		}
		h.start()
		in := h.e.instance()
		require.True(t, in.Alive)
		require.False(t, in.Ready)
		require.Equal(t, "no request has been answered yet", in.Reason)
		time.Sleep(25*time.Hour + 30*time.Second) // between polls
		in = h.e.instance()
		require.Equal(t, "audit", in.Name)
		require.True(t, in.Alive && in.Ready, in.Reason)
		require.Nil(t, in.LastError)
		require.Nil(t, in.Backfill)
		require.True(t, in.From.Before(in.Through))
		require.EqualValues(t, 300, in.Proof.Events)
		require.Greater(t, in.Proof.Hours, 40)
		require.InDelta(t, h.now().Unix(), in.Proof.Reconciled.Unix(), 6.1*3600)
		require.NotZero(t, in.Proof.Windows["framed"])
		require.True(t, in.NextTry.After(time.Now()))

		h.server.Fail(exportertest.Fault{Status: http.StatusServiceUnavailable}.Times(500)...)
		time.Sleep(20 * time.Minute)
		in = h.e.instance()
		require.True(t, in.Alive, "a restart heals no source")
		require.False(t, in.Ready)
		require.Contains(t, in.Reason, "stalled: GET /audit-log/export: 503")
		require.Equal(t, "retried", in.LastError.Outcome)
		require.Equal(t, "server", in.LastError.Cause)
		require.Greater(t, in.LastError.Failures, 3)
		require.True(t, in.NextTry.After(time.Now()))

		h.setSilent(true)
		time.Sleep(2 * time.Minute)
		in = h.e.instance()
		require.False(t, in.Alive)
		require.Contains(t, in.Reason, "Fluent Bit has not called the input for ")
	})
}

// Of what goes on failing the log says each change once, with the number of failures, the next try, and the recovery.
func TestFailuresAreToldOnce(t *testing.T) {
	inBubble(t, map[string]string{"retry_max_interval": "1m"}, func(h *simHost) {
		h.start()
		time.Sleep(2 * time.Minute)
		h.server.Fail(exportertest.Fault{Status: http.StatusServiceUnavailable}.Times(5)...)
		h.server.Fail(exportertest.Fault{Status: http.StatusUnauthorized}.Times(40)...)
		time.Sleep(12 * time.Minute)
		h.server.Heal()
		log := h.logged()
		require.Equal(t, 1, count(log, "503 INTERNAL_SERVER_ERROR"), log)
		require.Equal(t, 1, count(log, "failed 6 times in "), log)
		require.Contains(t, log, "; asks again in ")
		require.LessOrEqual(t, count(log, "401 "), 3, log)
		time.Sleep(time.Hour)
		require.Equal(t, 1, count(h.logged(), "the endpoint answers again after "), h.logged())
	})
}

// The first line says all that a person who looks at a run needs to know of it; level debug, what each request brought.
func TestLinesAtStartAndOfRequests(t *testing.T) {
	inBubble(t, map[string]string{"schema": "ecs", "start_time": "-2h"}, func(h *simHost) {
		h.happen(5)
		h.start()
		h.e.Verbose(true)
		time.Sleep(5 * time.Minute)
		path := h.settings["checkpoint_path"]
		require.Contains(t, h.logged(), "version dev: endpoint https://api.example.test, credential from api_key, "+
			"proxy none, schema ecs, checkpoint "+path+" begins at start_time -2h, "+
			"commit_on handoff passes events when Fluent Bit has stored or delivered them")
		require.Regexp(t, `4 asked for \S+Z – \S+Z: 5 rows, 5 new, [0-9]+ bytes, [0-9]+ ms, request id \S+`, h.logged())
		require.Regexp(t, `4 asked for \S+Z – \S+Z: 5 rows, 0 new, `, h.logged())
		h.shutdown()
		h.start()
		require.Contains(t, h.logged(), "checkpoint "+path+" goes on at ")
		h.clearLog()
		time.Sleep(5 * time.Minute)
		require.NotContains(t, h.logged(), "asked for ", "nobody wants it")
	})
}
