package exporter

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// forward puts a row into the batch that is being filled, unless it was handed over before. through is what
// had been read before this window's sweep came to it: an event that is new although its time had been read
// appeared late.
func (c *collector) forward(
	ctx context.Context, r *event.Row, who dedup.Identity, w plan.Window, through time.Time,
) error {
	at, counts, fresh := r.Time, true, false
	stray := r.Bad != "" || at.Before(w.Start) || at.After(w.End)
	if stray {
		// It comes again for as long as nobody knows: as if it had happened at the window's end. One that is dated
		// later would be remembered until that day.
		at, counts = w.End, false
	}
	switch c.commits.seen.Mark(who, at, c.batcher.number) {
	case dedup.Known:
		c.tally.known++
		return nil
	case dedup.Changed:
		counts = false
		c.stats.changed.Add(1)
		c.notices.changed(r)
	case dedup.Fresh:
		fresh = true
		c.fresh++
		if r.Bad == "" && r.Time.Before(through) {
			c.commits.remember(min(w.End.Sub(r.Time), longestLag(c.cfg)))
		}
		// A time before the window is not what the endpoint goes by, and does not tell when the event appeared.
		if r.Bad == "" && !r.Time.Before(w.Start) && r.Time.Before(through) {
			c.late(through.Sub(r.Time))
		} else if !stray && !c.catchingUp {
			c.tally.punctual++
		}
		if !stray && r.Time.After(c.tally.newest) {
			c.tally.newest = r.Time
		}
	}
	if r.Bad != "" {
		c.stats.badRows.Add(1)
		c.notices.badRow(r)
	}
	if err := c.batcher.add(ctx, r, who); err != nil {
		return err
	}
	switch { // after add, which knows the batch
	case stray:
		c.commits.strays.Note(who, at, c.batcher.number)
	case counts:
		c.commits.pending.Add(c.batcher.number, dedup.Mix(who.ID), dedup.MinuteOf(at))
	}
	if fresh {
		c.publish(r, who, w)
	}
	return nil
}

// publish counts an event in its hour, unless its time is none that the window can have had.
func (c *collector) publish(r *event.Row, who dedup.Identity, w plan.Window) {
	id, ok := c.reader.identifier.Published(r, who)
	if ok && !r.Time.After(w.End) && (!r.Time.Before(w.Start) || r.Time.After(w.Start.Add(-publishedLag))) {
		c.commits.byID.Add(c.batcher.number, id, dedup.MinuteOf(r.Time))
	}
}

// publishedLag is how much earlier than the endpoint's own time an event_time may be to be counted in an hour.
const publishedLag = 24 * time.Hour

// late notes an event that was not there when its time was read first: it appeared at least that much after
// it happened.
func (c *collector) late(lateness time.Duration) {
	c.stats.late.Add(1)
	c.stats.lateness.Add(1, lateness)
	c.notices.lateness(lateness, c.cfg.Overlap)
}

// flush hands over what the batch holds so far, with the status events that wait.
func (c *collector) flush(ctx context.Context) error {
	for _, s := range c.refusals.tell() {
		c.notices.status(s)
	}
	c.batcher.addStatuses(c.notices.board())
	return c.batcher.flush(ctx)
}

// handOver hands over what the batch holds after a window, unless the engine is still busy with the batch
// before and the next window follows at once: then the batch goes on, since a collect call takes one batch a
// second however small it is.
func (c *collector) handOver(ctx context.Context) error {
	if _, more := c.plan.Plan(); more && !c.batcher.ledger.Room() {
		return nil
	}
	return c.flush(ctx)
}

// land notes that all rows so far complete f, those in the batch that is being filled too.
func (c *collector) land(f flight) {
	f.last = c.batcher.lastFilled()
	f.columns = c.reader.columnNames()
	f.rowLimit = c.rowLimit.Known
	f.statuses = c.notices.land()
	c.commits.land(f)
}
