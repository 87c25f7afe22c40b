package exporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
)

// statusRecords are the status events of a kind that arrived, in their order.
func (h *simHost) statusRecords(kind string) (list []map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.delivered {
		if event.Record["status"] == kind {
			list = append(list, event.Record)
		}
	}
	return list
}

// lastHours are the digests of hours as the manifest says them, by what a SIEM would ask for: the highest revision.
func (h *simHost) lastHours() (digests map[int64]string, revisions map[int64]uint64) {
	digests, revisions = make(map[int64]string), make(map[int64]uint64)
	for _, r := range h.statusRecords("hour") {
		at, err := time.Parse(time.RFC3339, r["from"].(string))
		require.NoError(h.t, err)
		revision := integer(h.t, r["revision"])
		if revision >= revisions[dedup.HourOf(at)] {
			revisions[dedup.HourOf(at)] = revision
			digests[dedup.HourOf(at)] = fmt.Sprint(r["count"], " ", r["digest"])
		}
	}
	return digests, revisions
}

func integer(t *testing.T, value any) uint64 {
	var n uint64
	_, err := fmt.Sscan(fmt.Sprint(value), &n)
	require.NoError(t, err)
	return n
}

// indexedHours are the same from the events that arrived.
func (h *simHost) indexedHours() map[int64]string {
	ids, sums := make(map[string]bool), make(map[int64]dedup.Digest)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.delivered {
		id, _ := event.Record["event_id"].(string)
		if event.Record["record_type"] != nil || ids[id] {
			continue
		}
		ids[id] = true
		hour := dedup.HourOf(event.Time)
		sums[hour] = sums[hour].Plus(dedup.DigestOf(dedup.PublishedID([]byte(id))))
	}
	indexed := make(map[int64]string)
	for hour, d := range sums {
		indexed[hour] = fmt.Sprintf("%d %016x", d.Count, d.Sum())
	}
	return indexed
}

// The manifest says of every closed hour what arrived, and says it again when reconciliation has changed it; a crash
// makes it say nothing wrong.
func TestTheManifestIsWhatArrived(t *testing.T) {
	settings := map[string]string{
		"start_time": "-2d", "status_events": "on", "reconcile_interval": "2h", "reconcile_window": "6h",
		"deep_reconcile_interval": "4h",
	}
	inBubble(t, settings, func(h *simHost) {
		h.spread(400, 2*day, 0, nil)
		h.start()
		time.Sleep(3 * time.Minute)
		for hour := range 10 {
			h.happenLate(1, 3*time.Hour)
			h.liveFor(55)
			h.happen(2)
			if hour%4 == 3 {
				h.kill()
				h.start()
			}
			time.Sleep(5 * time.Minute)
		}
		time.Sleep(12 * time.Hour)
		h.requireAll()
		said, revisions := h.lastHours()
		indexed := h.indexedHours()
		require.Greater(t, len(indexed), 40)
		begin := dedup.HourOf(h.server.Events()[0].Time)
		for hour, want := range indexed {
			if hour > begin { // the hour in which the collection began is not whole
				require.Equal(t, want, said[hour], "hour %s", time.Unix(hour*3600, 0).UTC())
			}
		}
		again := 0
		for _, revision := range revisions {
			if revision > 1 {
				again++
			}
		}
		require.GreaterOrEqual(t, again, 8, "late events change hours that were said")
		n := len(h.statusRecords("hour"))
		h.shutdown()
		h.start()
		time.Sleep(3 * time.Hour)
		require.Len(t, h.statusRecords("hour"), n, "what was said is not said again after a restart")
	})
}

// A sign of life comes each interval, however quiet it is, and while nothing works.
func TestASignOfLifeComesEachInterval(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "now", "status_events": "on", "status_interval": "10m"}, func(h *simHost) {
		h.start()
		time.Sleep(2*time.Hour + time.Minute)
		require.Len(t, h.statusRecords("alive"), 13)
		for _, r := range h.statusRecords("alive")[1:] {
			require.LessOrEqual(t, integer(t, r["lag_seconds"]), uint64(90))
			require.Equal(t, Version, r["version"])
			require.Nil(t, r["count"], "nothing was handed over but itself: %v", r)
		}
	})
	inBubble(t, map[string]string{"start_time": "now", "status_events": "on", "status_interval": "0"}, func(h *simHost) {
		h.start()
		time.Sleep(3 * time.Hour)
		require.Empty(t, h.statusRecords("alive"))
	})
}
