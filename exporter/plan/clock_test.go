package plan

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// inBubble runs the test in fake time, which begins in the year 2000: before firstDate.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(2 * 366 * 24 * time.Hour)
		test(t)
	})
}

// observe lets an answer with a Date this far from the local clock come each step.
func observe(c *Clock, ahead, step time.Duration, times int) {
	for range times {
		time.Sleep(step)
		c.Observe(time.Now().Add(ahead).Truncate(time.Second))
	}
}

func requireAhead(t *testing.T, c *Clock, ahead time.Duration) {
	t.Helper()
	require.WithinDuration(t, time.Now().Add(ahead), c.Now(), 2*time.Second)
}

func TestClockIsNeverAheadOfTheServer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		require.Zero(t, c.Observe(time.Time{}))
		requireAhead(t, &c, 0)
		require.False(t, c.Known())
		observe(&c, time.Hour, 8*time.Second, quorum)
		require.True(t, c.Known())
		requireAhead(t, &c, time.Hour)
		require.False(t, c.Now().After(time.Now().Add(time.Hour)))
		c.Observe(time.Time{})
		requireAhead(t, &c, time.Hour)
	})
}

func TestClockAtTheStart(t *testing.T) {
	for name, test := range map[string]struct {
		observe func(c *Clock)
		settled bool
		ahead   time.Duration
	}{
		"borne out by the local clock": {
			func(c *Clock) { observe(c, -10*time.Second, time.Second, 1) }, true, -10 * time.Second,
		},
		"one that is not": {func(c *Clock) { observe(c, -40*time.Hour, time.Second, 1) }, false, 0},
		"many at once":    {func(c *Clock) { observe(c, -40*time.Hour, time.Second, 20) }, false, 0},
		"a quorum over time": {
			func(c *Clock) { observe(c, -40*time.Hour, 8*time.Second, quorum) }, true, -40 * time.Hour,
		},
		"wrong first, then right": {func(c *Clock) {
			observe(c, -40*time.Hour, 8*time.Second, quorum-1)
			observe(c, 0, time.Second, 1)
		}, true, 0},
		"a different one each time": {func(c *Clock) {
			for n := range 9 {
				observe(c, time.Duration(n+1)*time.Hour, time.Minute, 1)
			}
		}, false, 0},
		"a different one each time, for long": {func(c *Clock) {
			for n := range 20 {
				observe(c, time.Duration(n+1)*time.Hour, time.Minute, 1)
			}
		}, true, 0},
		"two in turn, for long": {func(c *Clock) {
			for n := range 40 {
				observe(c, time.Duration(n%2*2-1)*time.Hour, 30*time.Second, 1)
			}
		}, true, 0},
		"one that was wrong, and another after an outage": {func(c *Clock) {
			observe(c, -40*time.Hour, time.Hour, 1)
			observe(c, 30*time.Hour, 8*time.Second, quorum)
		}, true, 30 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var c Clock
				test.observe(&c)
				require.Equal(t, test.settled, c.Settled())
				requireAhead(t, &c, test.ahead)
			})
		})
	}
}

// A settled clock follows small steps at once, and large ones in both directions only when all answers have agreed on
// them for long; Safe heeds each of the last answers.
func TestClockThatIsSettled(t *testing.T) {
	for _, jump := range []time.Duration{2 * time.Hour, -2 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var c Clock
				observe(&c, 0, time.Minute, 10)
				observe(&c, jump, time.Minute, 1)
				requireAhead(t, &c, 0)
				require.WithinDuration(t, time.Now().Add(min(jump, 0)), c.Safe(), 2*time.Second)
				observe(&c, 0, time.Minute, quorum)
				require.WithinDuration(t, time.Now(), c.Safe(), 2*time.Second)
				observe(&c, jump, time.Minute, 10)
				requireAhead(t, &c, 0)
				observe(&c, jump, time.Minute, 2)
				requireAhead(t, &c, jump)
				observe(&c, jump+30*time.Second, time.Minute, 1)
				requireAhead(t, &c, jump+30*time.Second)
			})
		})
	}
}

// A Date that cannot be the server's is none: before there was a log, or days off while the local clock and
// the server agree.
func TestClockIgnoresWhatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		c.Observe(time.Unix(0, 0))
		require.False(t, c.Known())
		require.Zero(t, c.Observe(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))
		require.False(t, c.Known())
		observe(&c, 0, time.Minute, 1)
		observe(&c, 48*time.Hour, time.Minute, 60)
		requireAhead(t, &c, 0)
		observe(&c, -48*time.Hour, time.Minute, 60)
		requireAhead(t, &c, 0)
		require.WithinDuration(t, time.Now(), c.Safe(), 2*time.Second)
	})
}

// A beginning is not later than either clock says, unless they are days apart.
func TestClockAtTheBeginning(t *testing.T) {
	for ahead, want := range map[time.Duration]time.Duration{
		5 * time.Minute: 0, -5 * time.Minute: -5 * time.Minute,
		48 * time.Hour: 48 * time.Hour, -48 * time.Hour: -48 * time.Hour,
	} {
		inBubble(t, func(t *testing.T) {
			var c Clock
			observe(&c, ahead, 8*time.Second, quorum)
			require.WithinDuration(t, time.Now().Add(want), c.Beginning(), 2*time.Second, ahead)
		})
	}
}

// What was passed under a clock that was ahead is read again, from when it was adopted.
func TestClockThatWasAhead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		observe(&c, 5*time.Minute, 8*time.Second, quorum)
		adopted := time.Now()
		observe(&c, 5*time.Minute, time.Minute, 60)
		require.True(t, c.Again().IsZero())
		observe(&c, 0, time.Minute, 1)
		requireAhead(t, &c, 5*time.Minute)
		observe(&c, 0, time.Minute, 1) // the local clock bears it out
		requireAhead(t, &c, 0)
		require.WithinDuration(t, adopted, c.Again(), 2*time.Second)
		require.True(t, c.Again().IsZero(), "once")
	})
}

// However often a clock that was ahead has jumped, what was passed since its first jump is read again.
func TestClockThatWasAheadMoreThanOnce(t *testing.T) {
	for name, jumps := range map[string][]time.Duration{
		"more":     {2 * time.Hour, 5 * time.Hour},
		"less":     {5 * time.Hour, 2 * time.Hour},
		"creeping": {50 * time.Second, 100 * time.Second, 150 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var c Clock
				observe(&c, 0, time.Minute, 60)
				right := time.Now()
				for _, jump := range jumps {
					observe(&c, jump, time.Minute, 30)
				}
				c.Again()
				observe(&c, 0, time.Minute, 2)
				requireAhead(t, &c, 0)
				again := c.Again()
				require.WithinDuration(t, right, again, 45*time.Minute)
				require.False(t, again.Before(right), "what was passed under the right clock is not in doubt")
			})
		})
	}
}

// Spans that are merged because there are too many lose nothing of what is in doubt.
func TestClockKeepsFewSpans(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		observe(&c, 2*time.Hour, time.Minute, quorum)
		first := time.Now()
		for n := range 3 * mostSpans {
			observe(&c, time.Duration(n+3)*time.Hour, time.Minute, 12)
			require.LessOrEqual(t, len(c.spans), mostSpans)
		}
		observe(&c, 0, time.Minute, 2)
		require.WithinDuration(t, first, c.Again(), 2*time.Second)
	})
}

// Dates that are a little ahead move what is safe no further than the local clock, or the server's as it was, allows.
func TestClockIsSafeFromSmallSteps(t *testing.T) {
	for _, usual := range []time.Duration{0, 2 * time.Hour} {
		inBubble(t, func(t *testing.T) {
			var c Clock
			observe(&c, usual, time.Minute, quorum)
			observe(&c, usual+50*time.Second, time.Minute, 60)
			requireAhead(t, &c, usual+50*time.Second)
			require.WithinDuration(t, time.Now().Add(usual), c.Safe(), 2*time.Second)
		})
	}
	inBubble(t, func(t *testing.T) {
		var c Clock
		observe(&c, 50*time.Second, time.Minute, 60)
		require.WithinDuration(t, time.Now(), c.Safe(), 2*time.Second, "from the start on")
	})
}

// Answers that are behind put in doubt only what was passed since they began, if the local clock bore out the others.
func TestClockThatFallsBehind(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		observe(&c, 0, time.Minute, 3000)
		began := time.Now()
		observe(&c, -2*time.Hour, time.Minute, 12)
		requireAhead(t, &c, -2*time.Hour)
		require.WithinDuration(t, began.Add(-2*time.Hour), c.Again(), 2*time.Second)
	})
}

// A drift, however far it leads, puts nothing in doubt.
func TestClockThatDrifts(t *testing.T) {
	for _, drift := range []time.Duration{-50 * time.Millisecond, 50 * time.Millisecond} {
		inBubble(t, func(t *testing.T) {
			var c Clock
			for n := range 10_000 {
				observe(&c, 30*time.Second+time.Duration(n)*drift, time.Minute, 1)
				require.True(t, c.Again().IsZero(), n)
			}
			requireAhead(t, &c, 30*time.Second+10_000*drift)
			require.WithinDuration(t, c.Now(), c.Safe(), clockJump+2*time.Second)
		})
	}
}

// Dates that come from a cache, and so are up to two minutes old, put next to nothing in doubt.
func TestClockWithStaleDates(t *testing.T) {
	for _, usual := range []time.Duration{0, 2 * time.Hour} {
		inBubble(t, func(t *testing.T) {
			var c Clock
			observe(&c, usual, time.Minute, 3000)
			for _, age := range []time.Duration{30, 61, 90, 120, 80, 40, 0, 40, 80, 120, 60, 0} {
				observe(&c, usual-age*time.Second, time.Minute, 1)
				if again := c.Again(); !again.IsZero() {
					require.WithinDuration(t, time.Now().Add(usual), again, 15*time.Minute)
				}
			}
		})
	}
}
