package handover

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What no output takes is in the engine's storage for a moment only: that it was found there proves nothing.
func TestWhatNoOutputTakesIsNotSafeInStorage(t *testing.T) {
	inFakeTime(t, func(f *stored) {
		f.facts.mute = false
		f.facts.learn(engineWith(0, 0, 0), 0)
		f.hand("batch", "")
		f.chunk("wherobots_audit.0", "batch")
		f.requireSafe(0, "nobody knows yet")
		time.Sleep(2 * time.Second)
		s := engineWith(1, 0, 0)
		s.unmatched["audit"] = 1
		f.facts.learn(s, 1)
		time.Sleep(time.Hour)
		f.requireSafe(0, "the engine has removed it")
		f.l.Pause()
		f.l.Resume()
		f.l.Pause()
		f.requireSafe(0, "not by a shutdown either")
	})
}

// That an output takes it is known from the first that was delivered; if none answers, from the time that has passed.
func TestWhenStorageIsKnownToHaveARoute(t *testing.T) {
	for name, c := range map[string]struct {
		learn func(f *stored)
		after time.Duration
	}{
		"delivered": {func(f *stored) {
			s := engineWith(1, 0, 1)
			s.routed[route{"audit", "siem"}] = 1
			f.facts.learn(s, 1)
		}, 0},
		"proved by sums": {func(f *stored) { f.facts.route(true) }, 0},
		"put off": {func(f *stored) {
			s := engineWith(1, 0, 1)
			s.outputOf("siem").retries = 1
			f.facts.learn(s, 1)
		}, 0},
		"put off, perhaps of another input": {func(f *stored) {
			s := engineWith(1, 0, 1)
			s.inputOf("cpu.1")
			s.inputs[1], s.inputs[2] = s.inputs[2], s.inputs[1] // behind the backlog are emitters
			s.outputOf("siem").retries = 1
			f.facts.learn(s, 1)
		}, routeTime},
		"nobody has tried": {func(f *stored) { f.facts.learn(engineWith(1, 0, 1), 1) }, routeTime},
		"of another input only": {func(f *stored) {
			s := engineWith(1, 0, 1)
			s.routed[route{"cpu.1", "siem"}] = 9
			f.facts.learn(s, 1)
		}, routeTime},
	} {
		t.Run(name, func(t *testing.T) {
			inFakeTime(t, func(f *stored) {
				f.facts.mute = false
				f.facts.learn(engineWith(0, 0, 0), 0)
				f.hand("batch", "")
				f.chunk("wherobots_audit.0", "batch")
				f.requireSafe(0, "nobody knows yet")
				c.learn(f)
				if c.after > 0 {
					time.Sleep(c.after - time.Nanosecond)
					f.requireSafe(0, "not yet")
					time.Sleep(time.Nanosecond)
				}
				f.requireSafe(1, name)
				f.hand("next", "")
				f.chunk("wherobots_audit.0", "next")
				f.requireSafe(2, "what follows is safe at once")
			})
		})
	}
}

// Before 4.2 the engine does not tell what no output took; the sums show it.
func TestTheSumsShowThatNoOutputTakesAnything(t *testing.T) {
	for _, found := range []bool{true, false} {
		f := new(Facts)
		f.learn(engineWith(1, 0, 0), 1)
		f.route(found)
		require.Equal(t, found, f.hasRoute(time.Now().Add(-time.Hour)))
	}
}
