package exporter

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
)

func (h *simHost) tryVerify(ctx context.Context, options VerifyOptions) (Report, error) {
	cfg, err := config.Parse(h.setting)
	require.NoError(h.t, err)
	options.endpoint = h.server.Transport()
	return Verify(ctx, cfg, options)
}

func (h *simHost) verify(options VerifyOptions) Report {
	h.t.Helper()
	report, err := h.tryVerify(context.Background(), options)
	require.NoError(h.t, err)
	return report
}

// indexed are the event_ids that arrived, as a SIEM would list them in CSV.
func (h *simHost) indexed(but ...string) string {
	var list strings.Builder
	list.WriteString("event_id\r\n")
	for id := range h.arrived() {
		if id != "" && !strings.HasPrefix(id, "status-") && !slices.Contains(but, id) {
			fmt.Fprintf(&list, "%q\r\n", id)
		}
	}
	return list.String()
}

// changeHours changes the digests in the checkpoint, whose collector must not run.
func (h *simHost) changeHours(change func(*checkpoint.State, *dedup.Hours)) {
	h.t.Helper()
	file, err := checkpoint.Open(h.settings["checkpoint_path"], checkpoint.Source{Endpoint: "https://api.example.test"})
	require.NoError(h.t, err)
	defer file.Close()
	state, _ := file.State()
	hours, err := dedup.LoadHours(state.Hours, state.Through)
	require.NoError(h.t, err)
	state.Hours = nil
	change(&state, hours)
	require.NoError(h.t, file.Save(state))
}

// statesOf are the hours of a report that are in a state.
func statesOf(r Report, state verify.State) (hours []verify.Hour) {
	for _, hour := range r.Hours {
		if hour.State == state {
			hours = append(hours, hour)
		}
	}
	return hours
}

func overDays(t *testing.T, test func(h *simHost)) {
	inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
		h.settings["start_time"] = h.now().Add(20*time.Minute - 3*day).Format(time.RFC3339)
		h.spread(2000, 3*day-20*time.Minute, 0, nil)
		h.start()
		time.Sleep(10 * time.Minute)
		h.requireCopies(0)
		test(h)
	})
}

func TestVerifyFindsWhatTheSIEMLost(t *testing.T) {
	overDays(t, func(h *simHost) {
		var lost []string
		for i := 100; i < 600; i += 100 {
			lost = append(lost, h.server.Events()[i].ID)
		}
		var missing strings.Builder
		var emitted []string
		emit := func(event []byte) error {
			id, _ := records.Events(t, event)[0].Record["event_id"].(string)
			emitted = append(emitted, id)
			return nil
		}
		list := strings.NewReader(h.indexed(lost...) + "\nforeign-1\n'foreign-2'\n")
		r := h.verify(VerifyOptions{IDs: list, Missing: &missing, Emit: emit})
		require.ElementsMatch(t, lost, emitted)
		require.ElementsMatch(t, lost, strings.Fields(missing.String()), r.String())
		require.Equal(t, 5, r.Missing)
		require.Equal(t, 2, r.Extra)
		require.Equal(t, []string{"foreign-1", "foreign-2"}, r.ExtraIDs)
		require.Equal(t, 2000-5+2, r.Listed)
		require.False(t, r.Proved())
		require.Empty(t, statesOf(r, verify.Differs), "all were handed over:\n%s", r.String())
		require.Contains(t, r.String(), "missing 5 (exported, not in the list), extra 2 (in the list, not exported)")
		require.Contains(t, r.String(), "extra: foreign-1")
		require.Contains(t, r.String(), "1 missing from the list")
		_, isSeeker := any(pipe{}).(interface {
			Seek(int64, int) (int64, error)
		})
		require.False(t, isSeeker)
		r = h.verify(VerifyOptions{IDs: pipe{strings.NewReader(h.indexed() + "foreign-1\n")}})
		require.Equal(t, 1, r.Extra)
		require.Empty(t, r.ExtraIDs, "a pipe is read once")
		require.Zero(t, r.Missing)
	})
}

// pipe is a reader and no more.
type pipe struct{ list *strings.Reader }

func (p pipe) Read(b []byte) (int, error) { return p.list.Read(b) }

// Beside a collector that runs nothing is wrong, while late events come and are reconciled too.
func TestVerifyWorksBesideACollector(t *testing.T) {
	settings := map[string]string{
		"start_time": "-1d", "reconcile_interval": "1h", "reconcile_window": "12h", "overlap": "2m",
	}
	inBubble(t, settings, func(h *simHost) {
		h.spread(500, day, 0, nil)
		h.start()
		time.Sleep(5 * time.Minute)
		for range 6 {
			h.happenLate(2, 20*time.Minute)
			h.liveFor(60)
			time.Sleep(70 * time.Minute) // a pass has been
			r := h.verify(VerifyOptions{IDs: strings.NewReader(h.indexed())})
			require.True(t, r.Proved(), r.String())
			require.Greater(t, len(statesOf(r, verify.Same)), 20)
			require.Empty(t, r.CountsFailed)
		}
		h.requireAll()
	})
}

func TestVerifyTellsADigestThatDiffers(t *testing.T) {
	overDays(t, func(h *simHost) {
		h.shutdown()
		at := time.Now().UTC().Add(-30 * time.Hour).Truncate(time.Hour)
		h.changeHours(func(s *checkpoint.State, hours *dedup.Hours) {
			hours.Apply(nil, map[int64]dedup.Digest{
				dedup.HourOf(at):                dedup.DigestOf(77),
				dedup.HourOf(at) + 5:            dedup.DigestOf(1).Minus(dedup.DigestOf(2)),
				dedup.HourOf(at) + 6:            dedup.DigestOf(1),
				dedup.HourOf(at.Add(-20 * day)): dedup.DigestOf(1),
			})
			s.Hours = hours.Store()
		})
		r := h.verify(VerifyOptions{})
		differ := statesOf(r, verify.Differs)
		require.Len(t, differ, 3, r.String())
		require.Equal(t, at, differ[0].Start)
		require.Equal(t, differ[0].Exported+1, differ[0].Collected)
		require.Equal(t, differ[1].Exported, differ[1].Collected, "the sum alone")
		require.Contains(t, r.String(), "but not the same events")
		require.Contains(t, r.String(), "the export no longer shows all of them")
		require.False(t, r.Proved())
		r = h.verify(VerifyOptions{From: at.Add(time.Hour), To: at.Add(5 * time.Hour)})
		require.True(t, r.Proved(), r.String())
		require.Len(t, r.Hours, 4)
	})
}

func TestVerifyKnowsSilentLimits(t *testing.T) {
	for _, newest := range []bool{false, true} {
		inBubble(t, map[string]string{"start_time": "-2d", "count_check": "off"}, func(h *simHost) {
			h.server.Add(exportertest.Generate(1, 20_000, h.now().Add(-2*day), h.now())...)
			h.start()
			time.Sleep(10 * time.Minute)
			h.requireOnce()
			h.limitSilently(1000, newest)
			list := h.indexed()
			h.kill()
			r := h.verify(VerifyOptions{IDs: strings.NewReader(list)})
			require.True(t, r.Proved(), r.String())
			require.Equal(t, 20_000, r.Exported)
		})
	}
}

func TestVerifyNeverTakesPartForAll(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-5h", "count_check": "off"}, func(h *simHost) {
		at := h.now().UTC().Add(-3 * time.Hour).Truncate(time.Hour).Add(time.Minute)
		for i := range 300 {
			h.server.Add(exportertest.Event{ID: fmt.Sprintf("crowd-%d", i), Time: at, Action: "login"})
		}
		h.crowd(300, at.Add(time.Second), 100*time.Minute)
		h.start()
		time.Sleep(10 * time.Minute)
		list := h.indexed()
		h.kill()
		h.changeHours(func(s *checkpoint.State, hours *dedup.Hours) { s.Hours, s.RowLimit = hours.Store(), 100 })
		h.limitSilently(100, false)
		r := h.verify(VerifyOptions{IDs: strings.NewReader(list)})
		unread := statesOf(r, verify.Unread)
		require.NotEmpty(t, unread, r.String())
		require.Len(t, unread, 3, "the hour, and those around it, which are read with a margin:\n%s", r.String())
		require.Equal(t, at.Truncate(time.Hour), unread[1].Start, r.String())
		require.False(t, r.Proved())
	})
}

func TestVerifyKnowsWhatItCannotCompare(t *testing.T) {
	overDays(t, func(h *simHost) {
		through := h.through()
		r := h.verify(VerifyOptions{})
		require.Equal(t, "the collection began later, or within the hour", r.Hours[0].Reason)
		require.Equal(t, "the collection has not passed the end of this hour", r.Hours[len(r.Hours)-1].Reason, r.String())
		require.Contains(t, r.Hours[len(r.Hours)-2].Reason, "younger than overlap")
		require.Len(t, statesOf(r, verify.NotCompared), 3, r.String())

		at := through.UTC().Add(-20 * time.Hour).Truncate(time.Hour)
		r = h.verify(VerifyOptions{From: at.Add(20 * time.Minute), To: at.Add(4*time.Hour + 10*time.Minute)})
		require.Len(t, r.Hours, 5)
		require.True(t, r.Proved())
		require.Len(t, statesOf(r, verify.Same), 3, r.String())
		require.Equal(t, "only a part of the hour was asked for", r.Hours[0].Reason)
		require.Equal(t, "only a part of the hour was asked for", r.Hours[4].Reason)
		inside := 0
		for _, e := range h.server.Events() {
			if !e.Time.Before(at.Add(20*time.Minute)) && e.Time.Before(at.Add(4*time.Hour+10*time.Minute)) {
				inside++
			}
		}
		require.Equal(t, inside, r.Exported)

		var around strings.Builder // an hour more on each side, as whoever makes the list may be generous
		for _, e := range h.server.Events() {
			if !e.Time.Before(at.Add(-30*time.Minute)) && e.Time.Before(at.Add(5*time.Hour)) {
				fmt.Fprintln(&around, e.ID)
			}
		}
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit, a.RowLimitWith = 20, exportertest.TooMany413 })
		r = h.verify(VerifyOptions{
			From: at.Add(20 * time.Minute), To: at.Add(4*time.Hour + 10*time.Minute), IDs: strings.NewReader(around.String()),
		})
		require.True(t, r.Proved(), r.String())
		require.Greater(t, r.Listed, inside)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit = 0 })

		r = h.verify(VerifyOptions{From: time.Now().Add(-95 * day), To: time.Now().Add(-89 * day)})
		require.Equal(t, "older than what the endpoint keeps", r.Hours[0].Reason)
		edge, reasons := time.Now().UTC().Add(-90*day), make(map[string]int)
		for _, hour := range r.Hours {
			reasons[hour.Reason]++
			if hour.Reason == "older than what the endpoint keeps" {
				require.False(t, hour.Start.Add(time.Hour).After(edge), "an hour of which it still has something")
			}
		}
		require.Equal(t, 3, reasons["at the edge of what the endpoint keeps"], r.String())
		require.Empty(t, statesOf(r, verify.Unread))
		require.Contains(t, r.String(), "Nothing could be compared.")
		require.False(t, r.Proved(), "nothing proves nothing")
		_, err := h.tryVerify(context.Background(), VerifyOptions{From: at, To: at})
		require.ErrorContains(t, err, "there is nothing to verify")

		h.shutdown()
		h.changeHours(func(*checkpoint.State, *dedup.Hours) {}) // as an earlier version wrote it
		r = h.verify(VerifyOptions{IDs: strings.NewReader(h.indexed())})
		require.Empty(t, statesOf(r, verify.Same))
		require.Contains(t, r.String(), "collected by an earlier version, which kept no digests")
		require.Zero(t, r.Missing, "the list is compared all the same")
		require.Zero(t, r.Extra)

		require.NoError(t, os.Remove(h.settings["checkpoint_path"]))
		id := h.server.Events()[40].ID
		r = h.verify(VerifyOptions{From: through.Add(-4 * day), IDs: strings.NewReader(h.indexed(id))})
		require.Contains(t, r.String(), "there is no checkpoint that has begun")
		require.Equal(t, 1, r.Missing)
		require.NoFileExists(t, h.settings["checkpoint_path"])
	})
}

func TestVerifySaysWhatCannotBeRead(t *testing.T) {
	overDays(t, func(h *simHost) {
		h.server.Fail(exportertest.Fault{Status: 503}.Times(2)...)
		var said []string
		say := func(line string) { said = append(said, line) }
		require.True(t, h.verify(VerifyOptions{Say: say}).Proved(), "what passes is tried again")
		require.NotEmpty(t, said, "and it is said")
		require.Regexp(t, `503 .*; asks again in \d`, said[0])
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit, a.RowLimitWith = 10, exportertest.TooMany413 })
		require.True(t, h.verify(VerifyOptions{}).Proved(), "what is too much is read in halves")
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit, a.Fault = 0, exportertest.Fault{Status: 503} })
		before := len(h.exports())
		r := h.verify(VerifyOptions{})
		require.Len(t, statesOf(r, verify.Unread), len(r.Hours))
		require.Contains(t, r.String(), "could not be read: ")
		require.Contains(t, r.String(), "503")
		require.Less(t, len(h.exports())-before, 70, "an endpoint that is down is left alone")

		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_, err := h.tryVerify(ctx, VerifyOptions{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A wrong key is told at once, as by Export. What was read before a key is revoked is not thrown away.
func TestVerifyEndsAtOnceWhereItIsRefused(t *testing.T) {
	overDays(t, func(h *simHost) {
		h.shutdown()
		before, began := len(h.server.Requests()), time.Now()
		h.server.SetCredentials("another", "")
		_, err := h.tryVerify(context.Background(), VerifyOptions{Say: func(line string) { require.Fail(t, line) }})
		require.True(t, IsRefused(err), "%v", err)
		require.ErrorContains(t, err, "401")
		require.Equal(t, 1, len(h.server.Requests())-before)
		require.Less(t, time.Since(began), time.Second)
	})
	overDays(t, func(h *simHost) {
		h.shutdown()
		var after int
		revoke := func(time.Time) {
			if after == 0 {
				h.server.SetCredentials("another", "")
				after = len(h.server.Requests())
			}
		}
		r := h.verify(VerifyOptions{Progress: revoke})
		require.Greater(t, len(statesOf(r, verify.Same)), 20, r.String())
		require.Greater(t, len(statesOf(r, verify.Unread)), 20)
		require.Contains(t, r.String(), "401")
		require.False(t, r.Proved())
		require.Equal(t, 1, len(h.server.Requests())-after, "the rest would be refused as well")
	})
}

// Events that may still be on their way are no loss, and no proof either.
func TestVerifyTellsWhatIsTooYoungToBeMissed(t *testing.T) {
	overDays(t, func(h *simHost) {
		now := h.now().UTC()
		for i := range 7 {
			at := now.Add(-time.Minute * time.Duration(i+1))
			h.server.Add(exportertest.Event{ID: fmt.Sprintf("young-%d", i), Time: at, Action: "login"})
		}
		young := []string{"young-0", "young-1", "young-2", "young-3", "young-4", "young-5", "young-6"}
		time.Sleep(time.Minute)
		r := h.verify(VerifyOptions{From: time.Now().Add(-9 * time.Minute), IDs: strings.NewReader("")})
		require.Equal(t, 7, r.Exported, r.String())
		require.Equal(t, 7, r.TooYoung)
		require.Zero(t, r.Missing)
		require.False(t, r.Proved(), "an empty list proves nothing")
		require.Contains(t, r.String(), "Nothing could be compared.")
		require.Contains(t, r.String(), "7 events younger than overlap (10m): not compared\n")

		// A moment that is old enough, but in which nothing happened, makes no proof of the rest.
		alone := VerifyOptions{From: time.Now().Add(-11 * time.Minute), Alone: true, IDs: strings.NewReader("")}
		require.False(t, h.verify(alone).Proved())
		// What cannot be read any more is compared with nothing.
		alone.From, alone.To = time.Now().Add(-95*day), time.Now().Add(-94*day)
		require.False(t, h.verify(alone).Proved())

		r = h.verify(VerifyOptions{IDs: strings.NewReader(h.indexed(young...))})
		require.True(t, r.Proved(), r.String())
		require.Equal(t, 7, r.TooYoung)
		require.Contains(t, r.String(), "7 events younger than overlap (10m): not compared\n")
		require.Regexp(t, `compared:  digests of \d\d of \d\d hours; SIEM list: yes; the endpoint's count: yes`, r.String())

		h.shutdown()
		time.Sleep(2 * time.Hour) // the collection stands
		// A stretch without any event, and a list without any id, are the same.
		alone.From, alone.To = time.Now().Add(-time.Hour), time.Now().Add(-30*time.Minute)
		r = h.verify(alone)
		require.Zero(t, r.Exported)
		require.True(t, r.Proved(), r.String())

		h.server.Add(exportertest.Event{ID: "later", Time: time.Now().Add(-time.Hour), Action: "login"})
		r = h.verify(VerifyOptions{To: time.Now()})
		require.Equal(t, "the collection has not passed the end of this hour", r.Hours[len(r.Hours)-2].Reason, r.String())
		require.Contains(t, r.String(), "8 events younger than overlap (10m), or than what was collected, up to ")
	})
}

func TestVerifyComparesWithTheCount(t *testing.T) {
	overDays(t, func(h *simHost) {
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off = 1 })
		r := h.verify(VerifyOptions{})
		require.Positive(t, r.Disagreeing)
		require.Contains(t, r.String(), "the endpoint counts ")
		require.False(t, r.Proved())
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off, a.Count.Status = 0, 404 })
		r = h.verify(VerifyOptions{})
		require.True(t, r.Proved(), "no count is no difference")
		require.Contains(t, r.String(), "count:     not compared: GET /audit-log: 404 Not Found")
		require.Contains(t, r.String(), "SIEM list: no; the endpoint's count: no\n")
	})
}
