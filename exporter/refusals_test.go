package exporter

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// only matches the events with these ids, in any schema.
func only(ids ...string) func(records.Event) bool {
	return func(e records.Event) bool { return slices.Contains(ids, idOf(e.Record)) }
}

// badEvent makes an event that happens now and returns its id.
func (h *simHost) badEvent() string {
	h.happen(1)
	all := h.server.Events()
	newest := all[0]
	for _, e := range all {
		if e.Time.After(newest.Time) {
			newest = e
		}
	}
	return newest.ID
}

func (h *simHost) asidePath() string { return h.settings["checkpoint_path"] + ".refused.jsonl" }

// aside returns the ids of the events in the file.
func (h *simHost) aside() (ids []string) {
	text, err := os.ReadFile(h.asidePath())
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(h.t, err)
	for line := range strings.Lines(string(text)) {
		var kept checkpoint.Refused
		require.NoError(h.t, json.Unmarshal([]byte(line), &kept))
		ids = append(ids, kept.EventID)
	}
	return ids
}

// requireAllBut checks that every event arrived except those.
func (h *simHost) requireAllBut(ids ...string) {
	h.t.Helper()
	times := h.arrived()
	for _, e := range h.server.Events() {
		if slices.Contains(ids, e.ID) {
			require.Zero(h.t, times[e.ID])
			continue
		}
		require.NotZero(h.t, times[e.ID], "event %s of %s is lost, log:\n%s", e.ID, e.Time, h.logged())
	}
}

// One event that the destination refuses for good must not keep the others.
func TestAnEventThatIsRefusedForGoodIsKeptAside(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(1000)
		bad := h.server.Events()[333].ID
		s.set(func(s *simEngine) { s.reject = only(bad) })
		h.start()
		time.Sleep(10 * time.Minute)
		h.happen(51)
		time.Sleep(5 * time.Minute)
		h.requireAllBut(bad)
		require.Equal(t, []string{bad}, h.aside())
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
		require.EqualValues(t, 1, h.e.Stats().SetAside)
		require.EqualValues(t, 1, h.e.Stats().Refetches, h.logged())
		s.set(func(s *simEngine) { require.Less(t, s.sent, 5*1000, "records sent") })
	})
}

// It is sent again, alone, every six hours and at each start, and the others do not wait for it.
func TestAKeptEventIsTriedAgainUntilItIsDelivered(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		h.happen(30)
		bad := h.server.Events()[3].ID
		tries := 0
		s.set(func(s *simEngine) {
			s.reject = func(e records.Event) bool {
				if refused := only(bad)(e); !refused {
					return false
				}
				tries++
				return true
			}
		})
		h.start()
		time.Sleep(10 * time.Minute)
		h.happen(10)
		time.Sleep(5 * time.Minute)
		require.Equal(t, []string{bad}, h.aside(), h.logged())
		before := tries
		time.Sleep(5 * time.Hour)
		require.Equal(t, before, tries)
		time.Sleep(time.Hour)
		require.Equal(t, before+1, tries)
		h.shutdown()
		h.start()
		time.Sleep(2 * time.Minute)
		require.Equal(t, before+2, tries)
		require.Contains(t, h.logged(), "1 events that an output refused for good are kept in ")
		require.EqualValues(t, 0, h.e.Stats().Refetches, "a trial is no doubt")
		s.set(func(s *simEngine) { s.reject = nil })
		time.Sleep(7 * time.Hour)
		require.Equal(t, 1, h.arrived()[bad])
		require.Empty(t, h.aside())
		require.Contains(t, h.logged(), "which had been refused, is delivered; it is taken out of ")
		h.happen(5)
		time.Sleep(3 * time.Minute)
		h.requireAll()
	})
}

// A destination that refuses everything, a revoked token say, refuses no event in particular.
func TestADestinationThatRefusesEverythingSetsNothingAside(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "10s"}, func(h *simHost, s *simEngine) {
		h.happen(50)
		h.start()
		time.Sleep(2 * time.Minute)
		s.set(func(s *simEngine) { s.reject, s.sent = func(records.Event) bool { return true }, 0 })
		for range 120 {
			time.Sleep(time.Minute)
			h.happen(2)
		}
		require.Empty(t, h.aside())
		s.set(func(s *simEngine) {
			require.Less(t, s.sent, 600, "records sent in two hours")
			s.reject = nil
		})
		time.Sleep(30 * time.Minute)
		h.requireOnce()
		require.Empty(t, h.aside())
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
	})
}

// Where it cannot be kept, the checkpoint does not pass it, and a crash loses nothing.
func TestAnEventThatCannotBeKeptHoldsTheCheckpoint(t *testing.T) {
	inDelivery(t, nil, func(h *simHost, s *simEngine) {
		require.NoError(t, os.WriteFile(h.asidePath(), []byte(strings.Repeat("x", checkpoint.MaxAside)+"\n"), 0o600))
		h.start()
		time.Sleep(2 * time.Minute)
		bad := h.badEvent()
		s.set(func(s *simEngine) { s.reject = only(bad) })
		stands := time.Now()
		for range 20 {
			time.Sleep(time.Minute)
			h.happen(3)
		}
		time.Sleep(5 * time.Minute)
		h.requireAllBut(bad)
		require.Less(t, h.through(), stands.Add(time.Minute))
		require.Contains(t, h.logged(), "cannot be kept aside: "+h.asidePath()+" is full (16 MiB)")
		h.kill()
		require.NoError(t, os.Remove(h.asidePath()))
		h.start()
		time.Sleep(5 * time.Minute)
		h.happen(3)
		time.Sleep(5 * time.Minute)
		require.Equal(t, []string{bad}, h.aside(), h.logged())
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute)
	})
}

// Kills while the refused event is looked for lose nothing, whatever was delivered by then.
func TestKillsWhileARefusedEventIsLookedFor(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "5s"}, func(h *simHost, s *simEngine) {
		h.happen(40)
		bad := []string{h.server.Events()[7].ID, h.server.Events()[30].ID}
		s.set(func(s *simEngine) { s.reject = only(bad...) })
		for i := range 25 {
			h.start()
			time.Sleep(time.Duration(i) * 7300 * time.Millisecond)
			h.happen(2)
			time.Sleep(time.Duration(i%7) * 310 * time.Millisecond)
			h.kill()
		}
		h.start()
		time.Sleep(15 * time.Minute)
		h.requireAllBut(bad...)
		require.ElementsMatch(t, bad, h.aside())
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
	})
}

// An output that takes nothing must not stop the others, now as ever.
func TestCareEndsWhenAnOutputTakesNothing(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "5s"}, func(h *simHost, s *simEngine) {
		h.happen(100)
		s.set(func(s *simEngine) { s.stuck, s.drop = true, 1 })
		h.start()
		time.Sleep(10 * time.Minute)
		h.happen(5)
		time.Sleep(3 * time.Minute)
		h.requireAll()
		s.set(func(s *simEngine) { s.stuck = false })
		time.Sleep(3 * time.Minute)
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
	})
}

func TestARefusedEventIsDescribedInEachSchema(t *testing.T) {
	columns, ok := event.NewColumns([]string{"event_id", "event_time", "action_name"})
	require.True(t, ok)
	at := time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)
	for _, shape := range allSchemas {
		row := &event.Row{
			Columns: columns, Time: at,
			Fields: [][]byte{[]byte("ev-1"), []byte("2026-03-04T05:06:07Z"), []byte("login")},
		}
		record := schema.New(shape, columns).Append(schema.AppendEventHeader(nil, at), row)
		kept := describe(record)
		require.Equal(t, "ev-1", kept.EventID, shape)
		require.Equal(t, at, kept.Time)
		require.Equal(t, record, kept.Msgpack)
		require.Contains(t, string(kept.Record), "login")
	}
	require.Equal(t, []byte("no msgpack"), describe([]byte("no msgpack")).Msgpack)
}

// What is refused from the first batch on, while status events wait to be handed over, is fetched again like the rest:
// handing over what waits must not take the place of going back.
func TestADestinationThatRefusesTheFirstBatchDoesNotStopTheCollection(t *testing.T) {
	inDelivery(t, map[string]string{"status_events": "on"}, func(h *simHost, s *simEngine) {
		h.happen(3000)
		s.set(func(s *simEngine) { s.reject = func(records.Event) bool { return true } })
		h.start()
		time.Sleep(30 * time.Second)
		require.NotZero(t, h.e.Stats().Refetches, h.logged())
		s.set(func(s *simEngine) { s.reject = nil })
		time.Sleep(10 * time.Minute)
		h.requireAllBut()
		require.WithinDuration(t, time.Now(), h.through(), 2*time.Minute, h.logged())
	})
}
