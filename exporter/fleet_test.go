package exporter

import (
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
