package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
	"github.com/wherobots/in_wherobots_audit/exporter/witness"
)

// countCheck is what the comparison of answers with the endpoint's own count knows.
type countCheck struct {
	witness witness.Witness
	proofs  witness.Proofs
	every   bool // window is counted: none was read before
	copies  bool // answers have several rows of one event, so that both numbers are needed

	settled        plan.Window // the part of the window under way whose events have all appeared; empty = none
	span           event.Span  // it
	open           bool        // rows are counted: not where parts are read to examine an answer
	rows, distinct int         // of that, with times in the settled part
}

const (
	leastSettled = time.Minute // after which events have appeared, however short the overlap is
	expiring     = time.Hour   // before the end of retention, events go between an answer and its count
)

// begin is about another answer.
func (k *countCheck) begin(settled plan.Window) {
	k.settled, k.span = settled, event.SpanOf(settled.Start, settled.End)
	k.open, k.rows, k.distinct = true, 0, 0
}

// end is about what is read besides.
func (k *countCheck) end() { k.open = false }

// union is a set for the answer's events, nil unless it has copies.
func (k *countCheck) union() *whole.Union {
	if !k.copies {
		return nil
	}
	return new(whole.Union)
}

// row notes a row of the answer, by its time; fresh is 1 if it is the first of its event.
func (k *countCheck) row(at int64, fresh int) {
	if k.open && k.span.Has(at) {
		k.rows++
		k.distinct += fresh
	}
}

// settled is the part of w that ended before the overlap, so that its count is stable.
func (c *collector) settled(w plan.Window) (part plan.Window) {
	if c.counts.witness.Off || w.Start.Before(c.clock.Now().Add(expiring-source.Retention)) {
		return part
	}
	floor := c.clock.Safe().Add(-max(c.cfg.Overlap, leastSettled)).Truncate(time.Second).UTC()
	if end := plan.Earlier(w.End, floor); w.Start.Before(end) {
		part = plan.Window{Start: w.Start, End: end}
	}
	return part
}

// agreesWithCount reports whether w, whose answer was got, has as many events as the endpoint counts, as far as that
// can be known now. If not, shorter windows are to be read in its place.
func (c *collector) agreesWithCount(
	ctx context.Context, w plan.Window, got whole.Reading, read whole.ReadPart,
) (bool, error) {
	k, now := &c.counts, time.Now()
	part, first := k.settled, !w.Start.Before(c.plan.Through())
	if part.Start.Equal(part.End) || !k.witness.Due(now, first) || !first && c.passCountsSoon() {
		return true, nil
	}
	rows, distinct := got.Rows, got.Rows
	if k.copies {
		distinct = got.Other
	}
	if part != w {
		if !k.witness.ByTime(now) {
			return true, nil
		}
		if rows, distinct = k.rows, k.rows; k.copies {
			distinct = k.distinct
		}
	}
	total, known, err := c.count(ctx, part)
	switch {
	case err != nil || !known:
		return err == nil, err
	case witness.Judge(got.Least(distinct), rows, total) != witness.Agrees:
		return c.readToCount(ctx, counting{w, part, got, read, total})
	case part == w:
		k.proofs.Add(witness.Counted)
	}
	return true, nil
}

// partAgreesWithCount is agreesWithCount for what reconciliation reads.
func (c *collector) partAgreesWithCount(
	ctx context.Context, w plan.Window, got whole.Reading, read whole.ReadPart,
) (bool, error) {
	if c.settled(w) != w || !c.counts.witness.Due(time.Now(), c.counts.every) {
		return true, nil
	}
	total, known, err := c.count(ctx, w)
	if err != nil || !known || int64(got.Rows) == total {
		return err == nil, err
	}
	return c.readToCount(ctx, counting{w, w, got, read, total})
}

// counting is an answer that disagrees with the endpoint's count.
type counting struct {
	w, part plan.Window // what was asked for, and the part of it that was counted
	got     whole.Reading
	read    whole.ReadPart
	total   int64
}

// readToCount reads again what disagrees with its count, in parts if the second answer disagrees too. It reports
// whether the window has been read as far as it can be.
func (c *collector) readToCount(ctx context.Context, n counting) (complete bool, err error) {
	k := &c.counts
	defer func() {
		if err != nil && ctx.Err() == nil {
			c.inVain() // bounds how often it may keep a window from being read
		}
	}()
	inside := k.rows
	k.begin(n.part)
	again, err := n.read(n.part, new(whole.Union))
	k.end()
	if err != nil {
		return false, err
	}
	switch witness.Judge(again.Least(again.Other), again.Rows, n.total) {
	case witness.Misses:
		again.Missed = true
		return c.readMissed(n.part, again, n)
	case witness.Wrong:
		c.disbelieve(n.part, again.Other, n.total)
		return true, nil
	}
	k.copies = k.copies || again.Other < again.Least(again.Rows)
	switch {
	case n.part == n.w:
		k.proofs.Add(witness.Counted)
	case again.Fresh > 0, k.rows > inside: // the answer for the whole lacked what the part has
		n.got.Missed = true
		return c.readMissed(n.w, n.got, n)
	default:
		if k.witness.Untimely(time.Now()) {
			c.log.Infof("the endpoint counts events by another time than event_time: " +
				"polls are not compared with counts for a day")
		}
	}
	return true, nil
}

// readMissed reads w in halves, whose answer got has fewer events than are counted, and tells if that does not help.
func (c *collector) readMissed(w plan.Window, got whole.Reading, n counting) (complete bool, err error) {
	before := c.fresh
	c.rowLimit.Cut = c.plan.Cut
	verdict, rows, err := c.rowLimit.Examine(w, got, n.read)
	switch {
	case err != nil:
		return false, err
	case verdict == whole.Limited:
		c.learnRowLimit(w, rows)
		return false, nil
	case verdict == whole.Undecided:
		if c.fresh == before {
			c.inVain()
		}
		return false, nil
	case verdict == whole.Grown || w != n.part:
		return true, nil
	}
	if verdict == whole.Honest {
		c.counts.proofs.Add(witness.Halved)
	}
	c.tellMismatch(n.part, got.Rows, n.total)
	c.inVain()
	return true, nil
}

// passCountsSoon reports whether polls are to leave the next request for a count to reconciliation.
func (c *collector) passCountsSoon() bool {
	return c.cfg.ReconcileInterval > 0 && (!c.second.cursor.IsZero() || c.untilPass() < witness.Pause)
}

// count asks the endpoint how many events there are in w. known is false when that cannot be told, which is no error:
// it is said here, and delays nothing but by source's limit of time.
func (c *collector) count(ctx context.Context, w plan.Window) (total int64, known bool, err error) {
	k := &c.counts.witness
	began := time.Now()
	body, failed, err := c.reader.count(ctx, w)
	k.Asked(began, time.Since(began))
	if err != nil {
		return 0, false, err
	}
	if failed == nil {
		total, failed = witness.Total(body)
	}
	if failed == nil {
		if k.Answered() {
			c.log.Infof("the endpoint counts events (GET %s): what is read is compared with that", source.CountPath)
		}
		return total, true, nil
	}
	var refusal *source.CountError
	after := time.Duration(0)
	if errors.As(failed, &refusal) {
		after = refusal.RetryAfter
	}
	if pause, tell := k.Failed(time.Now(), after); tell {
		c.log.Infof("there is no count to compare what is read with: %v; asks for one again in %s",
			failed, logline.Duration(pause))
	}
	return 0, false, nil
}

// count returns the endpoint's answer, or why there is none.
func (r *reader) count(ctx context.Context, w plan.Window) (body []byte, failed, err error) {
	r.stats.counts.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type counted struct {
		body []byte
		err  error
	}
	ch := make(chan counted, 1)
	go func() {
		got := counted{err: errors.New("a defect")}
		defer func() {
			if r := recover(); r != nil {
				got = counted{err: defect(r)}
			}
			ch <- got
		}()
		got.body, got.err = r.client.Count(ctx, w.Start, w.End)
	}()
	got, err := await(ctx, r.upkeep, ch)
	if err != nil {
		cancel()
		<-ch // the client is for one goroutine at a time
		return nil, nil, err
	}
	return got.body, got.err, nil
}

// disbelieve notes that the endpoint counts less than it exports.
func (c *collector) disbelieve(w plan.Window, events int, total int64) {
	if c.counts.witness.Wrong(time.Now()) {
		c.log.Warnf("the endpoint counts %d events of %s – %s, but its export has %d: its counts are not believed",
			total, w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), events)
	}
}

// inVain notes a disagreement that cost requests and did not help.
func (c *collector) inVain() {
	if c.counts.witness.Vain(time.Now()) {
		c.log.Warnf("the endpoint's counts and its export disagree again and again: asks for no count for a day")
	}
}

// tellMismatch says that the endpoint counts more events than it exports.
func (c *collector) tellMismatch(w plan.Window, rows int, total int64) {
	c.stats.mismatches.Add(1)
	proof := c.counts.proofs.Now()
	c.counts.proofs.Add(witness.Mismatched)
	numbers := fmt.Sprintf("counted %d, exported %d", total, rows)
	c.log.Warnf("the endpoint counts more events of %s – %s than it exports, also when asked again (%s): "+
		"some may be missing; goes on",
		w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), numbers)
	c.notices.status(schema.Status{
		Kind: schema.StatusCountMismatch, From: w.Start, To: w.End, Count: total - int64(rows),
		Message: "the endpoint counts more events than it exports, also when asked again; some may be missing",
		Detail:  numbers + "; read whole by " + proof.String(),
	})
}
