package exporter

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// inPair runs test with two instances in one process.
func inPair(t *testing.T, test func(a, b *simHost)) {
	t.Helper()
	inBubble(t, nil, func(a *simHost) {
		fleet.looked = time.Time{} // bubbles have clocks of their own
		b := &simHost{t: a.t, settings: map[string]string{}}
		for key, value := range a.settings {
			b.settings[key] = value
		}
		b.settings["checkpoint_path"] += ".b"
		b.server = exportertest.New(exportertest.Options{APIKey: "key", Clock: b.now})
		defer b.kill()
		a.start()
		b.start()
		test(a, b)
	})
}

const notCalled = "the engine has not called the input with checkpoint_path "

func TestAnInstanceThatIsNoLongerCalledIsToldByTheOther(t *testing.T) {
	inPair(t, func(a, b *simHost) {
		a.happen(5)
		b.happen(7)
		time.Sleep(2 * time.Minute)
		require.NotContains(t, a.logged()+b.logged(), notCalled)

		b.setSilent(true)
		time.Sleep(silenceLimit - time.Second)
		require.NotContains(t, a.logged(), notCalled)
		time.Sleep(lookInterval + 2*time.Second)
		require.Contains(t, a.logged(), notCalled+b.settings["checkpoint_path"])
		require.Contains(t, a.logged(), "Use storage.type filesystem without mem_buf_limit, and restart")
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, count(a.logged(), notCalled), "once")

		b.setSilent(false)
		time.Sleep(time.Minute)
		b.setSilent(true)
		time.Sleep(time.Minute)
		require.Equal(t, 2, count(a.logged(), notCalled), "it was called in between")
		b.setSilent(false)
		time.Sleep(2 * time.Minute)
		require.NotContains(t, b.logged(), notCalled)
		a.requireOnce()
		b.requireOnce()
	})
}

func TestAPausedInstanceIsNotMissed(t *testing.T) {
	inPair(t, func(a, b *simHost) {
		time.Sleep(10 * time.Second)
		b.e.Pause()
		b.setSilent(true)
		time.Sleep(5 * time.Minute)
		require.NotContains(t, a.logged(), notCalled)
	})
}

func TestAnInstanceThatEndedIsNotMissed(t *testing.T) {
	inPair(t, func(a, b *simHost) {
		time.Sleep(10 * time.Second)
		b.shutdown()
		time.Sleep(5 * time.Minute)
		require.NotContains(t, a.logged(), notCalled)
		require.Len(t, fleet.members, 1)
	})
}

func TestTwoInstancesCannotShareACheckpoint(t *testing.T) {
	inPair(t, func(a, b *simHost) {
		c := &simHost{t: t, settings: a.settings, server: a.server}
		require.ErrorContains(t, c.tryStart(), "another [INPUT] of this process")
	})
}

// inFleet runs test with so many instances in one process, of organisations of their own at one endpoint.
func inFleet(t *testing.T, size int, settings map[string]string, test func(fleet []*simHost)) {
	t.Helper()
	inBubble(t, settings, func(first *simHost) {
		all := []*simHost{first}
		for n := range size - 1 {
			h := &simHost{t: first.t, settings: maps.Clone(first.settings)}
			h.settings["checkpoint_path"] += fmt.Sprint(".", n)
			h.server = exportertest.New(exportertest.Options{APIKey: "key", Clock: h.now})
			defer h.kill()
			all = append(all, h)
		}
		test(all)
	})
}

// With min_request_interval the requests of all inputs are apart, and each gets its turn: one that is refused for ever
// or is answered after a minute takes no more than its own.
func TestInputsOfOneEndpointTakeTurns(t *testing.T) {
	settings := map[string]string{"min_request_interval": "500ms", "retry_max_interval": "1s", "count_check": "off"}
	inFleet(t, 20, settings, func(fleet []*simHost) {
		fleet[0].server = exportertest.New(exportertest.Options{APIKey: "another", Clock: fleet[0].now})
		fleet[1].server.SetAnswers(func(a *exportertest.Answers) { a.Latency = time.Minute })
		fleet[2].settings["start_time"] = fleet[2].now().Add(-80 * day).Format(time.RFC3339)
		fleet[2].settings["max_window"] = "6h" // asks without a pause, 320 times
		for _, h := range fleet {
			h.happen(5)
			h.start()
		}
		time.Sleep(30 * time.Second)
		for n, h := range fleet[3:] {
			h.requireOnce()
			require.NotContains(t, h.logged(), "for its turn", n)
		}
		time.Sleep(10 * time.Minute)
		for _, h := range fleet[2:] {
			h.requireOnce()
			h.happen(5)
		}
		time.Sleep(75 * time.Second)
		for _, h := range fleet[1:] {
			h.requireOnce()
		}
		var sent []time.Time
		for _, h := range fleet {
			for _, r := range h.exports() {
				sent = append(sent, r.At)
			}
		}
		slices.SortFunc(sent, time.Time.Compare)
		for n := range sent[1:] {
			require.GreaterOrEqual(t, sent[n+1].Sub(sent[n]), 500*time.Millisecond)
		}
		require.Greater(t, len(fleet[0].exports()), 400, "what is refused takes its turns too")
	})
}

// Where the queue is long, an input is late, and says so; it does not stand still.
func TestAWaitForATurnIsNoStandstill(t *testing.T) {
	settings := map[string]string{
		"min_request_interval": "30s", "poll_interval": "1s", "stalled_after": "1m", "retry_max_interval": "1s",
		"count_check": "off", "start_time": "now",
	}
	inFleet(t, 10, settings, func(fleet []*simHost) {
		failing, well := fleet[8], fleet[9]
		for _, h := range fleet {
			h.start()
			time.Sleep(time.Second)
		}
		time.Sleep(6 * time.Minute)
		for range 4 {
			failing.server.Fail(exportertest.Fault{Status: 503})
		}
		time.Sleep(19 * time.Minute)
		require.Contains(t, failing.logged(), "failed 3 times in 10m")
		require.NotContains(t, failing.logged(), "stood still")
		for range 12 { // of a round of five minutes
			time.Sleep(30 * time.Second)
			require.True(t, well.e.instance().Ready, well.e.instance().Reason)
		}
		require.Contains(t, well.logged(), "a request waited 4m")

		well.server.SetAnswers(func(a *exportertest.Answers) { a.Latency = time.Hour }) // what takes long now is the answer
		time.Sleep(12 * time.Minute)
		require.False(t, well.e.instance().Ready)
	})
}
