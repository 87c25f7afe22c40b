package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// remembered returns how many events and minutes the checkpoint has.
func (h *simHost) remembered() (events, minutes int) {
	state, _ := h.e.file.State()
	seen, err := dedup.LoadSeen(state.Seen)
	require.NoError(h.t, err)
	history, err := dedup.LoadHistory(state.Minutes)
	require.NoError(h.t, err)
	return seen.Count, len(history.Minutes)
}

func (h *simHost) happenIn2100(n int) {
	for i := range n {
		h.server.Add(exportertest.Event{
			ID: fmt.Sprintf("2100-%d-%d", h.now().UnixNano(), i), Action: "login", Filed: h.now(),
			Time: time.Date(2100, 1, 1, 0, i, 0, 0, time.UTC),
		})
	}
}

// An event that is dated in the far future arrives once, and is forgotten like one of its day.
func TestEventsOfTheFarFutureAreForgotten(t *testing.T) {
	inBubble(t, reconciling(nil), func(h *simHost) {
		h.start()
		for range 100 {
			h.happenIn2100(5)
			h.liveFor(5)
			events, minutes := h.remembered()
			require.LessOrEqual(t, events, 200, "a few polls")
			require.LessOrEqual(t, minutes, 6*60+10, "the reconcile_window")
		}
		time.Sleep(6 * time.Minute)
		h.shutdown()
		h.start()
		time.Sleep(6 * time.Minute)
		h.requireOnce()
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
	})
}

// A checkpoint of a version that remembered them for ever gets rid of them, and repeats nothing.
func TestACheckpointWithEventsOfTheFarFutureGetsRidOfThem(t *testing.T) {
	inBubble(t, map[string]string{"reconcile_interval": "1h", "max_window": "1h"}, func(h *simHost) {
		h.start()
		h.happen(50)
		time.Sleep(3 * time.Minute)
		h.shutdown()
		source := checkpoint.Source{Endpoint: h.settings["endpoint"]}
		file, err := checkpoint.Open(h.settings["checkpoint_path"], source)
		require.NoError(t, err)
		state, _ := file.State()
		seen, err := dedup.LoadSeen(state.Seen)
		require.NoError(t, err)
		history, err := dedup.LoadHistory(state.Minutes)
		require.NoError(t, err)
		for i := range 300 {
			at := time.Date(2100, 1, 1, 0, i, 0, 0, time.UTC)
			seen.Mark(dedup.Identity{ID: uint64(i) << 50, Content: 1}, at, 0)
			history.Minutes[dedup.MinuteOf(at)] = dedup.Digest{Count: 1}
		}
		state.Seen, state.Minutes = seen.Store(time.Unix(0, 0), 0), history.Store()
		require.NoError(t, file.Save(state))
		require.NoError(t, file.Close())

		h.start()
		time.Sleep(3 * time.Minute)
		_, minutes := h.remembered()
		require.Less(t, minutes, 60)
		state, _ = h.e.file.State()
		seen, err = dedup.LoadSeen(state.Seen)
		require.NoError(t, err)
		seen.Expire(state.Through.Add(32 * day))
		require.Zero(t, seen.Count, "nothing is remembered for longer")
		h.requireOnce()
	})
}
