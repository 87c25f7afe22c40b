package exporter

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// asked is the window that is asked for, as its rows are compared with it.
type asked struct {
	plan.Window
	event.Span
	through int64 // what had been read before this window's sweep came to it, as event.Nanos gives it
}

// forward puts a row, whose time is at, into the batch that is being filled, unless it was handed over before. An event
// that is new although its time had been read appeared late.
func (c *collector) forward(ctx context.Context, r *event.Row, who dedup.Identity, at int64, in *asked) error {
	until, counts, fresh := r.Time, true, false
	stray := r.Bad != "" || !in.Has(at)
	if stray {
		// It comes again for as long as nobody knows: as if it had happened at the window's end. One that is dated
		// later would be remembered until that day.
		until, counts = in.End, false
	}
	switch c.commits.seen.Mark(who, until, c.batcher.number) {
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
		if r.Bad == "" && at < in.through {
			c.commits.remember(min(in.End.Sub(r.Time), longestLag(c.cfg)))
		}
		// A time before the window is not what the endpoint goes by, and does not tell when the event appeared.
		if r.Bad == "" && in.First <= at && at < in.through {
			c.late(time.Duration(in.through - at))
		} else if !stray && !c.catchingUp {
			c.tally.punctual++
		}
		if !stray {
			c.tally.newest = max(c.tally.newest, at)
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
		c.commits.strays.Note(who, until, c.batcher.number)
	case counts:
		c.commits.pending.Add(c.batcher.number, dedup.Mix(who.ID), dedup.MinuteOf(r.Time))
	}
	if fresh {
		c.publish(r, who, at, in.Span)
	}
	return nil
}

// publish counts an event, whose time is at, in its hour, unless its time is none that the window can have had.
func (c *collector) publish(r *event.Row, who dedup.Identity, at int64, window event.Span) {
	if at <= window.First-publishedLag || at > window.Last {
		return
	}
	if id, ok := c.reader.identifier.Published(r, who); ok {
		c.commits.byID.Add(c.batcher.number, id, dedup.MinuteOf(r.Time))
	}
}

// publishedLag is how much earlier than the endpoint's own time an event_time may be to be counted in an hour, in
// nanoseconds.
const publishedLag = int64(24 * time.Hour)

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
