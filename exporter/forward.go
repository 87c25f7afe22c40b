package exporter

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// forward encodes a row into the batch that is being filled, unless it was handed over before. through is what had been read before this
// window's sweep came to it: an event that is new although its time had been read appeared late.
func (c *collector) forward(ctx context.Context, r *event.Row, who dedup.Identity, w plan.Window, through time.Time) error {
	at, counts := r.Time, true
	if r.Bad != "" || at.Before(w.Start) {
		// It comes again for as long as nobody knows: as if it had happened at the window's end.
		at, counts = w.End, false
	}
	switch c.seen.Mark(who, at, c.batch) {
	case dedup.Known:
		return nil
	case dedup.Changed:
		counts = false
		c.stats.changed.Add(1)
		c.report.changed(r)
	case dedup.Fresh:
		// A time before the window is not what the endpoint goes by, and does not tell when the event appeared.
		if r.Bad == "" && !r.Time.Before(w.Start) && r.Time.Before(through) {
			c.late(through.Sub(r.Time))
		}
	}
	if r.Bad != "" {
		c.stats.badRows.Add(1)
		c.report.badRow(r)
	}
	if err := c.encode(ctx, r, who); err != nil {
		return err
	}
	if counts { // after encode, which knows the batch
		c.uncounted.Add(c.batch, who.ID, dedup.MinuteOf(at))
	}
	return nil
}

// late notes an event that was not there when its time was read first: it appeared at least that much after it happened.
func (c *collector) late(lateness time.Duration) {
	c.stats.late.Add(1)
	if int64(lateness) > c.stats.lateness.Load() {
		c.stats.lateness.Store(int64(lateness))
		c.report.lateness(lateness, c.cfg.Overlap)
	}
}

// encode appends the row's record to the batch and pushes the batch before it gets larger than batch_bytes.
func (c *collector) encode(ctx context.Context, r *event.Row, who dedup.Identity) error {
	if c.data == nil {
		c.data = c.ledger.Buffer()
	}
	before := len(c.data)
	c.data = c.shape.Append(schema.AppendEventHeader(c.data, r.Time), r)
	c.records++
	if len(c.data) <= c.limit || before == 0 {
		return nil
	}
	// The last record is one too many: it becomes the first of the next batch, and what is remembered of it must say so. It stays where it is until
	// the batch before it is pushed, so that no third buffer is needed.
	full, last, records := c.data[:before], c.data[before:], c.records-1
	c.data, c.records = nil, 0
	c.seen.Carry(who, c.batch+1)
	if err := c.push(ctx, full, records); err != nil {
		return err
	}
	c.data, c.records = append(c.ledger.Buffer(), last...), 1
	return nil
}

// flush pushes what the batch holds so far, status events included.
func (c *collector) flush(ctx context.Context) error {
	c.appendStatuses()
	if c.records == 0 {
		return nil
	}
	full, records := c.data, c.records
	c.data, c.records = nil, 0
	return c.push(ctx, full, records)
}

// push waits for room in the ledger's queue. The batch after it is the one that is filled next.
func (c *collector) push(ctx context.Context, data []byte, records int) error {
	for !c.ledger.Push(data, records) {
		select {
		case <-c.ledger.Changed:
			if err := c.settle(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.batch++
	c.stats.records.Add(int64(records))
	return nil
}
