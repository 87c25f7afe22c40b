package plan

import (
	"slices"
	"time"
)

// Clock tells the server's present from the Date headers of its answers. No single answer decides: a broken
// node, a proxy or a cache may send any Date, once, for an hour or for ever.
//
//   - At the start one Date is believed if the local clock bears it out, and otherwise only when quorum
//     answers over quorumTime agree with one another.
//   - Later a Date that is near what is believed moves it. One that is far off, ahead or behind,
//     changes nothing until all answers have agreed on it for clockTrust, or until a second one does
//     and the local clock bears it out.
//   - At the start, answers that contradict one another for clockTrust leave the choice to the local clock.
//   - A Date of before this log can have existed is none, nor one of the next century, nor one more than
//     a day off while the local clock bears out what is believed.
//   - What was passed under a clock that is given up for an earlier one must be read again: see Again.
//   - What is noted as read goes no further than the earliest of the last Dates, nor than the least
//     that was believed since the last jump: see Safe.
//
// The time between answers is measured by the monotonic clock. A Clock is for one goroutine; its zero value
// goes by the local clock.
type Clock struct {
	base    time.Time       // the local clock at the first observation, with its monotonic reading
	offset  time.Duration   // believed, of the server's clock from the local one as it went on since base
	settled bool            // offset was learnt
	spans   []span          // what was believed, each further ahead than the one before; the last is believed now
	recent  []time.Duration // offsets of the last quorum answers that had a Date, the newest last
	began   time.Time       // when the first of them came that agree with the newest one
	agreed  int             // how many those are
	before  time.Time       // when the last answer came that does not, or the first of all
	latest  time.Time       // when the last answer came that had a Date
	again   time.Time       // see Again
	behind  time.Duration   // see Resume
	passed  time.Time       // likewise
	resumed time.Time       // when, by the local clock
}

const (
	quorum     = 5                // so many answers that agree are believed at the start …
	quorumTime = 30 * time.Second // … if they came over so long a time
	clockJump  = time.Minute      // Dates that are no further apart agree
	clockTrust = 10 * time.Minute // for so long all must agree on another clock than the one believed
	clockSane  = 24 * time.Hour   // further off the local clock than this no Date counts, once the two agreed
	clockDrift = 2 * time.Second  // between two answers is no step
	mostSpans  = 16               // that are kept apart
)

// span is a time without a jump ahead.
type span struct {
	since time.Time     // by the local clock
	most  time.Duration // the offset up to which was passed, less what a slow drift took from it
	least time.Duration // the least offset that was believed in it
}

// firstDate is long before there was anything to export: an earlier Date is that of a machine without a clock.
var firstDate = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// lastDate is beyond all that this program can see: a later Date (9999 stands for "never") is no clock's.
var lastDate = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// Observe notes the Date header of an answer, of an error too; zero means that it had none. It returns how far the
// server's clock is from the local one by this answer.
func (c *Clock) Observe(date time.Time) (ahead time.Duration) {
	if date.Before(firstDate) || date.After(lastDate) {
		return 0
	}
	now := time.Now()
	if c.base.IsZero() {
		c.base, c.latest = now, now
	}
	offset := date.Sub(c.local(now))
	if c.settled && c.offset.Abs() <= clockJump && offset.Abs() > clockSane {
		return date.Sub(now.Round(0))
	}
	if c.agreed == 0 || (offset-c.recent[len(c.recent)-1]).Abs() > clockJump {
		c.began, c.before, c.agreed = now, c.latest, 0
	}
	c.latest = now
	c.agreed++
	c.recent = append(c.recent, offset)
	if len(c.recent) > quorum {
		c.recent = slices.Delete(c.recent, 0, 1)
	}
	c.judge(now, offset)
	return date.Sub(now.Round(0))
}

// judge decides what the newest answer changes.
func (c *Clock) judge(now time.Time, offset time.Duration) {
	near := (offset - c.offset).Abs() <= clockJump
	lasted := now.Sub(c.began)
	switch {
	case near:
		c.believe(now, offset)
	case !c.settled && c.agreed >= quorum && lasted >= quorumTime:
		c.believe(now, offset)
	case c.settled && (lasted >= clockTrust || borneOut(offset) && c.agreed >= 2):
		c.believe(now, offset)
	case !c.settled && c.contradicted(now):
		c.believe(now, 0)
	}
}

// contradicted reports whether answers have contradicted one another since the first of them, and still do: behind one
// name there may be servers with different clocks.
func (c *Clock) contradicted(now time.Time) bool {
	return now.Sub(c.base) >= clockTrust && len(c.recent) == quorum && c.agreed == 1 && now.After(firstDate)
}

// borneOut reports whether the local clock agrees.
func borneOut(offset time.Duration) bool { return offset.Abs() <= clockJump }

// believe goes by another offset from now on, and ends the spans that were further ahead.
func (c *Clock) believe(now time.Time, offset time.Duration) {
	since, near := now, (offset-c.offset).Abs() <= clockJump
	for len(c.spans) > 0 && c.last().most > offset+clockJump {
		switch {
		case near && len(c.spans) == 1: // Dates of a cache, a minute old: nothing was ahead
		case borneOut(c.last().most) && !borneOut(offset):
			since = Earlier(since, Later(c.last().since, c.before)) // until then the local clock bore the answers out
		default:
			since = Earlier(since, c.last().since)
		}
		c.spans = c.spans[:len(c.spans)-1]
	}
	if since.Before(now) {
		again := c.local(since).Add(offset).UTC().Round(0)
		if c.again.IsZero() || again.Before(c.again) {
			c.again = again
		}
	}
	switch {
	case len(c.spans) == 0 && borneOut(offset):
		c.push(span{since, min(offset, 0), min(offset, 0)})
	case len(c.spans) == 0 || offset > c.last().least+clockJump:
		c.push(span{since, offset, offset})
	default:
		c.last().lower(offset)
	}
	c.offset, c.settled = offset, true
}

// lower notes that offset was believed.
func (s *span) lower(offset time.Duration) {
	if offset < s.most && s.most-offset <= clockDrift {
		s.most = offset // otherwise a drift would in the end put all that was ever passed in doubt
	}
	s.least = min(s.least, offset)
}

func (c *Clock) last() *span { return &c.spans[len(c.spans)-1] }

// push begins a span. When there are too many, the second begins when the first did: too much is read again, not too
// little.
func (c *Clock) push(s span) {
	c.spans = append(c.spans, s)
	if len(c.spans) > mostSpans {
		c.spans[1].since = c.spans[0].since
		c.spans = slices.Delete(c.spans, 0, 1)
	}
}

// local is the local clock at a moment, as it went on since base: steps of the wall clock do not count.
func (c *Clock) local(at time.Time) time.Time { return c.base.Add(at.Sub(c.base)) }

// Known reports whether an answer has told the server's time.
func (c *Clock) Known() bool { return len(c.recent) > 0 }

// Settled reports whether the server's time is learnt, so that a beginning can be decided by it.
func (c *Clock) Settled() bool { return c.settled }

// Now is the server's present as it is believed. A Date header is cut to whole seconds, so this is not ahead of the
// server's own clock.
func (c *Clock) Now() time.Time {
	now := time.Now()
	if c.base.IsZero() {
		return now.UTC().Round(0)
	}
	return c.local(now).Add(c.offset).UTC().Round(0)
}

// Beginning is the present to count from when a collection begins: the earlier of Now and the local clock if they are
// less than a day apart, so that a clock that is a little ahead does not skip what happened just now.
func (c *Clock) Beginning() time.Time {
	if c.offset < 0 || c.offset > clockSane {
		return c.Now()
	}
	return c.Now().Add(-c.offset)
}

// Resume tells a clock that has observed nothing how far the server's was behind the local one when the process before
// it ended, see Behind, and which time of it had passed: zero = not known. Until the server's time is learnt, Safe goes
// by that as well. The local clock may have been put right meanwhile: then it is behind by hardly anything any more.
func (c *Clock) Resume(behind time.Duration, passed time.Time) {
	c.behind, c.passed, c.resumed = min(behind, clockSane), passed, time.Now()
}

// Behind is by how much Safe is behind the local clock, in whole seconds; 0 if by hardly anything. Whoever goes on from
// what was noted as read, and is told no time, must not take the local clock for the server's.
func (c *Clock) Behind() time.Duration {
	behind := time.Now().Round(0).Sub(c.Safe())
	if behind <= clockDrift {
		return 0
	}
	return (behind + time.Second - 1).Truncate(time.Second)
}

// Safe is the earliest of Now, of what the last answers told, and of the least that was believed since the
// last jump: what is read up to there is read, whichever of them is right. At most clockJump is read twice
// because of the last. Until the server's time is learnt, it is no later than what the last process knew either.
func (c *Clock) Safe() time.Time {
	now := c.Now()
	if !c.settled {
		known := Later(time.Now().Add(-c.behind).UTC().Round(0), c.passed.Add(time.Since(c.resumed)))
		now = Earlier(now, known)
	}
	if len(c.recent) == 0 {
		return now
	}
	least := slices.Min(c.recent)
	if len(c.spans) > 0 {
		least = min(least, c.last().least)
	}
	return Earlier(now, c.local(time.Now()).Add(least).UTC().Round(0))
}

// Unsure returns since when, by the local clock, a clock has been believed that is ahead of the local one;
// zero = it is not. A process that goes on from what was noted as read meanwhile must read from there again
// if the clock that it believes is behind that.
func (c *Clock) Unsure() time.Time {
	for _, s := range c.spans {
		if s.most > clockJump {
			return s.since.Round(0).UTC()
		}
	}
	return time.Time{}
}

// FromLocal returns what the server's clock said at a moment of the local one, by the clock that is believed now.
func (c *Clock) FromLocal(at time.Time) time.Time { return at.Add(c.offset).UTC() }

// Again returns, once, the moment from which everything must be read again because a clock that was ahead has
// been given up: the moment, by the clock that is believed now, when the wrong one was adopted. Zero means
// that there is none.
func (c *Clock) Again() time.Time {
	again := c.again
	c.again = time.Time{}
	return again
}
