package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// RowCounts knows how many rows answers had, and tells those that come again: a limit that is none of round
// numbers shows by that alone. An answer with more rows clears those with fewer, since no limit lies between.
// Its zero value is ready.
type RowCounts struct {
	counts map[int]*rowCount
}

// rowCount is about the answers with one number of rows.
type rowCount struct {
	times int         // they came since there was a larger one, or since they were shown to be honest
	wait  int         // so many times make them suspect
	first plan.Window // of these times
	last  plan.Window
}

const (
	mostRowCounts = 10_000 // that are remembered
	firstWait     = 4      // times until an honest number is suspect again, then twice as many: limits can be new
)

// add notes an answer for w and reports whether it is suspect.
func (c *RowCounts) add(w plan.Window, got Reading) bool {
	rows := got.Rows
	if rows < LeastLimit {
		return false
	}
	for fewer, count := range c.counts {
		if fewer < rows {
			count.times = 0
		}
	}
	count := c.of(rows)
	if count.times == 0 {
		count.first, count.last = w, plan.Window{}
	}
	if count.last != w { // otherwise it is asked for again after a failure
		count.times++
	}
	count.last = w
	return count.times >= count.wait || count.fresh() && got.round()
}

// of returns what is known of a number of rows.
func (c *RowCounts) of(rows int) *rowCount {
	if c.counts == nil || len(c.counts) >= mostRowCounts {
		c.counts = make(map[int]*rowCount)
	}
	count := c.counts[rows]
	if count == nil {
		count = &rowCount{wait: 2}
		c.counts[rows] = count
	}
	return count
}

// Honest notes that answers with so many rows have everything.
func (c *RowCounts) Honest(rows int) {
	count := c.of(rows)
	count.times, count.wait = 0, max(firstWait, 2*count.wait)
}

// TakeFirst returns, once, where the first window begins that had so many rows, zero if none had: what its
// answer left out was not noticed when it came.
func (c *RowCounts) TakeFirst(rows int) time.Time {
	count := c.counts[rows]
	if count == nil || count.times == 0 {
		return time.Time{}
	}
	count.times = 0
	return count.first.Start
}

// fresh reports whether the number has never been shown to be honest.
func (c *rowCount) fresh() bool { return c.wait < firstWait }
