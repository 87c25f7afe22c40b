package e2e

import (
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// With checkpoint_lock wait a second process stands by: it asks nothing and answers nothing, takes over when the first
// one is killed, and no event is lost.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(200)...)
		r := newRig(t, h, s.url)
		stop := s.live(t, 0)
		first := r.start(t)
		first.until(20*time.Second, "the past events", func() bool { return r.lines(t) >= 200 })

		second := *r
		second.inputs = []map[string]string{maps.Clone(r.inputs[0])}
		second.set("checkpoint_lock", "wait")
		standby := second.start(t)
		standby.until(10*time.Second, "standing by", standby.logged("stands by until that ends"))
		before := r.lines(t)
		first.until(10*time.Second, "the first to go on", func() bool { return r.lines(t) > before+10 })
		standby.alive()

		first.kill()
		killed := time.Now()
		before = r.lines(t)
		standby.until(30*time.Second, "events after the kill", func() bool { return r.lines(t) > before })
		t.Logf("first event %s after the kill", time.Since(killed).Round(time.Millisecond))
		stop()
		standby.until(20*time.Second, "every event", func() bool {
			missing, _ := compare(s.Events(), r.records(t, 10_000))
			return len(missing) == 0
		})

		standby.stop()
		require.NotContains(t, r.log(t), "panic")
	})
}

// A standby ends at once when it is asked to, and leaves the first one and its storage alone. Before 4.1 it goes on
// waiting, since Fluent Bit would start without the input.
func TestStandbyEndsWhenAskedTo(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		if old(h) {
			t.Skip("before 4.1 only SIGKILL ends it")
		}
		s := newSource(t, past(200)...)
		r := newRig(t, h, s.url)
		stop := s.live(t, 0)
		first := r.start(t)
		first.until(20*time.Second, "the past events", func() bool { return r.lines(t) >= 200 })
		for n, asked := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			second := *r
			second.inputs = []map[string]string{maps.Clone(r.inputs[0])}
			second.set("checkpoint_lock", "wait")
			standby := second.start(t)
			standby.until(10*time.Second, "standing by", func() bool {
				return strings.Count(r.log(t), "stands by until that ends") > n
			})
			standby.signal(asked)
			signaled := time.Now()
			standby.wait(5 * time.Second)
			t.Logf("ended %s after the signal: %v", time.Since(signaled).Round(time.Millisecond), standby.err)
			before := r.lines(t)
			first.until(10*time.Second, "the first to go on", func() bool { return r.lines(t) > before+10 })
		}
		stop()
		first.until(20*time.Second, "every event", func() bool {
			missing, _ := compare(s.Events(), r.records(t, 10_000))
			return len(missing) == 0
		})
		first.stop()
		requireEach(t, s.Events(), r.records(t, 0))
		require.Contains(t, r.log(t), "was asked to end while it stood by")
	})
}
