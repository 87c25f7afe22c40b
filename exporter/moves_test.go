package exporter

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
)

// rewind moves the checkpoint back, as a person does while Fluent Bit is stopped, and returns to where.
func (h *simHost) rewind(to time.Time, reason string) time.Time {
	h.t.Helper()
	move, err := moves.Rewind(h.settings["checkpoint_path"], to, reason, time.Now())
	require.NoError(h.t, err)
	return move.To
}

func (h *simHost) forward(to time.Time, reason string) checkpoint.Move {
	h.t.Helper()
	move, err := moves.Forward(h.settings["checkpoint_path"], to, reason, true, time.Now())
	require.NoError(h.t, err)
	return move
}

func (h *simHost) state() checkpoint.State {
	h.t.Helper()
	origin := checkpoint.Source{Endpoint: h.settings["endpoint"]}
	state, found, err := checkpoint.Read(h.settings["checkpoint_path"], origin)
	require.NoError(h.t, err)
	require.True(h.t, found)
	return state
}

// requireHours checks that the digests in the checkpoint are those of all events.
func (h *simHost) requireHours(hidden func(exportertest.Event) bool) {
	h.t.Helper()
	state := h.state()
	hours, err := dedup.LoadHours(state.Hours, state.Through)
	require.NoError(h.t, err)
	want := make(map[int64]dedup.Digest)
	for _, e := range h.server.Events() {
		if hour := dedup.HourOf(e.Time); !hidden(e) && !e.Time.After(state.Through) {
			want[hour] = want[hour].Plus(dedup.DigestOf(dedup.PublishedID([]byte(e.ID))))
		}
	}
	for hour, d := range want {
		require.Equal(h.t, d, hours.Of(hour), time.Unix(hour*3600, 0).UTC())
	}
}

// countStatus says how many different status events of a kind came, by their id.
func (h *simHost) countStatus(kind schema.Kind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make(map[any]bool)
	for _, e := range h.delivered {
		if statusOf(h.t, schema.Raw, e.Record) == kind {
			ids[e.Record["event_id"]] = true
		}
	}
	return len(ids)
}

// requireEachOnce is requireOnce where status events come too.
func (h *simHost) requireEachOnce() {
	h.t.Helper()
	times := h.arrived()
	for _, e := range h.server.Events() {
		require.Equal(h.t, 1, times[e.ID], "event %s of %s, log:\n%s", e.ID, e.Time, h.logged())
	}
}

func days(t *testing.T, settings map[string]string, test func(h *simHost)) {
	all := map[string]string{
		"status_events": "on", "reconcile_interval": "1h", "reconcile_window": "6h", "deep_reconcile_interval": "2h",
	}
	for key, value := range settings {
		all[key] = value
	}
	inBubble(t, all, func(h *simHost) {
		h.settings["start_time"] = h.now().Add(20*time.Minute - 3*day).Format(time.RFC3339)
		h.spread(800, 3*day-20*time.Minute, 0, nil)
		h.start()
		time.Sleep(10 * time.Minute)
		h.liveFor(130) // passes of both kinds
		time.Sleep(2 * time.Minute)
		h.requireEachOnce()
		test(h)
	})
}

// What happened since arrives again, once, and what happened before does not; reconciliation of both kinds finds
// nothing, no gap is told, and the hours are those of before.
func TestWhatHappenedSinceARewindIsSentAgain(t *testing.T) {
	for name, back := range map[string]time.Duration{
		"hours that reconciliation reads": 4 * time.Hour,
		"hours of deep reconciliation":    30 * time.Hour,
		"before the collection began":     80 * time.Hour,
		"the hour, or little more":        time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			days(t, nil, func(h *simHost) {
				h.shutdown()
				before, was := len(h.server.Events()), h.state().Through
				to := h.rewind(h.now().Add(-back), "the index of May was deleted")
				h.start()
				time.Sleep(10 * time.Minute)
				h.liveFor(200)
				time.Sleep(2 * time.Minute)
				times := h.arrived()
				for i, e := range h.server.Events() {
					want := 1
					if i < before && !e.Time.Before(to) {
						want = 2
					}
					require.Equal(t, want, times[e.ID], "event %d of %s, rewound to %s", i, e.Time, to)
				}
				require.Zero(t, h.e.Stats().Reconciled, h.logged())
				late := h.e.Stats().Lateness
				within := late.AtMost[slices.Index(figures.Bounds(), 60)]
				require.Equal(t, late.Count(), within, "nothing appeared late")
				require.Equal(t, 1, h.countStatus(schema.StatusRewound))
				for _, kind := range []schema.Kind{
					schema.StatusRetentionGap, schema.StatusCheckpointReset, schema.StatusReconciled,
					schema.StatusCountMismatch, schema.StatusRefetched,
				} {
					require.Zero(t, h.countStatus(kind), kind)
				}
				require.Contains(t, h.logged(), "moved back by hand from "+was.Truncate(time.Second).Format(time.RFC3339))
				require.Contains(t, h.logged(), ": the index of May was deleted")
				h.shutdown()
				h.requireHours(func(exportertest.Event) bool { return false })
				require.Empty(t, h.state().Moves, "it was told and passed")
				require.Zero(t, h.state().Floor)
				require.True(t, h.verify(VerifyOptions{}).Proved(), h.verify(VerifyOptions{}).String())
			})
		})
	}
}

// The minutes that reconciliation compares count what was sent again once, so that what appears late there is found.
func TestReconciliationFindsWhatIsLateAfterARewind(t *testing.T) {
	days(t, map[string]string{"deep_reconcile_interval": "0"}, func(h *simHost) {
		h.shutdown()
		h.rewind(h.now().Add(-90*time.Minute), "again")
		e := h.server.Events()[len(h.server.Events())-200] // in a minute that has others
		h.server.Add(exportertest.Event{
			ID: "late", Time: e.Time.Add(time.Millisecond), Action: "login", Visible: h.now().Add(40 * time.Minute),
		})
		h.start()
		h.liveFor(130)
		require.Equal(t, 1, h.arrived()["late"])
		require.EqualValues(t, 1, h.e.Stats().Reconciled, h.logged())
	})
}

// Killed at any moment after a rewind, nothing is lost: everything since arrives again, and the status event has one
// id.
func TestKillsAfterARewindLoseNothing(t *testing.T) {
	days(t, map[string]string{"batch_bytes": "64K"}, func(h *simHost) {
		h.shutdown()
		known := len(h.server.Events())
		to := h.rewind(h.now().Add(-20*time.Hour), "again")
		h.delivered = nil
		for i := range 25 {
			h.start()
			time.Sleep(time.Duration(i) * 131 * time.Millisecond)
			h.kill()
		}
		h.start()
		time.Sleep(10 * time.Minute)
		h.liveFor(150)
		times := h.arrived()
		for i, e := range h.server.Events() {
			if i < known && e.Time.Before(to) {
				require.Zero(t, times[e.ID], "event of %s, rewound to %s", e.Time, to)
			} else if e.Time.Before(h.now().Add(-2 * time.Minute)) {
				require.NotZero(t, times[e.ID], "event of %s, rewound to %s", e.Time, to)
			}
		}
		require.Equal(t, 1, h.countStatus(schema.StatusRewound))
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		time.Sleep(2 * time.Minute) // what happened last is read, and safe
		h.shutdown()
		h.requireHours(func(exportertest.Event) bool { return false })
	})
}

// Rewound again and again, before a start and while the first is not read through.
func TestRewindsFollowOneAnother(t *testing.T) {
	days(t, nil, func(h *simHost) {
		h.shutdown()
		known := len(h.server.Events())
		h.rewind(h.now().Add(-5*time.Hour), "first")
		to := h.rewind(h.now().Add(-9*time.Hour), "second")
		h.delivered = nil
		h.start()
		time.Sleep(3 * time.Second)
		h.kill()
		_, err := moves.Rewind(h.settings["checkpoint_path"], h.now().Add(time.Hour), "late", time.Now())
		require.ErrorIs(t, err, moves.ErrNotAllowed)
		h.start()
		time.Sleep(10 * time.Minute)
		h.liveFor(150)
		for i, e := range h.server.Events() {
			if i < known && !e.Time.Before(to) {
				require.NotZero(t, h.arrived()[e.ID])
			}
		}
		require.Equal(t, 2, h.countStatus(schema.StatusRewound))
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
	})
}

// A version that knows nothing of moves ignores the new fields: it sends a little more, and loses nothing, also of what
// appears late in the hours that it counts twice.
func TestAnEarlierVersionThatReadsARewoundCheckpointLosesNothing(t *testing.T) {
	days(t, nil, func(h *simHost) {
		h.shutdown()
		known := len(h.server.Events())
		to := h.rewind(h.now().Add(-20*time.Hour), "again")
		file, err := checkpoint.Open(h.settings["checkpoint_path"], checkpoint.Source{Endpoint: h.settings["endpoint"]})
		require.NoError(t, err)
		state, _ := file.State()
		state.Floor, state.Moves, state.Overlap = time.Time{}, nil, 0
		require.NoError(t, file.Save(state))
		require.NoError(t, file.Close())
		late := exportertest.Event{
			ID: "late", Time: to.Add(-3 * time.Minute), Action: "login", Visible: h.now().Add(30 * time.Minute),
		}
		h.server.Add(late)
		h.delivered = nil
		h.start()
		time.Sleep(10 * time.Minute)
		h.liveFor(400)
		for i, e := range h.server.Events() {
			if i < known && !e.Time.Before(to) {
				require.NotZero(t, h.arrived()[e.ID])
			}
		}
		require.NotZero(t, h.arrived()["late"])
		require.Zero(t, h.countStatus(schema.StatusRewound))
		time.Sleep(2 * time.Minute) // what happened last is read, and safe
		h.shutdown()
		h.requireHours(func(exportertest.Event) bool { return false })
	})
}

// What had been handed over before a rewind is no gap when the endpoint has forgotten it by the time of the start.
func TestARewindMakesNoGap(t *testing.T) {
	days(t, nil, func(h *simHost) {
		h.shutdown()
		time.Sleep(80 * day)
		h.rewind(h.now().Add(-82*day), "again")
		time.Sleep(9 * day)
		h.start()
		time.Sleep(30 * time.Minute)
		require.Zero(t, h.countStatus(schema.StatusRetentionGap), h.logged())
		require.WithinDuration(t, h.now(), h.through(), 2*time.Minute)
	})
}

// What is left out by hand stays out: neither polls nor reconciliation of both kinds collect it, what appears late
// elsewhere is found, and the report says why hours are not compared.
func TestWhatIsLeftOutByHandStaysOut(t *testing.T) {
	for name, away := range map[string]time.Duration{"a short gap": 25 * time.Minute, "a long one": 20 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			days(t, nil, func(h *simHost) {
				h.shutdown()
				h.happenLate(3, away+3*time.Hour)
				h.spread2(400, away)
				time.Sleep(away + 10*time.Minute)
				move := h.forward(h.now().Add(-10*time.Minute), "load test")
				h.start()
				time.Sleep(10 * time.Minute)
				h.liveFor(120)
				h.kill()
				h.start()
				h.liveFor(360)
				hidden := func(e exportertest.Event) bool { return e.Time.After(move.From) && e.Time.Before(move.To) }
				times, out := h.arrived(), 0
				for _, e := range h.server.Events() {
					switch {
					case hidden(e):
						require.Zero(t, times[e.ID], "%s at %s", e.ID, e.Time)
						out++
					case e.Time.Before(h.now().Add(-2 * time.Minute)):
						require.NotZero(t, times[e.ID], "%s at %s", e.ID, e.Time)
					}
				}
				require.Greater(t, out, 350)
				require.Equal(t, 1, h.countStatus(schema.StatusGapAccepted))
				require.Zero(t, h.e.Stats().Reconciled, h.logged())
				h.shutdown()
				require.Len(t, h.state().Moves, 1, "it is kept as long as the endpoint has the stretch")
				r := h.verify(VerifyOptions{})
				require.True(t, r.Proved(), r.String())
				require.Contains(t, r.String(), "not compared: left out by hand: load test")
				require.Greater(t, len(statesOf(r, verify.Same)), 60)
				time.Sleep(100 * day)
				h.start()
				time.Sleep(30 * time.Minute)
				h.shutdown()
				require.Empty(t, h.state().Moves)
			})
		})
	}
}

// spread2 adds n events over the coming stretch.
func (h *simHost) spread2(n int, over time.Duration) {
	begin := h.now().Add(time.Second)
	h.server.Add(exportertest.Generate(77, n, begin, begin.Add(over-2*time.Second))...)
}

// What is read again after a rewind was left out no longer.
func TestARewindTakesBackWhatWasLeftOut(t *testing.T) {
	days(t, nil, func(h *simHost) {
		h.shutdown()
		h.spread2(100, 3*time.Hour)
		time.Sleep(3 * time.Hour)
		h.forward(h.now().Add(-time.Second), "")
		h.rewind(h.now().Add(-5*time.Hour), "a mistake")
		h.start()
		time.Sleep(10 * time.Minute)
		h.liveFor(130)
		time.Sleep(2 * time.Minute)
		h.requireAll()
		require.Zero(t, h.countStatus(schema.StatusGapAccepted))
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
	})
}

// A checkpoint goes on on another machine as if nothing had happened, with the events that a destination refuses.
func TestACheckpointGoesOnElsewhere(t *testing.T) {
	days(t, nil, func(h *simHost) {
		h.shutdown()
		old := h.settings["checkpoint_path"]
		file, err := checkpoint.OpenExisting(old)
		require.NoError(t, err)
		aside, err := file.OpenAside()
		require.NoError(t, err)
		_, err = aside.Keep(checkpoint.Refused{EventID: "refused", Msgpack: []byte{0x81, 1, 2}, Record: []byte(`{"a":1}`)})
		require.NoError(t, err)
		require.NoError(t, file.Close())
		var doc bytes.Buffer
		_, err = moves.Export(&doc, old, "test", time.Now())
		require.NoError(t, err)

		path := filepath.Join(t.TempDir(), "elsewhere.json")
		damaged := bytes.Replace(doc.Bytes(), []byte(`minutes\": \"`), []byte(`minutes\": \"A`), 1)
		require.NotEqual(t, doc.Bytes(), damaged)
		_, err = moves.Import(bytes.NewReader(damaged), path, false, false, time.Now())
		require.ErrorIs(t, err, moves.ErrDamaged)
		require.NoFileExists(t, path)
		got, err := moves.Import(bytes.NewReader(doc.Bytes()), path, false, false, time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, got.Refused)
		require.FileExists(t, path+".refused.jsonl")
		require.NoError(t, os.Remove(path+".refused.jsonl")) // this test's event is no record
		h.settings["checkpoint_path"] = path
		h.start()
		h.liveFor(150)
		time.Sleep(2 * time.Minute)
		h.requireEachOnce()
		require.Zero(t, h.e.Stats().Reconciled)
		require.Equal(t, 1, h.countStatus(schema.StatusStarted), "it did not begin anew")
	})
}
