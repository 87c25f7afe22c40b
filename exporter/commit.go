package exporter

import (
	"context"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// committed is what the checkpoint on disk says. It changes only after a save worked: disk first, then memory.
type committed struct {
	through    time.Time // everything up to here is safe
	from       time.Time // where the collection began
	key        []byte
	history    *dedup.History
	columns    []string
	reconciled time.Time // the server's time when the last reconciliation ended
	batch      uint32    // every batch up to this number is part of it
	seen       []byte    // as stored
}

func loadCommitted(state checkpoint.State) (committed, error) {
	history, err := dedup.LoadHistory(state.Minutes)
	if err != nil {
		return committed{}, err
	}
	return committed{
		through: state.Through, from: state.From, key: state.Key, history: history,
		columns: state.Columns, reconciled: state.Reconciled, seen: state.Seen,
	}, nil
}

// flight is a part of the collection that was read whole and whose batches are on their way: when the last of them is safe, it is committed.
type flight struct {
	last       uint32                 // number of its last batch
	through    time.Time              // where the checkpoint moves; zero = it stays
	columns    []string               // of the last response, nil = as before
	minutes    map[int64]dedup.Digest // that reconciliation found different and forwarded again
	reconciled time.Time              // when it ends a reconciliation
	statuses   []schema.Status        // that its batches carry
}

// land notes a flight. Without batches on their way before it, it is safe at once.
func (c *collector) land(f flight) {
	f.last = c.batch - 1
	f.columns = c.columnsNow()
	f.statuses, c.carried = c.carried, nil
	c.flight = append(c.flight, f)
	if len(c.flight) > maxFlights {
		c.flight[1] = join(c.flight[0], c.flight[1])
		c.flight = c.flight[1:]
	}
}

// maxFlights bounds what is remembered of windows while the checkpoint cannot move, say because the engine's monitoring API is away: beyond
// it, two become one.
const maxFlights = 1024

func join(a, b flight) flight {
	b.statuses = append(a.statuses, b.statuses...)
	if b.through.IsZero() {
		b.through = a.through
	}
	if b.reconciled.IsZero() {
		b.reconciled = a.reconciled
	}
	if b.minutes == nil {
		b.minutes = a.minutes
	} else {
		for minute, d := range a.minutes {
			if _, newer := b.minutes[minute]; !newer {
				b.minutes[minute] = d
			}
		}
	}
	return b
}

// doubtError says that something handed over may be lost, or cannot be noted: everything since the checkpoint must be fetched again.
type doubtError struct {
	cause string
	save  bool // the checkpoint could not be saved
}

func (e *doubtError) Error() string { return e.cause }

// settle commits what is safe.
func (c *collector) settle() error {
	safe, doubt := c.ledger.State()
	if doubt != "" {
		return &doubtError{cause: doubt}
	}
	landed := 0
	for landed < len(c.flight) && c.flight[landed].last <= safe {
		landed++
	}
	if landed == 0 {
		return nil
	}
	return c.commit(landed)
}

// commit saves the first n flights.
func (c *collector) commit(n int) error {
	next := c.committed
	next.history = next.history.Clone()
	for _, f := range c.flight[:n] {
		if !f.through.IsZero() {
			next.through = f.through
		}
		next.batch = f.last
		next.history.Replace(f.minutes)
		if f.columns != nil {
			next.columns = f.columns
		}
		next.reconciled = plan.Later(next.reconciled, f.reconciled)
	}
	if err := c.save(next); err != nil {
		return err
	}
	c.flight = c.flight[:copy(c.flight, c.flight[n:])]
	c.committedAt = time.Now()
	c.seen.Expire(c.floor())
	c.doubts.Reset()
	return nil
}

// relieve bounds the memory when the checkpoint stands still, say because the engine's monitoring API is away: it forgets what no sweep will
// read again. A crash then repeats more than it had to, and reconciliation too.
func (c *collector) relieve() {
	if c.seen.Count > maxStandstill && time.Since(c.committedAt) > standstill {
		floor := plan.Earlier(c.planner.Through, c.clock.Now()).Add(-c.cfg.Overlap).Truncate(time.Minute) // so that both have whole minutes
		c.seen.Expire(floor)
		c.uncounted.Expire(floor)
	}
}

const (
	maxStandstill = 1_000_000 // identities, 40 MB
	standstill    = 10 * time.Minute
)

// floor is where the next sweep starts: what happened before it need not be remembered.
func (c *collector) floor() time.Time {
	return plan.Earlier(c.committed.through, c.clock.Now()).Add(-c.cfg.Overlap)
}

// save writes next, with what its batches carried, to disk and then makes it the committed state.
func (c *collector) save(next committed) error {
	floor := plan.Earlier(next.through, c.clock.Now()).Add(-c.cfg.Overlap)
	next.seen = c.seen.Store(floor, next.batch)
	c.uncounted.Count(next.batch, next.history)
	next.history.Expire(next.through.Add(-c.cfg.ReconcileWindow))
	if err := c.write(next); err != nil {
		return err
	}
	c.committed = next
	c.uncounted.Counted(next.batch)
	c.stats.commits.Add(1)
	c.stats.through.Store(next.through.Unix())
	return nil
}

// write writes state as it is.
func (c *collector) write(state committed) error {
	err := c.file.Save(checkpoint.State{
		Through: state.through, From: state.from, Key: state.key, Seen: state.seen, Minutes: state.history.Store(),
		Columns: state.columns, Reconciled: state.reconciled,
	})
	if err != nil {
		return &doubtError{cause: fmt.Sprintf("the checkpoint cannot be saved: %v", err), save: true}
	}
	return nil
}

// refetch goes back to the checkpoint, because of doubt. Identities of what is safe stay known, so only what may be lost is handed over
// again.
//
// A checkpoint that cannot be saved counts as doubt too: on a full disk the engine drops chunks (measured on 5.1.1), so that what was handed
// over since the last save may be gone. Nothing more is handed over until saving works again.
func (c *collector) refetch(ctx context.Context, doubt *doubtError) {
	c.stats.refetches.Add(1)
	safe, _ := c.ledger.State()
	if doubt.save {
		safe = c.committed.batch
	}
	if c.ledger.SlowCopy() {
		// A processor on the input works while the batch is copied; a large batch would be taken for a full buffer for ever.
		c.limit = max(c.limit/2, min(leastBatch, c.cfg.BatchBytes))
	}
	c.revert(safe)
	c.log.Errorf("%s; fetches again everything after %s", doubt.cause, c.committed.through.Format(time.RFC3339))
	c.status(schema.Status{Kind: schema.StatusRefetched, From: c.committed.through, Message: "what was handed over may have been lost and is fetched again", Detail: doubt.cause})
	for c.sleepPlain(ctx, c.doubts.Next(doubt)) {
		if !doubt.save || c.planner == nil { // without a planner there is no state yet that could be saved
			return
		}
		err := c.write(c.committed)
		if err == nil {
			c.log.Infof("the checkpoint can be saved again")
			return
		}
		c.log.Errorf("%v; nothing is handed over until it can be, and nothing is lost meanwhile", err)
	}
}

// leastBatch is the smallest that slow copies make a batch, in bytes.
const leastBatch = 64_000

// revert forgets what is not part of the checkpoint, but for the identities of batches up to safe, which are still to be counted.
func (c *collector) revert(safe uint32) {
	c.seen.Revert(safe)
	c.uncounted.Revert(safe)
	for _, f := range c.flight {
		c.statuses = append(c.statuses, f.statuses...)
	}
	c.statuses = append(c.statuses, c.carried...)
	c.carried, c.flight = nil, nil
	c.data, c.records = c.data[:0], 0
	c.ledger.Reset()
	c.reconciler.cancel()
	if c.planner != nil {
		c.planner.Reset(c.committed.through)
		c.nextPoll = time.Time{}
	}
}

// finish saves, when the instance ends, what became safe since the last commit: also the identities of a window that was not read whole,
// so that a restart hands over none of its events again.
func (c *collector) finish() {
	if err := c.settle(); err != nil {
		c.log.Errorf("%v; what was handed over since %s will be fetched again", err, c.committed.through.Format(time.RFC3339))
		return
	}
	safe, _ := c.ledger.State()
	if c.planner == nil || safe <= c.committed.batch {
		return
	}
	next := c.committed
	next.history, next.batch = next.history.Clone(), safe
	if err := c.save(next); err != nil {
		c.log.Errorf("%v; what was handed over since %s will be fetched again", err, c.committed.through.Format(time.RFC3339))
	}
}
