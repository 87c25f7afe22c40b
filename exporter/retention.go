package exporter

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// The endpoint keeps events for source.Retention. Some such endpoints answer 400 or 422 to a window that
// begins before that, and "now minus 90 days" is before it by the time the request arrives. Such a window
// would be refused for ever.

const (
	firstSkip = time.Minute    // the first step of a beginning that is refused; each further one is twice as long
	mostSkip  = 24 * time.Hour // beyond what is kept: what is refused even there is refused for another reason
	skipAgain = time.Hour      // until steps are tried again after they did not help
)

// oldestAccepted finds the oldest beginning that the endpoint accepts. Its zero value is ready.
type oldestAccepted struct {
	from   time.Time     // the beginning that was refused; zero = none
	step   time.Duration // of the next try
	gaveUp time.Time     // when steps did not help, by the local clock
}

// next returns where to begin instead of start, which was refused at the server's present; ok is false if the age of
// start cannot be the reason.
func (o *oldestAccepted) next(start, present time.Time) (begin time.Time, ok bool) {
	kept := present.Add(-source.Retention)
	if o.from.IsZero() {
		if start.After(kept.Add(firstSkip)) || !o.gaveUp.IsZero() && time.Since(o.gaveUp) < skipAgain {
			return time.Time{}, false
		}
		o.from, o.step = start, firstSkip
	}
	begin = kept.Add(o.step).Truncate(time.Second)
	if o.step > mostSkip {
		begin, o.from, o.gaveUp = o.from, time.Time{}, time.Now()
		return begin, false
	}
	o.step *= 2
	return begin, true
}

// beginLater moves the beginning of a window that was refused because of its age, and reports whether it did.
// Nothing is skipped for good before the endpoint has accepted a later beginning: it may refuse for another
// reason.
func (c *collector) beginLater(w plan.Window, err error) bool {
	if !source.RefusesInput(err) {
		return false
	}
	searching := !c.pace.accepted.from.IsZero()
	begin, ok := c.pace.accepted.next(w.Start, c.clock.Now())
	if ok || searching {
		c.plan.SkipTo(begin)
	}
	return ok
}

// acceptedLater tells the gap when a beginning was accepted that was moved.
func (c *collector) acceptedLater(w plan.Window) {
	from := c.pace.accepted.from
	c.pace.accepted = oldestAccepted{}
	if had := c.commits.saved.state.moves.Reached(); !from.IsZero() {
		from = plan.Later(from, had) // no gap: it was handed over before a person moved the checkpoint back
	}
	if from.IsZero() || !from.Before(w.Start) {
		return
	}
	c.notices.skipped(from, w.Start)
}
