package exporter

import (
	"context"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// batcher makes records of rows and batches of records, and gives the batches to the ledger.
type batcher struct {
	ledger *handover.Ledger
	stats  *stats
	upkeep upkeep
	seen   *dedup.Seen // is told when an event goes with another batch than was thought
	schema schema.Name
	whose  schema.Organization
	hide   *pseudonym.Rows // nil = rows are forwarded as they are
	most   int             // batch_bytes

	encoder *schema.Encoder // for the last answer's columns
	number  uint32          // of the batch that is being filled, from 1
	data    []byte          // it
	records int             // in it
	events  int64           // audit events that went into batches
	id      string          // event_id of its first event
	limit   int             // of its bytes: most, or less once the engine was slow to copy
}

// leastBatch is the smallest that slow copies make a batch, in bytes.
const leastBatch = 64_000

// last is the number of the last batch that was pushed.
func (b *batcher) last() uint32 { return b.number - 1 }

// lastFilled is the number of the last batch that has a record.
func (b *batcher) lastFilled() uint32 {
	if b.records > 0 {
		return b.number
	}
	return b.last()
}

// add appends the row's record to the batch, and pushes the batch before it gets larger than the limit.
func (b *batcher) add(ctx context.Context, row *event.Row, who dedup.Identity) error {
	b.data = b.ledger.Buffer(b.data)
	before := len(b.data)
	if b.records == 0 {
		b.id = string(row.Value(event.EventID))
	}
	if b.hide != nil { // not earlier: identity, counts and digests go by the row as it is
		b.hide.Hide(row)
	}
	b.data = b.encoder.Append(schema.AppendEventHeader(b.data, row.Time), row)
	if b.hide != nil {
		b.hide.Show(row)
	}
	b.records++
	b.events++
	if len(b.data) <= min(b.limit, b.ledger.BatchBytes()) || before == 0 {
		return nil
	}
	// The last record is one too many: it becomes the first of the next batch, and what is remembered of it must say
	// so. It stays where it is until the batch before it is pushed, so that no third buffer is needed.
	full, last, records := b.data[:before], b.data[before:], b.records-1
	b.data, b.records = nil, 0
	b.seen.Carry(who, b.number+1)
	if err := b.push(ctx, full, records); err != nil {
		return err
	}
	b.data, b.records, b.id = append(b.ledger.Buffer(nil), last...), 1, string(row.Value(event.EventID))
	return nil
}

// addStatuses appends status events to the batch.
func (b *batcher) addStatuses(statuses []schema.Status) {
	for _, s := range statuses {
		s.Organization = b.whose
		b.data = b.ledger.Buffer(b.data)
		if b.records == 0 {
			b.id = ""
		}
		b.data = schema.AppendStatus(schema.AppendEventHeader(b.data, s.Time), b.schema, s)
		b.records++
	}
}

// flush pushes what the batch holds so far.
func (b *batcher) flush(ctx context.Context) error {
	if b.records == 0 {
		return nil
	}
	full, records := b.data, b.records
	b.data, b.records = nil, 0
	return b.push(ctx, full, records)
}

// push waits for room in the ledger's queue. The batch after it is the one that is filled next.
func (b *batcher) push(ctx context.Context, data []byte, records int) error {
	size := len(data)
	for !b.ledger.Push(data, records, b.id) {
		// The signal of a doubt may be gone: with the error that ended a read, after which this hands over the rest.
		if _, doubt := b.ledger.State(); doubt != "" {
			return &doubtError{cause: doubt}
		}
		select {
		case <-b.upkeep.changed:
			if err := b.upkeep.settle(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.number++
	b.stats.records.Add(int64(records))
	b.stats.handedOver.Add(int64(size))
	b.stats.events.Store(b.events)
	return nil
}

// drop forgets what the batch holds so far.
func (b *batcher) drop() { b.data, b.records = nil, 0 }

// shorten makes batches smaller. A processor on the input works while a batch is copied, and a large batch would be
// taken for a full buffer for ever.
func (b *batcher) shorten() { b.limit = max(b.limit/2, min(leastBatch, b.most)) }
