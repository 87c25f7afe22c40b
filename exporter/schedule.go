package exporter

import (
	"cmp"
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// resume plans on from the checkpoint.
func (c *collector) resume() {
	through := c.commits.through()
	c.plan = plan.New(c.limits(), c.commits.from(), through)
	c.stats.through.Store(through.Unix())
	if c.notBegun(time.Now()) { // the server's clock decides, see beginAnew
		c.log.Infof("found the checkpoint %s of a collection that was to begin at %s, which lies in the future",
			c.cfg.CheckpointPath, through.Format(time.RFC3339))
		return
	}
	c.log.Infof("goes on from the checkpoint %s: everything up to %s is done",
		c.cfg.CheckpointPath, through.Format(time.RFC3339))
	c.tellStart()
	c.tellMoves()
}

// tellMoves says what a person did to the checkpoint by hand, until that was said and committed.
func (c *collector) tellMoves() {
	for _, m := range c.commits.saved.state.moves.Untold() {
		from, to := m.From.Format(time.RFC3339), m.To.Format(time.RFC3339)
		s := schema.Status{Time: m.At, Detail: m.Reason}
		switch m.Kind {
		case checkpoint.Rewound:
			s.Kind, s.From, s.To = schema.StatusRewound, m.To, m.From
			s.Message = "the checkpoint was moved back by hand; what happened since is handed over again"
			c.log.Warnf("the checkpoint was moved back by hand from %s to %s: what happened since is handed over again: %s",
				from, to, m.Reason)
		case checkpoint.Forwarded:
			s.Kind, s.From, s.To = schema.StatusGapAccepted, m.From, m.To
			s.Message = "the checkpoint was moved forward by hand; what happened meanwhile is not collected"
			c.log.Warnf("the checkpoint was moved forward by hand from %s to %s: what happened meanwhile is not collected: %s",
				from, to, cmp.Or(m.Reason, "no reason was given"))
		}
		c.notices.status(s)
	}
}

// tellStart says that start_time is not used, unless it says where this collection began anyway: it is what it was
// then, or that very time. Of an age nobody knows what it was when an earlier version began.
func (c *collector) tellStart() {
	from, was := c.commits.from(), c.commits.saved.state.start
	isAge := !c.cfg.Start.At(from).Equal(c.cfg.Start.At(from.Add(time.Hour)))
	switch {
	case was == c.cfg.Start.String(), was == "" && isAge:
		return
	case !isAge && c.cfg.Start.At(from).Truncate(time.Second).Equal(from):
		return
	}
	c.log.Infof("start_time %s is not used, since there is a checkpoint: this collection began at %s; "+
		"to begin elsewhere, set another checkpoint_path", c.cfg.Start, from.Format(time.RFC3339))
}

// notBegun reports whether nothing was read yet because the collection begins in the future.
func (c *collector) notBegun(now time.Time) bool {
	return c.commits.through().Equal(c.commits.from()) && c.commits.from().Sub(now) > time.Minute
}

// beginAnew begins at start_time when that was changed before the collection had begun.
func (c *collector) beginAnew(now time.Time) error {
	start := c.cfg.Start.At(now).Truncate(time.Second).UTC()
	if !c.notBegun(now) || start.Equal(c.commits.from()) {
		return nil
	}
	if err := c.commits.begin(start, c.cfg.Start.String()); err != nil {
		return err
	}
	c.plan = plan.New(c.limits(), start, start)
	c.log.Infof("the collection had not begun (its start_time lay in the future); begins at start_time %s: %s",
		c.cfg.Start, start.Format(time.RFC3339))
	return nil
}

// limits are the settings that the plan keeps to.
func (c *collector) limits() plan.Limits {
	return plan.Limits{
		Overlap: c.cfg.Overlap, MaxWindow: c.cfg.MaxWindow, End: c.cfg.End, RowLimit: c.rowLimit.Known,
		Floor: c.commits.bound,
	}
}

// maxUnsettled is the longest pause between two questions for the server's time while its answers contradict
// the local clock and one another.
const maxUnsettled = 30 * time.Second

// learn asks the endpoint for its time before anything is planned: a local clock that is wrong at boot must
// not decide what is read, and neither must a single answer with a wrong Date. So it asks again until the
// clock is settled.
func (c *collector) learn(ctx context.Context) error {
	err := c.askTime(ctx)
	// What refuses the window as wrong has told its time all the same; perhaps the clock behind it is not the one
	// that writes Date, and takes the present for the future.
	if err != nil && (!source.RefusesInput(err) || !c.clock.Known()) {
		return err
	}
	if c.clock.Settled() || !c.clock.Known() {
		c.pace.learned, c.pace.unsettled = true, 0
		return nil
	}
	wait := min(time.Second<<c.pace.unsettled, maxUnsettled)
	c.pace.unsettled++
	return c.pace.sleep(ctx, wait)
}

// askTime sends a request whose answer matters for its Date alone.
func (c *collector) askTime(ctx context.Context) error {
	now := time.Now().Truncate(time.Second).UTC()
	answer, err := c.reader.open(ctx, plan.Window{Start: now.Add(-plan.MinWindow), End: now})
	c.stats.ended(0, err)
	if err != nil {
		return err
	}
	answer.close()
	c.succeeded()
	return nil
}

// chooseStart decides where a collection without a checkpoint begins, by the server's clock.
func (c *collector) chooseStart() error {
	start := c.cfg.Start.At(c.clock.Beginning()).Truncate(time.Second).UTC()
	if err := c.commits.begin(start, c.cfg.Start.String()); err != nil {
		return err
	}
	c.plan = plan.New(c.limits(), start, start)
	began := start.Format(time.RFC3339)
	c.log.Infof("found no checkpoint at %s: begins at %s", c.cfg.CheckpointPath, began)
	if !c.commits.saved.file.Lost() {
		c.notices.status(schema.Status{Kind: schema.StatusStarted, From: start, Message: "audit collection began"})
		return nil
	}
	c.log.Warnf("there was a checkpoint at %s before: it was lost or moved away, "+
		"and what was not collected before %s is missing",
		c.cfg.CheckpointPath, began)
	c.notices.status(schema.Status{
		Kind: schema.StatusCheckpointReset, From: start,
		Message: "audit collection began anew because its checkpoint is gone; " +
			"what happened before and was not collected is missing",
	})
	return nil
}

// beginSweep starts to read up to the server's present, and says what the endpoint no longer has. When there
// is nothing to read yet, it asks for the time all the same: a present before the beginning may be a wrong
// clock's, and without requests it would never be put right.
func (c *collector) beginSweep(ctx context.Context) error {
	now := c.clock.Now()
	c.pace.nextPoll = time.Now().Add(c.cfg.PollInterval)
	if err := c.beginAnew(now); err != nil {
		return err
	}
	c.readAgain()
	// What had been handed over before a person moved the checkpoint back is no gap.
	had := plan.Later(c.plan.Through(), c.commits.saved.state.moves.Reached())
	if kept := now.Add(-source.Retention); had.Before(kept.Add(-time.Minute)) {
		c.notices.gap(had, kept)
	}
	if err := c.giveUpFuture(now); err != nil {
		return err
	}
	c.commits.relieve(c.plan.Through())
	if !c.plan.Begin(now) {
		return c.askTime(ctx)
	}
	c.beginBackfill()
	return nil
}

// beginBackfill notes that the sweep that begins is a backfill, if it has more to read than usual polls ever have.
func (c *collector) beginBackfill() {
	usual := max(min(c.cfg.MaxWindow, plan.FirstWindow)/2, c.cfg.Overlap) + c.cfg.PollInterval
	from, target := c.plan.Through(), c.plan.Target()
	if c.catchingUp = target.Sub(from) > usual; c.catchingUp {
		c.backfill.Begin(from, target)
	} else {
		c.backfill.Sweep(target)
	}
}

// readAgain goes back when a clock that was ahead turned out wrong: what was noted as read under it, by this
// process or by one before it, may have been the future then.
func (c *collector) readAgain() {
	again := c.clock.Again()
	if again.IsZero() {
		return
	}
	again = plan.EarlierSet(again, c.unsureSince())
	if !again.Before(c.plan.Through()) {
		return
	}
	again = plan.Later(again.Truncate(time.Second), c.plan.From())
	c.log.Warnf("the server's clock was ahead and has been put right: reads again from %s", again.Format(time.RFC3339))
	c.commits.readAnew(again)
	c.plan.Reset(again)
}

// unsureSince returns, once, since when the checkpoint may have passed what was the future, by the server's
// clock; zero means that it has not. It is for when that is about to be read again.
func (c *collector) unsureSince() (since time.Time) {
	if !c.commits.unsure.IsZero() {
		since = c.clock.FromLocal(c.commits.unsure)
		c.commits.unsure = time.Time{}
	}
	return since
}

// giveUpFuture gives up a checkpoint that is ahead of the server's clock, because a clock was wrong when it
// was saved. Until the clock reached it, each sweep would read an overlap only, and an outage longer than
// that would lose events. It waits for a second sweep, since a single answer with a wrong Date must not cost
// a repetition of hours.
func (c *collector) giveUpFuture(now time.Time) error {
	through := c.plan.Through()
	start := c.cfg.Start.At(now).Truncate(time.Second).UTC()
	if through.Sub(now) <= time.Minute || start.After(now) { // a start_time in the future is meant
		c.pace.ahead = 0
		return nil
	}
	if c.pace.ahead++; c.pace.ahead == 1 {
		return nil
	}
	c.notices.future(through, now)
	if !c.plan.From().After(now) {
		since := plan.Later(plan.EarlierSet(now, c.unsureSince()), c.plan.From())
		c.commits.readAnew(since)
		c.plan.Reset(since)
		return nil
	}
	// Even the beginning was decided by a wrong clock.
	if err := c.commits.begin(start, c.cfg.Start.String()); err != nil {
		return err
	}
	c.plan = plan.New(c.limits(), start, start)
	return nil
}

// complete reports whether end_time was reached for good: nothing more is read. It is announced when all is
// committed.
func (c *collector) complete() bool {
	if !c.plan.Done() {
		if at, ok := c.plan.DoneAfter(); ok && c.notices.seldom("end") {
			c.log.Infof("all up to end_time %s is read; events may still appear late, so that it is complete after %s "+
				"(overlap)", c.cfg.End.Format(time.RFC3339), at.Format(time.RFC3339))
		}
		return false
	}
	if !c.pace.announced && len(c.commits.flights) == 0 && len(c.notices.statuses) == 0 {
		c.pace.announced = true
		if !c.cfg.ExitWhenComplete {
			c.log.Infof("the collection up to end_time %s is complete; this instance is idle now",
				c.cfg.End.Format(time.RFC3339))
		}
		c.stats.complete.Store(!c.cfg.ExitWhenComplete)
	}
	return true
}

// ending reports whether the process is to end and an output has yet to take what is committed: with commit_on handoff
// that is still in the engine's storage, which a Job may take along.
func (c *collector) ending() bool {
	if c.stats.complete.Load() {
		return false
	}
	if left := c.left(); left > 0 {
		if c.notices.seldom("left") {
			c.log.Infof("exit_when_complete: an output has yet to take %d chunk files; waits for it", left)
		}
		return true
	}
	c.stats.complete.Store(true)
	return false
}
