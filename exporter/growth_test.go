package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// Ninety days without events take a handful of requests.
func TestNinetyEmptyDaysTakeTenRequests(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-90d"}, func(h *simHost) {
		h.start()
		time.Sleep(30 * time.Second)
		require.LessOrEqual(t, len(h.exports()), 10)
		require.Less(t, h.e.Stats().LagSeconds, 70.)
	})
}

// A window that is long after calm is left when it turns out crowded, and what is held stays as small as for a
// window of a day.
func TestACrowdAfterCalmIsReadInShortWindows(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "-40d", "batch_bytes": "64M"}, func(h *simHost) {
		now, events := h.now(), int64(0)
		for i, each := range []int{120_031, 120_019, 120_007} { // no round numbers, which would be read twice
			events += int64(each)
			begin := now.Add(time.Duration(i-5) * day)
			h.server.Add(exportertest.Generate(int64(i), each, begin, begin.Add(day))...)
		}
		h.start()
		time.Sleep(time.Minute)
		require.Equal(t, events, h.e.Stats().Records)
		rows := h.e.Stats().Rows
		require.Greater(t, rows, events+200_000, "a long window was begun")
		require.Less(t, rows, events+210_000+121_000, "and left; its rows came once more, and those of the largest")
		h.requireOnce()
	})
}

// Windows of a backfill are long: an event that the endpoint files days after it happened is in its own minute there,
// and reconciliation does not take it for one that is missing. In windows of polls it is none of any minute, and one
// that appears late is found.
func TestReconciliationKnowsHowLongWindowsWere(t *testing.T) {
	old := func(h *simHost, id string, filed time.Duration) exportertest.Event {
		return exportertest.Event{
			ID: id, Time: h.now().Add(-5 * day), Filed: h.now().Add(-filed), Action: "login",
		}
	}
	inBubble(t, map[string]string{"start_time": "-40d", "reconcile_interval": "1h"}, func(h *simHost) {
		h.server.Add(old(h, "in a long window", 2*time.Hour))
		h.start()
		time.Sleep(3 * time.Hour)
		h.shutdown()
		h.start()
		time.Sleep(3 * time.Hour)
		require.Zero(t, h.e.Stats().Reconciled, h.logged())
		h.requireOnce()
	})
	inBubble(t, map[string]string{"start_time": "-1h", "reconcile_interval": "1h"}, func(h *simHost) {
		h.start()
		time.Sleep(2 * time.Hour)
		h.server.Add(old(h, "late", 30*time.Minute))
		time.Sleep(2 * time.Hour)
		require.EqualValues(t, 1, h.e.Stats().Reconciled, h.logged())
		h.requireOnce()
	})
}
