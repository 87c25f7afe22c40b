package exporter

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

const longName = 1 << 20 // bytes

// An id of megabytes does not push out what the line is about, and a key in it is redacted before it is cut.
func TestAnIDOfMegabytesIsCutInTheLog(t *testing.T) {
	key := "Wb-0123456789abcdefghij"
	long := strings.Repeat("x", longName)
	for _, id := range []string{long, long[:110] + key + long} {
		inBubble(t, map[string]string{"api_key": key}, func(h *simHost) {
			h.server.SetCredentials(key, "")
			h.start()
			h.liveWith(1)
			h.server.Add(exportertest.Event{ID: id, Time: h.now(), Action: "login"})
			h.liveFor(2)
			h.server.Add(exportertest.Event{ID: id, Time: h.now(), Action: "logout"})
			h.liveFor(2)
			require.Contains(t, h.logged(), "came again with other content; both versions are forwarded (said at most every ")
			require.NotContains(t, h.logged(), key[:5])
			requireShortLines(t, h)
		})
	}
}

func requireShortLines(t *testing.T, h *simHost) {
	t.Helper()
	for line := range strings.Lines(h.logged()) {
		require.Less(t, len(line), 4<<10)
	}
}

// Columns of any number and length leave a line that says what is new and what is gone.
func TestColumnsWithoutEndAreCutInTheLog(t *testing.T) {
	extra := []string{strings.Repeat("x", 8000)}
	for n := range 200 {
		extra = append(extra, strings.Repeat("y", 70)+strconv.Itoa(n))
	}
	inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
		h.start()
		h.liveWith(3)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Extra = extra })
		h.liveWith(3)
		require.Contains(t, h.logged(), " and 181 more; gone none; new columns are forwarded under their own names")
		requireShortLines(t, h)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusColumnsChanged])
	})
}

// An event whose time has nothing to do with the window that it is in was not late: no overlap would help.
func TestATimeOfLongAgoIsNoLateness(t *testing.T) {
	for _, year := range []int{1, 1971, 1999, 2999} {
		inBubble(t, nil, func(h *simHost) {
			h.start()
			h.liveWith(3)
			h.server.Add(exportertest.Event{
				ID: "odd", Time: time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), Action: "login", Filed: h.now(), Visible: h.now(),
			})
			h.liveFor(3)
			require.Equal(t, 1, h.arrived()["odd"])
			require.NotContains(t, h.logged(), "after it happened")
			require.Less(t, h.e.Stats().Lateness.Sum, 600.0)
		})
	}
}
