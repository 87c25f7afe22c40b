package exporter

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestEveryEventArrivesOnceAndInFull(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(500)
		h.start()
		for range 10 {
			time.Sleep(time.Minute)
			h.happen(20)
		}
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		for _, event := range h.server.Events() {
			for _, got := range h.delivered {
				if got.Record["event_id"] == event.ID {
					require.Equal(t, event.Action, got.Record["action_name"])
					require.Equal(t, event.Time.UnixMicro(), got.Time.UnixMicro())
					break
				}
			}
		}
	})
}

func TestARestartGoesOnWithoutRepeating(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		for range 10 {
			h.happen(50)
			h.start()
			time.Sleep(2*time.Minute + 300*time.Millisecond)
			h.shutdown()
		}
		h.start()
		time.Sleep(time.Minute)
		h.requireOnce()
	})
}

func TestAKillLosesNothing(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		for i := range 40 {
			h.happen(30)
			h.start()
			time.Sleep(time.Duration(i) * 77 * time.Millisecond)
			h.kill()
		}
		h.start()
		time.Sleep(2 * time.Minute)
		h.requireAll()
	})
}

func TestLateEventsWithinTheOverlapArrive(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		for range 20 {
			time.Sleep(time.Minute)
			now := time.Now()
			events := exportertest.Generate(now.UnixNano(), 10, now.Add(-time.Minute), now)
			for i := range events {
				events[i].Visible = events[i].Time.Add(9 * time.Minute)
			}
			h.server.Add(events...)
		}
		time.Sleep(12 * time.Minute)
		h.requireOnce()
		require.NotZero(t, h.e.Stats().Late)
		require.Contains(t, h.logged(), "after it happened")
	})
}

func TestAFailingSaveStopsTheHandOverAndHealsWithoutLoss(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(10)
		h.start()
		time.Sleep(time.Minute)
		dir := h.settings["checkpoint_path"]
		dir = dir[:strings.LastIndexByte(dir, '/')]
		require.NoError(t, os.Rename(dir, dir+".away"))
		h.happen(10)
		time.Sleep(5 * time.Minute)
		require.Contains(t, h.logged(), "cannot be saved")
		h.happen(10)
		time.Sleep(5 * time.Minute)
		require.Less(t, len(h.arrived()), 30, "nothing is handed over that cannot be noted")
		require.NoError(t, os.Rename(dir+".away", dir))
		time.Sleep(15 * time.Minute)
		require.Contains(t, h.logged(), "can be saved again")
		h.requireAll()
	})
}

func TestAStartIsNotMovedByACrash(t *testing.T) {
	inBubble(t, map[string]string{"start_time": "now"}, func(h *simHost) {
		h.start()
		time.Sleep(500 * time.Millisecond)
		h.kill()
		time.Sleep(time.Hour)
		h.happen(100)
		h.start()
		time.Sleep(time.Minute)
		h.requireOnce()
	})
}

func TestTheCheckpointSaysWhereTheInstanceStands(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(5)
		h.start()
		time.Sleep(5 * time.Minute)
		text, err := os.ReadFile(h.settings["checkpoint_path"])
		require.NoError(t, err)
		var file struct{ Through time.Time }
		require.NoError(t, json.Unmarshal(text, &file))
		require.WithinDuration(t, time.Now(), file.Through, 70*time.Second)
	})
}

func TestABoundedCollectionEndsAndUnionsAreComplete(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(600) // ten minutes
		now := time.Now().UTC()
		edge := now.Add(-5 * time.Minute).Truncate(time.Second)
		h.server.Add(exportertest.Event{ID: "at-the-edge", Time: edge, Action: "login"})
		path := h.settings["checkpoint_path"]
		for i, part := range [][2]time.Time{{now.Add(-time.Hour), edge}, {edge, now}} {
			h.settings["start_time"], h.settings["end_time"] = part[0].Format(time.RFC3339), part[1].Format(time.RFC3339)
			h.settings["checkpoint_path"] = path + "." + strconv.Itoa(i)
			h.start()
			time.Sleep(15 * time.Minute)
			require.Contains(t, h.logged(), "is complete")
			h.shutdown()
		}
		times := h.arrived()
		require.Equal(t, 2, times["at-the-edge"], "both parts include their ends")
		delete(times, "at-the-edge")
		require.Len(t, times, 600)
		h.requireAll()
	})
}
