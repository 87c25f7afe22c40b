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
		"borne out by the local clock": {func(c *Clock) { observe(c, -10*time.Second, time.Second, 1) }, true, -10 * time.Second},
		"one that is not":              {func(c *Clock) { observe(c, -40*time.Hour, time.Second, 1) }, false, 0},
		"many at once":                 {func(c *Clock) { observe(c, -40*time.Hour, time.Second, 20) }, false, 0},
		"a quorum over time":           {func(c *Clock) { observe(c, -40*time.Hour, 8*time.Second, quorum) }, true, -40 * time.Hour},
		"wrong first, then right": {func(c *Clock) {
			observe(c, -40*time.Hour, 8*time.Second, quorum-1)
			observe(c, 0, time.Second, 1)
		}, true, 0},
		"a different one each time": {func(c *Clock) {
			for n := range 20 {
				observe(c, time.Duration(n+1)*time.Hour, time.Minute, 1)
			}
		}, false, 0},
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

// A Date that cannot be the server's is none: before there was a log, or days off while the local clock and the server
// agree.
func TestClockIgnoresWhatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var c Clock
		c.Observe(time.Unix(0, 0))
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
		5 * time.Minute: 0, -5 * time.Minute: -5 * time.Minute, 48 * time.Hour: 48 * time.Hour, -48 * time.Hour: -48 * time.Hour,
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
