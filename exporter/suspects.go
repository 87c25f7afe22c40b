package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
	"github.com/wherobots/in_wherobots_audit/exporter/witness"
)

// patience is how often a window is asked for that cannot be read whole for this reason, before it is made shorter.
// What passes, passes meanwhile; shorter windows may be cut off just so.
func patience(err error) int {
	switch {
	case errors.Is(err, whole.ErrCutAlike):
		return 20
	case errors.Is(err, whole.ErrCutOff):
		return 3
	default:
		return 0
	}
}

// readWhole reports whether w was read whole, whose answer was got. If not, shorter windows are planned in its place;
// one that cannot be shorter counts as read, and what it lacks is told.
func (c *collector) readWhole(
	ctx context.Context, w plan.Window, got whole.Reading, read whole.ReadPart,
) (bool, error) {
	c.counts.proofs.Begin(got.Framed)
	complete, err := c.isWhole(&c.rowLimit.Polls, w, got, read)
	if complete && err == nil {
		complete, err = c.agreesWithCount(ctx, w, got, read)
	}
	if err != nil {
		var doubt *doubtError
		if errors.As(err, &doubt) {
			return false, err
		}
		if err := c.flush(ctx); err != nil {
			return false, err
		}
		// What fails while it is examined must not keep it from ever being read.
		if c.pace.failures >= patience(err) {
			c.plan.Split(w)
		}
		return false, c.adapt(w, err)
	}
	switch {
	case complete:
		return true, nil
	case c.goBack(w, got), c.plan.Split(w):
		return false, nil
	case c.rowLimit.Reached(got):
		c.tellRowGap(w, got.Rows)
	}
	return true, nil
}

// goBack reads again what passed before anything was suspect, and reports whether there is such a thing.
func (c *collector) goBack(w plan.Window, got whole.Reading) bool {
	if !c.rowLimit.Reached(got) || c.rowLimit.Proven.Varying() {
		return false
	}
	back := c.rowLimit.Polls.TakeFirst(got.Rows)
	if back.IsZero() || !back.Before(w.Start) {
		return false
	}
	c.plan.Split(w)
	c.commits.readAnew(back)
	c.plan.Return(back)
	return true
}

// readParts reads w in as many parts as it takes to get all of it.
func (c *collector) readParts(ctx context.Context, w plan.Window, read whole.ReadPart) error {
	got, err := read(w, nil)
	if err != nil {
		return err
	}
	complete, err := c.isWhole(&c.rowLimit.Second, w, got, read)
	if complete && err == nil {
		complete, err = c.partAgreesWithCount(ctx, w, got, read)
	}
	if err != nil || complete {
		return err
	}
	left, right, ok := c.plan.Cut(w, w.Middle())
	if !ok {
		if c.rowLimit.Reached(got) {
			c.tellRowGap(w, got.Rows)
		}
		return nil
	}
	defer c.examineEnds(got)()
	if err := c.readParts(ctx, left, read); err != nil {
		return err
	}
	return c.readParts(ctx, right, read)
}

// isWhole reports whether an answer for w has everything, and finds it out where that is in doubt.
func (c *collector) isWhole(
	counts *whole.RowCounts, w plan.Window, got whole.Reading, read whole.ReadPart,
) (bool, error) {
	l := &c.rowLimit
	if known := l.Known; l.Outgrown(got.Rows) {
		c.plan.RowLimit = 0
		c.log.Infof("the endpoint answers with more than %d rows again", known)
	}
	suspect := l.Judge(counts, w, got)
	odd, unframed := c.reader.ends.Suspect(got), c.reader.framing.Suspect(got)
	if suspect == whole.Unsuspected && (odd || unframed) {
		suspect = whole.OddEnd
	}
	if suspect == whole.Unsuspected || suspect == whole.AtLimit {
		return suspect == whole.Unsuspected, nil
	}
	sample := suspect == whole.Larger && counts != &l.Second // nobody waits for what reads again
	verdict, rows, err := c.examine(w, got, sample, read)
	if err != nil {
		return false, err
	}
	switch verdict {
	case whole.Limited, whole.Undecided:
		if suspect == whole.OddEnd {
			err := whole.ErrCutAlike
			if odd {
				err = whole.ErrCutOff
			}
			return false, fmt.Errorf("read window %s – %s: %w", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), err)
		}
		if verdict == whole.Limited {
			c.learnRowLimit(w, rows)
		}
		return false, nil
	case whole.Grown:
		if w.End.Before(c.clock.Now().Add(-c.cfg.Overlap)) {
			return false, nil // what happened long ago grows no more, unless it is cut off now here and now there
		}
	case whole.Honest:
		c.counts.proofs.Add(witness.Halved)
	case whole.Indivisible:
		if suspect != whole.Repeated && suspect != whole.Larger && got.Rows >= whole.LeastLimit {
			c.tellRowGap(w, got.Rows)
		}
	}
	if suspect == whole.Promised && verdict != whole.Grown {
		l.InVain()
	}
	counts.Honest(got.Rows)
	if verdict == whole.Sampled {
		l.Proven.Sampled(got)
		return true, nil
	}
	l.Proven.Honest(got)
	if verdict != whole.Indivisible {
		c.reader.ends.Honest(got)
		c.reader.framing.Honest(got)
	}
	return true, nil
}

// examine reads w again in parts, or a sample of it where that shows enough.
func (c *collector) examine(
	w plan.Window, got whole.Reading, sample bool, read whole.ReadPart,
) (whole.Verdict, int, error) {
	if sample {
		if enough, err := c.rowLimit.Sample(w, got, read); err != nil || enough {
			return whole.Sampled, got.Rows, err
		}
	}
	defer c.examineEnds(got)()
	c.rowLimit.Cut = c.plan.Cut
	learned := c.reader.identifier.Learned()
	verdict, rows, err := c.rowLimit.Examine(w, got, read)
	if verdict == whole.Limited && c.reader.identifier.Learned() != learned {
		verdict = whole.Undecided // the same rows seemed to be others meanwhile
	}
	return verdict, rows, err
}

// examineEnds lets parts of an answer that ended with what is no row end so too, until the function is called that it
// returns.
func (c *collector) examineEnds(got whole.Reading) (done func()) {
	ends := &c.reader.ends
	before := ends.Examining
	ends.Examining = before || got.Ended()
	return func() { ends.Examining = before }
}

// learnRowLimit notes that the endpoint answers with at most so many rows and does not say so.
func (c *collector) learnRowLimit(w plan.Window, rows int) {
	c.rowLimit.Learn(rows)
	c.plan.RowLimit = rows
	c.log.Warnf("the endpoint leaves out what goes beyond %d rows and does not say so: "+
		"parts of %s – %s had events that the whole lacked; asks for fewer at a time",
		rows, w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339))
	c.notices.status(schema.Status{
		Kind: schema.StatusRowLimit, From: w.Start, To: w.End, Count: int64(rows),
		Message: "the endpoint leaves out rows without saying so; it is asked for fewer at a time, " +
			"and nothing is missing",
	})
}

// tellRowGap says that w has more events than the endpoint answers with.
func (c *collector) tellRowGap(w plan.Window, rows int) {
	if !c.rowLimit.Tell(w) {
		return
	}
	c.log.Errorf("the endpoint answers with %d rows for the %s from %s on and leaves out the others: "+
		"they are missing until it answers with more; goes on behind them",
		rows, logline.Duration(w.End.Sub(w.Start)), w.Start.Format(time.RFC3339Nano))
	c.notices.status(schema.Status{
		Kind: schema.StatusRowGap, From: w.Start, To: w.End, Count: int64(rows),
		Message: "more events happened at one instant than the endpoint answers with; the others are missing",
	})
}

// tooFine asks for whole seconds from now on if err may have come of a window that is shorter.
func (c *collector) tooFine(w plan.Window, err error) {
	if source.RefusesInput(err) && w.End.Sub(w.Start) < time.Second && c.plan.Coarsen() {
		c.log.Warnf("the endpoint refuses windows of less than a second: asks for whole seconds")
	}
}
