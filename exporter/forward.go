package exporter

import (
	"context"
	"time"
)

// forward encodes a row into the batch that is being filled, unless it was handed over before. through is what had been read before this
// window's sweep came to it: an event that is new although its time had been read appeared late.
func (c *collector) forward(ctx context.Context, r *row, who identity, w window, through time.Time) error {
	at, counts := r.time, true
	if r.bad != "" || at.Before(w.start) {
		// It comes again for as long as nobody knows: as if it had happened at the window's end.
		at, counts = w.end, false
	}
	switch c.seen.mark(who, at, c.batch) {
	case known:
		return nil
	case changed:
		counts = false
		c.stats.changed.Add(1)
		c.report.changed(r)
	case fresh:
		if r.bad == "" && r.time.Before(through) {
			c.late(through.Sub(r.time))
		}
	}
	if r.bad != "" {
		c.stats.badRows.Add(1)
		c.report.badRow(r)
	}
	if err := c.encode(ctx, r, who); err != nil {
		return err
	}
	if counts { // after encode, which knows the batch
		c.uncounted.add(c.batch, who.id, minuteOf(at))
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
func (c *collector) encode(ctx context.Context, r *row, who identity) error {
	if c.data == nil {
		c.data = c.ledger.buffer()
	}
	before := len(c.data)
	c.data = c.shape.append(appendEventHeader(c.data, r.time), r)
	c.records++
	if len(c.data) <= c.limit || before == 0 {
		return nil
	}
	// The last record is one too many: it becomes the first of the next batch, and what is remembered of it must say so. It stays where it is until
	// the batch before it is pushed, so that no third buffer is needed.
	full, last, records := c.data[:before], c.data[before:], c.records-1
	c.data, c.records = nil, 0
	c.seen.carry(who, c.batch+1)
	if err := c.push(ctx, full, records); err != nil {
		return err
	}
	c.data, c.records = append(c.ledger.buffer(), last...), 1
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
	for !c.ledger.push(data, records) {
		select {
		case <-c.ledger.changed:
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
