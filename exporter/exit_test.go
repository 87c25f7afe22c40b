package exporter

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// stretch is a collection that ends an hour after the bubble began to live.
func stretch(more ...string) map[string]string {
	settings := map[string]string{
		"end_time": time.Date(2009, 12, 28, 23, 50, 0, 0, time.UTC).Format(time.RFC3339), "overlap": "1m",
		"exit_when_complete": "on",
	}
	for i := 0; i < len(more); i += 2 {
		settings[more[i]] = more[i+1]
	}
	return settings
}

func (h *simHost) happenInStretch() {
	h.server.Add(exportertest.Generate(1, 5, h.now().Add(-40*time.Minute), h.now().Add(-20*time.Minute))...)
}

// The process is ended once, and not before everything is delivered and committed.
func TestTheProcessEndsWhenTheStretchIsDelivered(t *testing.T) {
	inDelivery(t, stretch(), func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = 20 * time.Minute })
		h.happenInStretch()
		h.start()
		time.Sleep(10 * time.Minute)
		require.False(t, h.e.Ended(), h.logged())
		time.Sleep(time.Hour)
		require.True(t, h.e.Ended(), h.logged())
		require.False(t, h.e.Ended(), "once")
		require.Contains(t, h.logged(), "is complete; Fluent Bit ends (exit_when_complete)")
		h.requireOnce()
		h.shutdown()

		h.start() // a Job that is tried again
		time.Sleep(time.Minute)
		require.True(t, h.e.Ended(), h.logged())
	})
}

// With commit_on handoff, what is committed may still be in the storage: it is waited for.
func TestTheProcessEndsWhenTheStorageIsEmpty(t *testing.T) {
	inBubble(t, stretch(), func(h *simHost) {
		h.happenInStretch()
		var left atomic.Int64
		left.Store(2)
		h.prepare = func(e *Exporter) { e.collector.left = func() int { return int(left.Load()) } }
		h.start()
		time.Sleep(10 * time.Minute)
		require.False(t, h.e.Ended())
		require.Contains(t, h.logged(), "exit_when_complete: an output has yet to take 2 chunk files; waits for it")
		left.Store(0)
		time.Sleep(5 * time.Second)
		require.True(t, h.e.Ended(), h.logged())
		h.requireOnce()
	})
}

// A stretch that ends now is complete when nothing of it can appear late any more, and the log says when that is.
func TestAStretchThatEndsNowWaitsForTheOverlap(t *testing.T) {
	end := time.Date(2009, 12, 29, 0, 0, 0, 0, time.UTC) // when the bubble begins to live
	inBubble(t, stretch("end_time", end.Format(time.RFC3339), "overlap", "10m"), func(h *simHost) {
		require.Equal(t, end, h.now().UTC())
		h.happenInStretch()
		h.start()
		time.Sleep(9 * time.Minute)
		require.False(t, h.e.Ended(), h.logged())
		require.Equal(t, 1, strings.Count(h.logged(), "it is complete after 2009-12-29T00:10:00Z (overlap)"), h.logged())
		time.Sleep(3 * time.Minute)
		require.True(t, h.e.Ended(), h.logged())
		h.requireOnce()
	})
}

func TestTheProcessGoesOnWithoutTheSetting(t *testing.T) {
	inBubble(t, stretch("exit_when_complete", "off"), func(h *simHost) {
		h.happenInStretch()
		h.start()
		time.Sleep(time.Hour)
		require.False(t, h.e.Ended())
		require.Contains(t, h.logged(), "is complete; this instance is idle now")
	})
}

// One input that goes on keeps the process, and that is said.
func TestAnInputWithoutEndKeepsTheProcess(t *testing.T) {
	inBubble(t, stretch(), func(h *simHost) {
		h.happenInStretch()
		h.start()
		other := &simHost{t: t, server: h.server, settings: map[string]string{
			"endpoint": "https://api.example.test", "api_key": "key", "checkpoint_path": h.settings["checkpoint_path"] + "2",
		}}
		defer other.kill()
		other.start()
		time.Sleep(10 * time.Minute)
		require.False(t, h.e.Ended())
		require.False(t, other.e.Ended())
		require.Equal(t, 1, count(h.logged(), "exit_when_complete does nothing: the input with checkpoint_path "+
			other.settings["checkpoint_path"]+" has no end_time"), h.logged())
		other.kill()
		require.True(t, h.e.Ended(), "a reload took it away")
	})
}
