package exporter

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/health"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/progress"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// collector does the work of one instance, on a goroutine of its own. Nobody else touches its parts, but for
// the keeper, which takes turns with it. Data flows from the reader through the batcher into the ledger; what
// comes back is one call, commits.settle, which reader and batcher make while they wait (see upkeep). No part
// knows the collector.
type collector struct {
	cfg   config.Config
	log   *logline.Queue
	stats *stats
	clock *plan.Clock

	plan     *plan.Planner // what is asked for next; nil until the beginning is known
	reader   *reader       // endpoint → rows
	batcher  *batcher      // rows → batches
	commits  *commits      // safe batches → checkpoint
	notices  *notices      // what is said
	backfill *progress.Backfill
	refusals *refusals  // what outputs refuse for good
	second   reconciler // what was read is read again
	deep     deep       // and, slowly, all that the endpoint still has
	pace     pace       // when, and how long it has been failing

	manifest manifest       // what it says of itself in band
	rowLimit whole.RowLimit // what the endpoint leaves out
	counts   countCheck     // what is read is compared with what the endpoint counts
	fresh    int            // events that were forwarded and had never been seen

	left  func() int // chunk files that an output has yet to take, where that is not what commits wait for
	tally tally      // of the answer that is being read

	catchingUp bool                        // the sweep under way is a backfill
	view       atomic.Pointer[health.View] // for those who ask for the status
}

func newCollector(
	cfg config.Config, client *source.Client, file *checkpoint.File,
	ledger *handover.Ledger, log *logline.Queue, stats *stats,
) (*collector, error) {
	clock := new(plan.Clock)
	commits, err := newCommits(cfg, file, ledger, stats, clock)
	if err != nil {
		return nil, err
	}
	aside, err := file.OpenAside()
	if err != nil {
		return nil, err
	}
	keep := upkeep{changed: ledger.Changed, settle: commits.settle}
	c := &collector{
		cfg: cfg, log: log, stats: stats, clock: clock, commits: commits,
		notices:  newNotices(log, clock, cfg.StatusEvents),
		backfill: progress.New(log, cfg.CommitOn.Safe(), stats.progress),
		refusals: newRefusals(aside, log, stats),
		pace: pace{
			upkeep: keep, retry: source.NewRetry(cfg.RetryMaxInterval), stall: stall{after: cfg.StalledAfter},
			expiry: source.Expiry{At: cfg.CredentialExpires},
		},
	}
	commits.committed = c.backfill.Committed
	c.notices.columns = commits.saved.state.columns
	c.rowLimit.Known = commits.saved.state.rowLimit
	if minutes := slices.Collect(maps.Keys(commits.saved.state.history.Minutes)); len(minutes) > 0 {
		c.stats.count(&tally{newest: event.Nanos(time.Unix(slices.Max(minutes)*60, 0))})
	}
	c.counts.witness.Off = !cfg.CountCheck
	c.reader = &reader{
		client: client, stats: stats, upkeep: keep, observe: c.observe, newColumns: c.newColumns,
		decoder: csv.New(), identifier: dedup.NewIdentifier(commits.saved.state.key),
	}
	c.reader.identifier.Volatile(commits.volatile, c.volatile)
	c.reader.identifier.Shared(commits.sharedIDs, func(id string, rows, of int) {
		commits.sharedIDs = append(commits.sharedIDs, id)
		c.notices.sharedID(rows, of)
	})
	c.batcher = &batcher{
		ledger: ledger, stats: stats, upkeep: keep, seen: commits.seen, schema: cfg.Schema, whose: cfg.Organization,
		most: cfg.BatchBytes, limit: cfg.BatchBytes, number: 1,
	}
	if c.batcher.hide, err = pseudonym.Load(cfg.Pseudonymize, cfg.PseudonymizeKeyFile); err != nil {
		return nil, err
	}
	c.notices.withheld = c.batcher.hide != nil
	// There may be a checkpoint without a beginning: when the endpoint refuses from the start.
	if !commits.through().IsZero() {
		c.resume()
	}
	return c, nil
}

// run collects until ctx ends. Whatever fails is tried again; nothing that can heal ends it.
func (c *collector) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.guarded(ctx, func(ctx context.Context) error {
			c.show()
			return c.step(ctx)
		})
		for err != nil && ctx.Err() == nil {
			err = c.deal(ctx, err)
		}
	}
}

// step does the next thing that is due: read a window, begin a sweep, reconcile, or wait.
func (c *collector) step(ctx context.Context) error {
	if !c.pace.learned {
		return c.learn(ctx)
	}
	if c.plan == nil {
		err := c.chooseStart()
		c.pace.learned = err == nil // what cannot be saved may be the fault of one wrong Date
		return err
	}
	if w, ok := c.plan.Plan(); ok {
		return c.collect(ctx, w)
	}
	if !c.complete() && !time.Now().Before(c.pace.nextPoll) {
		return c.beginSweep(ctx)
	}
	if c.reconcileDue() {
		return c.reconcile(ctx)
	}
	w, due := c.deepWindow()
	if err := c.commits.settle(); err != nil { // a pass may have begun
		return err
	}
	if due {
		return c.reconcileDeep(ctx, w)
	}
	switch {
	case c.pace.announced && !c.ending():
		return c.pause(ctx, time.Hour)
	case c.plan.Done() && len(c.notices.statuses) > 0:
		return c.sendStatuses(ctx)
	case c.plan.Done():
		return c.pause(ctx, time.Second) // until the last commit
	}
	if !c.second.awaited.IsZero() {
		return c.pause(ctx, min(time.Until(c.pace.nextPoll), time.Second)) // until its commit
	}
	return c.pause(ctx, time.Until(c.pace.nextPoll))
}

// collect reads one window, forwards what was not seen yet, and notes the window as read.
func (c *collector) collect(ctx context.Context, w plan.Window) error {
	read := c.forwarding(ctx, c.plan.Through())
	c.counts.begin(c.settled(w))
	got, err := read(w, c.counts.union())
	c.counts.end()
	if errors.Is(err, errExcess) {
		c.succeeded()
		c.plan.Retreat()
		return c.commits.settle()
	}
	if err != nil {
		if err := c.flush(ctx); err != nil {
			return err
		}
		return c.adapt(w, err)
	}
	complete, err := c.readWhole(ctx, w, got, read)
	if err != nil {
		return err
	}
	c.succeeded()
	c.acceptedLater(w)
	if !complete {
		return nil
	}
	c.plan.NoteRead(w, c.clock.Safe(), got.Rows)
	c.counts.proofs.End()
	if err := c.handOver(ctx); err != nil {
		return err
	}
	c.land(flight{through: c.plan.Through()})
	over, proofs := c.plan.Target().IsZero(), ""
	if over {
		proofs = c.counts.proofs.Take()
	}
	c.backfill.Read(c.plan.Through(), over, proofs)
	if err := c.tellAlive(ctx); err != nil {
		return err
	}
	return c.commits.settle()
}

// forwarding returns a function that reads a window and forwards what was not seen yet. through is what had been
// read before.
func (c *collector) forwarding(ctx context.Context, through time.Time) whole.ReadPart {
	return func(w plan.Window, union *whole.Union) (whole.Reading, error) {
		var news whole.News
		in := &asked{w, event.SpanOf(w.Start, w.End), event.Nanos(through)}
		rows, most := 0, c.plan.Most(w)
		began, bytes, knew := time.Now(), c.stats.bytes.Load(), c.fresh
		got, err := c.reader.read(ctx, w, c.commits.seen, func(r *event.Row, who dedup.Identity) error {
			if rows++; rows > most {
				return errExcess
			}
			before, fresh := c.fresh, whole.Mark(union, r, who)
			at := event.Nanos(r.Time)
			c.counts.row(at, fresh)
			err := c.forward(ctx, r, who, at, in)
			news.Note(r, c.fresh-before, fresh)
			return err
		})
		c.stats.count(&c.tally)
		c.log.Debugf("asked for %s – %s: %d rows, %d new, %d bytes, %d ms, request id %s",
			w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), got.Rows, c.fresh-knew, c.stats.bytes.Load()-bytes,
			time.Since(began).Milliseconds(), logline.Cut(logline.Clean(cmp.Or(c.reader.requestID, "none")), 64))
		c.tooFine(w, err)
		news.End(&got)
		return got, err
	}
}

// errExcess ends an answer that has more than was to be expected: what follows is asked for in shorter windows. The
// rows so far are handed over, and known when they come again.
var errExcess = errors.New("more rows than the windows before")

// newColumns prepares for the columns of an answer.
func (c *collector) newColumns(columns *event.Columns) {
	c.batcher.encoder = schema.NewOf(c.cfg.Schema, columns, c.cfg.Organization)
	c.notices.newColumns(c.reader.columnNames())
}

// volatile notes a column that changes while its events stay the same.
func (c *collector) volatile(column string) {
	if name := c.log.Redact(column); name == column && len(name) <= listedName {
		c.commits.volatile = append(c.commits.volatile, name) // what may be a secret is found anew instead
	}
	c.notices.volatile(column)
}

// observe notes the Date of an answer, or of one that refused or failed.
func (c *collector) observe(date time.Time, failed bool) {
	ahead := c.clock.Observe(date)
	c.stats.ahead.Store(int64(ahead))
	c.notices.dated(ahead, date.IsZero() && !failed && !c.clock.Known())
}

// finish saves what is safe, when the instance ends, and closes the connections.
func (c *collector) finish() {
	defer c.reader.client.Close()
	if err := c.commits.finish(); err != nil {
		c.log.Errorf("%v; what was handed over since %s will be fetched again",
			err, c.commits.through().Format(time.RFC3339))
	}
}
