package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// reconciler reads again what lies behind the overlap and hands over what appeared there later than the
// overlap caught.
//
// It compares digests, minute by minute: what windows answer now with what was handed over when the
// checkpoint passed (see comparison). The events of a minute that differs are all handed over again, since a digest
// cannot say which one is new; the SIEM drops the others by event_id. What no minute can hold is compared by itself
// (see dedup.Strays).
type reconciler struct {
	cursor, until time.Time // of the pass under way; zero = none
	last          time.Time // when the last pass ended, by the server's clock
	awaited       time.Time // what had been read when a pass became due, and is to be committed first; zero = none is due
	span          time.Duration
	compared      *comparison   // what the pass has read
	attempts      int           // at the window under way
	skipped       int           // minutes of the pass that are too much for the endpoint
	found         int           // events that the pass handed over and that had been missing
	late          time.Duration // how late they were at most
}

const (
	reconcileRows     = 200_000 // of one window, about: 8 MiB of identities while it is compared
	reconcileSkips    = 10      // minutes of a pass that may be left out
	reconcileAttempts = 5       // at one window, then the pass ends until the next interval
)

// cancel ends the pass under way; it is due again at once.
func (r *reconciler) cancel() {
	r.cursor, r.until, r.attempts, r.compared = time.Time{}, time.Time{}, 0, nil
}

// reconcileDue reports whether a pass is under way, or begins one when it is time.
func (c *collector) reconcileDue() bool {
	if c.cfg.ReconcileInterval == 0 {
		return false
	}
	if !c.second.cursor.IsZero() {
		return true
	}
	if c.untilPass() > 0 {
		return false
	}
	if c.second.awaited.IsZero() {
		c.second.awaited = c.plan.Through()
	}
	// What is still on its way is in the way of a pass: it would end at the checkpoint, which may be anywhere.
	if c.commits.through().Before(plan.Earlier(c.second.awaited, c.plan.Through())) {
		return false
	}
	c.second.awaited = time.Time{}
	moves := c.commits.saved.state.moves
	oldest := moves.Behind(c.oldest())
	if !c.second.begin(oldest, c.commits.floor().Truncate(time.Minute), min(c.cfg.MaxWindow, plan.FirstWindow)) {
		return false
	}
	longest := max(c.plan.LongestOver(oldest), c.cfg.ReconcileWindow)
	c.second.compared = newComparison(oldest, c.second.until, plan.Later(oldest.Add(-longest), c.commits.from()))
	c.second.compared.moves = moves
	return true
}

// untilPass is how long it takes until a pass is due that is not under way.
func (c *collector) untilPass() time.Duration {
	now := c.clock.Now()
	last := plan.Later(c.second.last, plan.Later(c.commits.saved.state.reconciled, c.commits.from()))
	last = plan.Earlier(last, now) // a wrong clock may have put it into the future
	return c.cfg.ReconcileInterval - now.Sub(last)
}

// begin plans a pass over whole minutes, from reconcile_window behind the checkpoint to where the next sweep
// starts. It reports whether there are any.
func (r *reconciler) begin(cursor, until time.Time, span time.Duration) bool {
	if !cursor.Before(until) {
		return false
	}
	*r = reconciler{cursor: cursor, until: until, last: r.last, span: span}
	return true
}

// oldest is the first minute that can be compared now: the history has it whole, and so has the endpoint.
func (c *collector) oldest() time.Time {
	from := plan.Later(c.commits.from(), c.commits.through().Add(-c.cfg.ReconcileWindow))
	from = plan.Later(from, c.commits.strays.Forgotten)
	return plan.Later(from, c.clock.Now().Add(-source.Retention)).Add(time.Minute - 1).Truncate(time.Minute)
}

// window returns the pass's next window: at most span, and at most so many rows unless a minute has more.
func (r *reconciler) window(h *dedup.History, most int) plan.Window {
	end, rows := r.cursor, 0
	for end.Before(r.until) && end.Sub(r.cursor) < max(r.span, time.Minute) {
		rows += int(h.Minutes[dedup.MinuteOf(end)].Count)
		if rows > most && end.After(r.cursor) {
			break
		}
		end = end.Add(time.Minute)
	}
	return plan.Window{Start: r.cursor, End: end}
}

// reconcile does the next window of the pass.
func (c *collector) reconcile(ctx context.Context) error {
	r := &c.second
	w := r.window(c.commits.saved.state.history, c.rowLimit.AtMost(reconcileRows))
	w.End = r.compared.moves.Until(w.Start, w.End)
	err := c.reconcileWindow(ctx, w)
	var doubt *doubtError
	switch {
	case errors.As(err, &doubt) || ctx.Err() != nil:
		return err
	case err != nil:
		return c.reconcileAgain(ctx, err)
	}
	r.attempts, r.cursor = 0, r.compared.moves.Behind(w.End)
	c.succeeded()
	if r.cursor.Before(r.until) {
		return nil
	}
	r.last = c.clock.Now().Truncate(time.Second)
	c.tellOverlap()
	if err := c.flush(ctx); err != nil {
		return err
	}
	c.land(flight{reconciled: r.last})
	c.log.Infof("reconciliation up to %s found %d events that had appeared later than the overlap",
		r.until.Format(time.RFC3339), r.found)
	r.cancel()
	return c.commits.settle()
}

// reconcileAgain tries a window a few times; a pass that cannot be finished must not keep new events waiting.
func (c *collector) reconcileAgain(ctx context.Context, err error) error {
	r := &c.second
	r.attempts++
	if source.ClassOf(err) == source.ClassShrink {
		if r.span <= time.Minute && r.skipped < reconcileSkips {
			c.log.Warnf("reconciliation leaves out the minute %s: %s",
				r.cursor.Format(time.RFC3339), c.log.Redact(err.Error()))
			r.skipped++
			r.attempts, r.cursor = 0, r.compared.moves.Behind(r.cursor.Add(time.Minute))
			return c.pace.sleep(ctx, c.pace.retry.Next(err))
		}
		if r.span > time.Minute {
			r.attempts = 0 // the next request is another one
		}
		r.span = max(r.span/2, time.Minute)
	}
	// What is refused is refused the next time too, and waiting for a person would keep new events waiting.
	if r.attempts < reconcileAttempts && source.ClassOf(err) != source.ClassRefused {
		return c.fail(ctx, fmt.Errorf("reconciliation: %w", err))
	}
	c.stats.failures.Add(1)
	c.log.Warnf("reconciliation ends early at %s: %s; the next begins in %s",
		r.cursor.Format(time.RFC3339), c.log.Redact(err.Error()), c.cfg.ReconcileInterval)
	r.last = c.clock.Now()
	r.cancel()
	return nil
}

// reconcileWindow compares one window and forwards the minutes that differ.
func (c *collector) reconcileWindow(ctx context.Context, w plan.Window) error {
	differing, err := c.compare(ctx, w)
	if err != nil {
		return err
	}
	for _, run := range runs(differing) {
		if err := c.forwardAgain(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// tellReconciled says what only reconciliation found, and so how much too short the overlap was.
func (c *collector) tellReconciled(run plan.Window, missing int) {
	atMost := c.clock.Now().Sub(run.Start).Round(time.Minute)
	c.second.late = max(c.second.late, atMost)
	c.log.Warnf("%d events of %s – %s appeared later than the overlap of %s caught, at most %s late; "+
		"their minutes were forwarded again. Set overlap higher if this goes on",
		missing, run.Start.Format(time.RFC3339), run.End.Format(time.RFC3339), c.cfg.Overlap, atMost)
	c.notices.status(schema.Status{
		Kind: schema.StatusReconciled, From: run.Start, To: run.End, Count: int64(missing),
		Message: "events appeared later than the overlap caught and were forwarded by reconciliation",
	})
}

// tellOverlap says at the end of a pass that found something how far the overlap was off.
func (c *collector) tellOverlap() {
	r := &c.second
	if r.found == 0 {
		return
	}
	c.notices.status(schema.Status{
		Kind: schema.StatusOverlapTooShort, To: r.until, Count: int64(r.found),
		Message: "events appear later than the overlap allows for; set overlap higher if this goes on",
		Detail:  "overlap " + logline.Duration(c.cfg.Overlap) + ", events at most " + logline.Duration(r.late) + " late",
	})
}
