package exporter

import (
	"context"
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// deep reads again, slowly, all that the endpoint still has and the reconciler does not read any more, and hands over
// what appeared there since. It compares hours (see dedup.Hours), a piece of at most a day at a time, spread evenly
// over deep_reconcile_interval. Where a pass stands is in the checkpoint.
type deep struct {
	found    int           // events that the pass handed over and that had been missing
	span     time.Duration // of the next piece, less when the endpoint could not answer a longer one
	attempts int           // at that piece
	rest     time.Time     // after a failure, by the local clock
}

// deepCursor is where a pass stands; the zero value is no pass.
type deepCursor struct {
	at    time.Time // everything of the pass before was compared
	began time.Time // by the server's clock
}

const (
	deepPiece    = 24 * time.Hour
	deepAttempts = 5           // at one piece, which is then left to the next pass
	deepRest     = time.Minute // after a failure
	deepMargin   = time.Hour   // that is read on both sides: event_time may not be the time that the endpoint goes by
)

// deepRange is what a pass compares now: whole hours that are known, that the endpoint still has, and whose minutes
// the reconciler does not compare.
func (c *collector) deepRange() (from, until time.Time) {
	state := &c.commits.saved.state
	// An endpoint may refuse what begins before that, and pieces are read with a margin.
	from = plan.Later(state.hours.Since, c.clock.Now().Add(2*deepMargin-source.Retention))
	from = from.Add(time.Hour - 1).Truncate(time.Hour)
	// The collection's first hour counts what is collected of it, and nothing before that is read.
	from = plan.Later(from, state.from.Truncate(time.Hour))
	until = c.commits.floor()
	if c.cfg.ReconcileInterval > 0 {
		until = plan.Earlier(until, state.through.Add(-c.cfg.ReconcileWindow))
	}
	return from, until.Truncate(time.Hour)
}

// deepWindow returns the piece that is due now. Pieces are spread so that the pass takes its interval.
func (c *collector) deepWindow() (w plan.Window, due bool) {
	if c.cfg.DeepReconcileInterval == 0 || time.Now().Before(c.deep.rest) {
		return w, false
	}
	from, until := c.deepRange()
	if !from.Before(until) {
		return w, false
	}
	now, cursor := c.clock.Now(), c.commits.deepAt()
	if cursor.began.IsZero() || cursor.began.After(now) { // a wrong clock may have put it into the future
		c.land(flight{deep: &deepCursor{at: from, began: now.Truncate(time.Second)}})
		return w, false
	}
	at := plan.Later(cursor.at, from)
	if !at.Before(until) {
		c.deepEnds(cursor, from)
		return w, false
	}
	// A piece is due when its end is, so that the first does not follow at once on a backfill that has just read it.
	w = c.deepPieceAt(at, until)
	share := float64(w.End.Sub(from)) / float64(until.Sub(from))
	return w, !now.Before(cursor.began.Add(time.Duration(share * float64(c.cfg.DeepReconcileInterval))))
}

// deepPieceAt returns the hours from at that make a piece: at most a day, and at most so many rows unless one hour has
// more.
func (c *collector) deepPieceAt(at, until time.Time) plan.Window {
	span := deepPiece
	if c.deep.span > 0 {
		span = c.deep.span
	}
	most, rows, end := c.rowLimit.AtMost(reconcileRows), 0, at
	for end.Before(until) && end.Sub(at) < span {
		rows += int(c.commits.saved.state.hours.Of(dedup.HourOf(end)).Count)
		if rows > most && end.After(at) {
			break
		}
		end = end.Add(time.Hour)
	}
	return plan.Window{Start: at, End: end}
}

// deepEnds begins the next pass when the interval of the last one is over.
func (c *collector) deepEnds(cursor deepCursor, from time.Time) {
	now := c.clock.Now()
	if now.Before(cursor.began.Add(c.cfg.DeepReconcileInterval)) {
		return
	}
	c.log.Infof("deep reconciliation of everything since %s found %d events that had appeared later",
		from.Format(time.RFC3339), c.deep.found)
	c.deep.found = 0
	c.land(flight{deep: &deepCursor{at: from, began: now.Truncate(time.Second)}})
}

// reconcileDeep compares a piece.
func (c *collector) reconcileDeep(ctx context.Context, w plan.Window) error {
	err := c.compareHours(ctx, w)
	var doubt *doubtError
	switch {
	case errors.As(err, &doubt) || ctx.Err() != nil:
		return err
	case err != nil:
		c.deepFailed(w, err)
		return c.commits.settle()
	}
	c.succeeded()
	c.deep.attempts, c.deep.span = 0, 0
	c.passDeep(w.End)
	return c.commits.settle()
}

// passDeep notes that everything before at was compared.
func (c *collector) passDeep(at time.Time) {
	c.land(flight{deep: &deepCursor{at: at, began: c.commits.deepAt().began}})
}

// deepFailed rests before the next try: nothing new must wait. A piece that fails again and again is left out.
func (c *collector) deepFailed(w plan.Window, err error) {
	d := &c.deep
	c.stats.failures.Add(1)
	d.attempts++
	d.rest = time.Now().Add(deepRest)
	if w.End.Sub(w.Start) > time.Hour {
		d.span = (w.End.Sub(w.Start) / 2).Truncate(time.Hour)
		return
	}
	most := deepAttempts
	if errors.Is(err, body.ErrCut) {
		most *= 8 // each attempt may show one more odd end that comes again
	}
	if d.attempts < most {
		return
	}
	c.log.Warnf("deep reconciliation leaves out the hour %s until its next pass: %s",
		w.Start.Format(time.RFC3339), c.log.Redact(err.Error()))
	d.attempts, d.span = 0, 0
	c.passDeep(w.End)
}

// compareHours reads w and hands over what is missing in its hours.
func (c *collector) compareHours(ctx context.Context, w plan.Window) error {
	got := dedup.NewHistory()
	var rows []countedRow
	err := c.readHours(ctx, w, got, func(_ *event.Row, _ dedup.Identity, id uint64, hour int64) error {
		rows = append(rows, countedRow{hour, id})
		return nil
	})
	if err != nil {
		return err
	}
	_, expected := c.commits.expected()
	moves := c.commits.saved.state.moves
	for hour, d := range got.Minutes {
		if _, left := moves.LeftOut(windowOf(hour).Start, windowOf(hour).End); left {
			continue
		}
		known := expected.Of(hour)
		// Where some are gone, or have another time now, others may be new.
		if !d.Exceeds(known) && d.Count == known.Count {
			continue
		}
		if d.Count < known.Count {
			if gone, err := c.isGone(ctx, hour, known); err != nil {
				return err
			} else if !gone {
				continue
			}
		}
		only, told := missingOf(rows, hour, d, known)
		if !told {
			only = nil
		}
		if err := c.forwardHour(ctx, w, hour, known, d, only); err != nil {
			return err
		}
	}
	return nil
}

// windowOf is the window of a Unix hour.
func windowOf(hour int64) plan.Window {
	start := time.Unix(hour*3600, 0).UTC()
	return plan.Window{Start: start, End: start.Add(time.Hour)}
}

// isGone reports whether an hour still has fewer events than were handed over when it is asked for alone: a limit that
// is not known yet may have cut off the answer for more hours.
func (c *collector) isGone(ctx context.Context, hour int64, known dedup.Digest) (bool, error) {
	got := dedup.NewHistory()
	err := c.readHours(ctx, windowOf(hour), got, func(*event.Row, dedup.Identity, uint64, int64) error { return nil })
	return got.Minutes[hour] != known, err
}

// readHours reads w with a margin and calls each once for every event that hours count and that happened in w.
func (c *collector) readHours(
	ctx context.Context, w plan.Window, got *dedup.History,
	each func(r *event.Row, who dedup.Identity, id uint64, hour int64) error,
) error {
	once, tally := new(dedup.Seen), got.Tally()
	defer tally.End()
	read := plan.Window{
		Start: plan.Later(w.Start.Add(-deepMargin), c.plan.From()),
		End:   plan.Earlier(w.End.Add(deepMargin), c.plan.Through()),
	}
	return c.readParts(ctx, read, func(part plan.Window, union *whole.Union) (whole.Reading, error) {
		return c.comparing(ctx, once, func(r *event.Row, who dedup.Identity, fresh *int) error {
			id, ok := c.reader.identifier.Published(r, who)
			if !ok || r.Time.Before(w.Start) || !r.Time.Before(w.End) || once.Mark(who, w.End, 0) != dedup.Fresh {
				return nil
			}
			*fresh++
			hour := dedup.HourOf(r.Time)
			tally.Add(id, hour)
			return each(r, who, id, hour)
		})(part, union)
	})
}

// forwardHour hands over the events of an hour that are missing; only is nil when it cannot be told which they are:
// then all of them. known is what had been handed over, there what the piece showed of the hour.
func (c *collector) forwardHour(
	ctx context.Context, piece plan.Window, hour int64, known, there dedup.Digest, only map[uint64]bool,
) error {
	w, sent, done := windowOf(hour), dedup.Digest{}, make(map[uint64]bool)
	send := func(r *event.Row, who dedup.Identity, id uint64, of int64) error {
		if of != hour || only != nil && !only[id] || done[id] {
			return nil
		}
		done[id] = true
		sent = sent.Plus(dedup.DigestOf(id))
		return c.batcher.add(ctx, r, who)
	}
	want := int(there.Count)
	if only != nil {
		want = len(only)
	}
	err := c.readHours(ctx, w, dedup.NewHistory(), send)
	if err == nil && len(done) < want {
		err = c.readHours(ctx, piece, dedup.NewHistory(), send) // the endpoint files some under a time far off
	}
	if err != nil {
		return err
	}
	if sent.Count == 0 { // what was answered before is not any more: the next pass sees more
		return nil
	}
	missing, change := int(sent.Count), sent
	if only == nil {
		missing = max(1, missing-int(known.Count))
		if sent.Count < known.Count {
			missing = 0
		}
		c.stats.copies.Add(int64(max(0, int(sent.Count)-missing)))
		change = sent.Minus(known)
	}
	c.deep.found += missing
	c.manifest.changed = true
	c.stats.reconciled.Add(int64(missing))
	c.stats.lateness.Add(missing, c.cfg.Overlap)
	if missing > 0 {
		c.tellDeep(w, missing)
	} else {
		c.log.Warnf("the hour %s has %d events at the endpoint, fewer than the %d that were handed over: "+
			"since some of them may be new, they were forwarded again",
			w.Start.Format(time.RFC3339), sent.Count, known.Count)
	}
	if err := c.flush(ctx); err != nil {
		return err
	}
	f := newFound()
	f.hours[hour] = change
	c.land(flight{found: f})
	return nil
}

// tellDeep says what only deep reconciliation found.
func (c *collector) tellDeep(w plan.Window, missing int) {
	c.log.Warnf("%d events of the hour %s appeared later than anything before had caught; they were forwarded",
		missing, w.Start.Format(time.RFC3339))
	c.notices.status(schema.Status{
		Kind: schema.StatusReconciled, From: w.Start, To: w.End, Count: int64(missing),
		Message: "events appeared later than the overlap caught and were forwarded by deep reconciliation",
	})
}
