package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// observeExactly is observe with Dates that are not cut to whole seconds.
func observeExactly(c *Clock, ahead, step time.Duration, times int) {
	for range times {
		time.Sleep(step)
		c.Observe(time.Now().Add(ahead))
	}
}

// settledAt returns a clock that has learnt that the server's is so far ahead.
func settledAt(ahead time.Duration) *Clock {
	c := new(Clock)
	observeExactly(c, ahead, 8*time.Second, quorum)
	return c
}

// clockBounds are situations at the bounds of the rules.
var clockBounds = map[string]func(t *testing.T){
	"a minute off, the two still agree, and days are no Date": func(t *testing.T) {
		c := settledAt(clockJump)
		observeExactly(c, 48*time.Hour, time.Minute, 60)
		requireAhead(t, c, clockJump)
	},
	"a day off is a Date": func(t *testing.T) {
		c := settledAt(0)
		observeExactly(c, clockSane, time.Minute, 12)
		requireAhead(t, c, clockSane)
	},
	"Dates a minute apart agree with one another": func(t *testing.T) {
		c := settledAt(0)
		observeExactly(c, 2*time.Hour, time.Minute, 6)
		observeExactly(c, 2*time.Hour+clockJump, time.Minute, 6)
		requireAhead(t, c, 2*time.Hour+clockJump)
	},
	"the last five Dates count": func(t *testing.T) {
		c := settledAt(0)
		observeExactly(c, -2*time.Hour, time.Second, 1)
		observeExactly(c, 0, time.Second, quorum-1)
		require.Equal(t, time.Now().Add(-2*time.Hour).UTC(), c.Safe())
		observeExactly(c, 0, time.Second, 1)
		require.Equal(t, time.Now().UTC(), c.Safe())
	},
	"a minute is near": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		observeExactly(c, 2*time.Hour+clockJump, time.Second, 1)
		requireAhead(t, c, 2*time.Hour+clockJump)
	},
	"a minute is borne out": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		observeExactly(c, clockJump, time.Second, 1)
		requireAhead(t, c, 2*time.Hour)
		observeExactly(c, clockJump, time.Second, 1)
		requireAhead(t, c, clockJump)
	},
	"a Date of a cache, a minute old, puts nothing in doubt": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		observeExactly(c, 2*time.Hour-30*time.Second, time.Second, 1)
		observeExactly(c, 2*time.Hour-90*time.Second, time.Second, 1)
		require.Zero(t, c.Again())
	},
	"a minute back does not end a span": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		adopted := time.Now()
		observeExactly(c, 2*time.Hour-clockJump, time.Minute, 20)
		observeExactly(c, 0, time.Second, 2)
		require.False(t, c.Again().After(adopted))
	},
	"a step back is no drift: what was passed before it stays in doubt": func(t *testing.T) {
		c := settledAt(0)
		right := time.Now()
		observeExactly(c, 90*time.Second, time.Minute, 12)
		observeExactly(c, 60*time.Second, time.Second, 1)
		observeExactly(c, 29*time.Second, time.Second, 1)
		require.WithinDuration(t, right.Add(11*time.Minute), c.Again(), 2*time.Minute)
	},
	"a drift does not end a span": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		adopted := time.Now()
		for n := range 90 {
			observeExactly(c, 2*time.Hour-time.Duration(n)*clockDrift, time.Minute, 1)
		}
		observeExactly(c, 0, time.Second, 2)
		again := c.Again()
		require.NotZero(t, again)
		require.False(t, again.After(adopted))
	},
	"a day ahead, a collection begins by the local clock": func(t *testing.T) {
		require.Equal(t, time.Now().Add(quorum*8*time.Second).UTC(), settledAt(clockSane).Beginning())
	},
	"what is not settled is safe to ask": func(t *testing.T) {
		c := new(Clock)
		observeExactly(c, -40*time.Hour, time.Second, 1)
		require.Equal(t, time.Now().Add(-40*time.Hour).UTC(), c.Safe())
	},
	"five Dates over thirty seconds are enough, far as they may be": func(t *testing.T) {
		c := new(Clock)
		observeExactly(c, 2*time.Hour, quorumTime/4, quorum-1)
		require.False(t, c.Settled())
		observeExactly(c, 2*time.Hour, quorumTime/4, 1)
		require.True(t, c.Settled())
		requireAhead(t, c, 2*time.Hour)
	},
	"ten minutes of another clock are enough": func(t *testing.T) {
		c := settledAt(0)
		observeExactly(c, 2*time.Hour, time.Second, 1)
		observeExactly(c, 2*time.Hour, clockTrust-1, 1)
		requireAhead(t, c, 0)
		c = settledAt(0)
		observeExactly(c, 2*time.Hour, time.Second, 1)
		observeExactly(c, 2*time.Hour, clockTrust, 1)
		requireAhead(t, c, 2*time.Hour)
	},
	"ten minutes of contradictions are enough": func(t *testing.T) {
		c := new(Clock)
		for n := range quorum {
			require.False(t, c.Settled())
			observeExactly(c, time.Duration(n+1)*3*time.Hour, clockTrust/(quorum-1), 1)
		}
		require.True(t, c.Settled())
		requireAhead(t, c, 0)
	},
	"a minute ahead is no jump: what was read before counts by the clock before": func(t *testing.T) {
		c := settledAt(2 * time.Hour)
		observeExactly(c, 2*time.Hour+clockJump, time.Second, quorum+1)
		require.Equal(t, time.Now().Add(2*time.Hour).UTC(), c.Safe())
	},
	"a clock that is a minute ahead is not unsure": func(t *testing.T) {
		c := settledAt(-30 * time.Second)
		observeExactly(c, clockJump, time.Second, 2)
		requireAhead(t, c, clockJump)
		require.Zero(t, c.Unsure())
		adopted := time.Now()
		c = settledAt(2 * time.Hour)
		require.WithinDuration(t, adopted, c.Unsure(), time.Minute)
	},
	"as many spans as are kept apart": func(t *testing.T) {
		c, most := settledAt(2*time.Hour), 0
		for n := range 2 * mostSpans {
			observeExactly(c, time.Duration(n+3)*time.Hour, time.Minute, 12)
			most = max(most, len(c.spans))
		}
		require.Equal(t, mostSpans, most)
	},
}

// Each bound of the clock belongs to the side that its comment says.
func TestBoundsOfTheClock(t *testing.T) {
	for name, test := range clockBounds {
		t.Run(name, func(t *testing.T) { inBubble(t, test) })
	}
}

// What is known of a local clock that was put right since does not keep the checkpoint behind for ever.
func TestALocalClockThatWasPutRightIsNotBehindForEver(t *testing.T) {
	var c Clock
	c.Resume(5*time.Hour, time.Now().Add(-time.Minute))
	require.WithinDuration(t, time.Now().Add(-time.Minute), c.Safe(), time.Second)
	require.LessOrEqual(t, c.Behind(), 62*time.Second)
	c.Resume(5*time.Hour, time.Now().Add(-9*time.Hour))
	require.WithinDuration(t, time.Now().Add(-5*time.Hour), c.Safe(), time.Second)
	c.Resume(5*time.Hour, time.Now().Add(time.Hour))
	require.False(t, c.Safe().After(time.Now()))
}
