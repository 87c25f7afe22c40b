package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// collector is the goroutine that does the work of one instance. Nobody else touches its fields.
type collector struct {
	cfg    config.Config
	client *source.Client
	file   *checkpoint.File
	ledger *handover.Ledger
	log    *logline.Queue
	stats  *stats
	report *report
	retry  *source.Retry // of requests
	doubts *source.Retry // of fetching again because something may be lost

	clock      plan.Clock
	planner    *plan.Planner
	nextPoll   time.Time
	decoder    *csv.Decoder
	group      group
	identifier *dedup.Identifier
	seen       *dedup.Seen
	shape      *schema.Encoder
	columns    *event.Columns // of the last response, for shape and identifier

	data    []byte // the batch that is being filled
	records int
	batch   uint32 // its number
	limit   int    // of its bytes: batch_bytes, less once the engine was slow to copy

	committed   committed
	committedAt time.Time
	uncounted   *dedup.Pending
	flight      []flight        // windows that were read whole and wait for their batches to be safe
	statuses    []schema.Status // wait for the next batch
	carried     []schema.Status // are in batches since the last flight
	reconciler  reconciler
	empty       emptyBodies
	ends        doubtfulEnds
	accepted    oldestAccepted
	learned     bool // the server's time
	unsettled   int  // how often it was asked for in vain
	toldGap     bool
	toldFuture  bool
	ahead       int  // sweeps in a row that began with a checkpoint ahead of the server's clock
	announced   bool // that a bounded collection is complete
}

func newCollector(cfg config.Config, client *source.Client, file *checkpoint.File, ledger *handover.Ledger, log *logline.Queue, stats *stats) (*collector, error) {
	c := &collector{
		cfg: cfg, client: client, file: file, ledger: ledger, log: log, stats: stats,
		report: newReport(log), retry: source.NewRetry(cfg.RetryMaxInterval), doubts: source.NewRetry(cfg.RetryMaxInterval), decoder: csv.New(), uncounted: dedup.NewPending(), batch: 1, limit: cfg.BatchBytes,
	}
	state, found := file.State()
	var err error
	if !found {
		// Saved at once, so that a later start knows that it lost nothing even if the endpoint never answered this one.
		state = checkpoint.State{Key: newKey()}
		if err = file.Save(state); err != nil {
			return nil, fmt.Errorf("checkpoint_path: %w", err)
		}
	}
	if c.committed, err = loadCommitted(state); err != nil {
		return nil, fmt.Errorf("checkpoint_path %s: %w; restore the file from a copy, or move it away to start again from start_time", cfg.CheckpointPath, err)
	}
	if c.seen, err = dedup.LoadSeen(state.Seen); err != nil {
		return nil, fmt.Errorf("checkpoint_path %s: %w; restore the file from a copy, or move it away to start again from start_time", cfg.CheckpointPath, err)
	}
	c.identifier = dedup.NewIdentifier(state.Key)
	if !state.Through.IsZero() { // it may be saved before the beginning is known: when the endpoint refuses from the start
		c.resume()
	}
	return c, nil
}

// resume plans on from the checkpoint.
func (c *collector) resume() {
	through := c.committed.through
	c.planner = plan.New(c.limits(), c.committed.from, through)
	c.stats.through.Store(through.Unix())
	c.log.Infof("goes on from the checkpoint %s: everything up to %s is done", c.cfg.CheckpointPath, through.Format(time.RFC3339))
	c.tellStart()
}

// tellStart says that start_time is not used, unless it says where this collection began anyway. That
// of an age does not.
func (c *collector) tellStart() {
	from := c.committed.from
	if c.cfg.Start.At(from.Add(time.Hour)).Truncate(time.Second).Equal(from) {
		return
	}
	c.log.Infof("start_time %s is not used, since there is a checkpoint: this collection began at %s; "+
		"to begin elsewhere, set another checkpoint_path", c.cfg.Start, from.Format(time.RFC3339))
}

// limits are the settings that the plan keeps to.
func (c *collector) limits() plan.Limits {
	return plan.Limits{Overlap: c.cfg.Overlap, MaxWindow: c.cfg.MaxWindow, End: c.cfg.End}
}

// run collects until ctx ends. Whatever fails is tried again; nothing that can heal ends it.
func (c *collector) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.guarded(ctx, c.step)
		for err != nil && ctx.Err() == nil {
			err = c.deal(ctx, err)
		}
	}
}

// defectPause is how long the collector rests when even what follows an error is a panic.
const defectPause = 30 * time.Second

// deal does what follows an error, and returns the doubt that came up meanwhile, if any.
func (c *collector) deal(ctx context.Context, err error) error {
	var before, after *doubtError
	next := c.guarded(ctx, func(ctx context.Context) error {
		if errors.As(err, &before) {
			c.refetch(ctx, before)
			return nil
		}
		return c.fail(ctx, err)
	})
	if !errors.As(next, &after) {
		return nil
	}
	if before != nil { // refetch returns none: it was a panic, and would be one again at once
		c.log.Errorf("%s", after.cause)
		c.sleepPlain(ctx, defectPause)
	}
	return after
}

// guarded turns a panic into an error: a defect that one answer brings out must not take down the
// engine with all its other inputs. The window counts as not read.
func (c *collector) guarded(ctx context.Context, do func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.data, c.records = c.data[:0], 0
			err = defect(r)
		}
	}()
	return do(ctx)
}

// step does the next thing that is due: read a window, begin a sweep, reconcile, or wait.
func (c *collector) step(ctx context.Context) error {
	if !c.learned {
		return c.learn(ctx)
	}
	if c.planner == nil {
		err := c.first()
		c.learned = err == nil // what cannot be saved may be the fault of one wrong Date
		return err
	}
	if w, ok := c.planner.Plan(); ok {
		return c.collect(ctx, w)
	}
	if !c.complete() && !time.Now().Before(c.nextPoll) {
		c.beginSweep()
		return nil
	}
	if c.reconciler.due(c) {
		return c.reconcile(ctx)
	}
	if c.announced {
		return c.sleep(ctx, time.Hour)
	}
	return c.sleep(ctx, time.Until(c.nextPoll))
}

// learn asks the endpoint for its time before anything is planned: a local clock that is wrong at boot must not decide
// what is read, and neither must a single answer with a wrong Date. So it asks again until the clock is settled.
func (c *collector) learn(ctx context.Context) error {
	now := time.Now().Truncate(time.Second).UTC()
	answer, err := c.open(ctx, plan.Window{Start: now.Add(-plan.MinWindow), End: now})
	if err != nil {
		return err
	}
	answer.close()
	c.succeeded()
	if c.clock.Settled() || !c.clock.Known() {
		c.learned, c.unsettled = true, 0
		return nil
	}
	wait := min(time.Second<<c.unsettled, maxUnsettled)
	c.unsettled++
	return c.sleep(ctx, wait)
}

// maxUnsettled is the longest pause between two questions for the server's time while its answers contradict the local
// clock and one another.
const maxUnsettled = 30 * time.Second

// first decides where a collection without a checkpoint begins, by the server's clock, and saves that before anything is read: a crash must
// not move the beginning.
func (c *collector) first() error {
	start := c.cfg.Start.At(c.clock.Beginning()).Truncate(time.Second).UTC()
	begin := c.committed
	begin.through, begin.from = start, start
	if err := c.save(begin); err != nil {
		return err
	}
	c.planner = plan.New(c.limits(), start, start)
	c.log.Infof("found no checkpoint at %s: begins at %s", c.cfg.CheckpointPath, start.Format(time.RFC3339))
	if !c.file.Lost() {
		c.status(schema.Status{Kind: schema.StatusStarted, From: start, Message: "audit collection began"})
		return nil
	}
	c.log.Warnf("there was a checkpoint at %s before: it was lost or moved away, and what was not collected before %s is missing", c.cfg.CheckpointPath, start.Format(time.RFC3339))
	c.status(schema.Status{Kind: schema.StatusCheckpointReset, From: start, Message: "audit collection began anew because its checkpoint is gone; what happened before and was not collected is missing"})
	return nil
}

// beginSweep starts to read up to the server's present, and says what the endpoint no longer has.
func (c *collector) beginSweep() {
	now := c.clock.Now()
	c.nextPoll = time.Now().Add(c.cfg.PollInterval)
	c.readAgain()
	c.tellGaps(now)
	c.goBack(now)
	c.relieve()
	c.planner.Begin(now)
}

// complete says whether end_time was reached for good.
func (c *collector) complete() bool {
	if !c.planner.Done() {
		return false
	}
	if !c.announced {
		c.announced = true
		c.log.Infof("the collection up to end_time %s is complete; this instance is idle now", c.cfg.End.Format(time.RFC3339))
	}
	return true
}

// collect reads one window, forwards what was not seen yet, and notes the window as read.
func (c *collector) collect(ctx context.Context, w plan.Window) error {
	through := c.planner.Through
	rows, err := c.read(ctx, w, c.seen, func(r *event.Row, who dedup.Identity) error { return c.forward(ctx, r, who, w, through) })
	if flushErr := c.flush(ctx); flushErr != nil {
		return flushErr
	}
	if err != nil {
		return c.adapt(w, err)
	}
	c.succeeded()
	c.acceptedLater(w)
	c.planner.NoteRead(w, c.clock.Safe(), rows)
	c.land(flight{through: c.planner.Through})
	c.report.progress(c)
	return c.settle()
}

// adapt plans anew after w failed: up to the present, which may be another than when the sweep began, and with shorter
// windows when err says that w was too much.
func (c *collector) adapt(w plan.Window, err error) error {
	if c.beginLater(w, err) {
		return nil // asked at once: there are at most a dozen steps
	}
	c.planner.Retarget(c.clock.Now())
	if source.ClassOf(err) == source.ClassShrink && c.planner.Shrink(w) {
		return fmt.Errorf("%w; asks for windows of %s", err, c.planner.Length)
	}
	return err
}

// rowGroup is how many rows are decoded before the first of them is looked up: their looks into memory then take as long as one, and what
// they point to still lies in the cache.
const rowGroup = 16

// group is rows on their way from the decoder to the batch.
type group struct {
	rows [rowGroup]event.Row
	who  [rowGroup]dedup.Identity
}

// read asks for a window and calls each for every row of the answer, in the answer's order. Rows that seen knows are found fast. It returns the
// number of rows when the answer was read to its proper end.
func (c *collector) read(ctx context.Context, w plan.Window, seen *dedup.Seen, each func(*event.Row, dedup.Identity) error) (rows int, err error) {
	answer, err := c.open(ctx, w)
	if err != nil {
		return 0, err
	}
	defer answer.close()
	if err := c.header(answer, w); err != nil {
		if errors.Is(err, body.ErrEmptyBody) && c.empty.believe(w) {
			return 0, nil
		}
		return 0, fmt.Errorf("read window %s – %s: %w", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), err)
	}
	c.decoder.Believe = func(end csv.End) bool {
		return (answer.Framed || !end.Torn) && c.ends.believe(w.Start, end, rows)
	}
	defer func() {
		c.decoder.Believe = nil
		c.stats.rows.Add(int64(rows))
		c.group.release()
	}()
	for {
		n, err := c.decoder.Rows(c.group.rows[:])
		switch {
		case err == io.EOF && rows == 0 && !c.decoder.HeaderEnded():
			if c.empty.believe(w) {
				return 0, nil
			}
			return 0, fmt.Errorf("read window %s – %s: %w", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), errBareHeader)
		case err == io.EOF:
			c.empty.sawHeader(rows)
			return rows, nil
		case err != nil:
			return rows, fmt.Errorf("read window %s – %s after %d rows: %w", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339), rows, err)
		}
		rows += n
		if err := c.group.each(c.identifier, seen, n, each); err != nil {
			return rows, err
		}
	}
}

// errBareHeader is an answer that has to come twice, like one without a byte.
var errBareHeader = fmt.Errorf("%w: of a header without a line end, nothing follows it", body.ErrCut)

// release forgets the rows: a huge one would be kept in memory by what points to it.
func (g *group) release() {
	for i := range g.rows {
		g.rows[i].Release()
	}
}

// each calls f for the first n rows.
func (g *group) each(x *dedup.Identifier, seen *dedup.Seen, n int, f func(*event.Row, dedup.Identity) error) error {
	for i := range n {
		g.who[i] = x.Identify(&g.rows[i])
	}
	seen.Touch(g.who[:n])
	for i := range n {
		if err := f(&g.rows[i], g.who[i]); err != nil {
			return err
		}
	}
	return nil
}

// header reads what comes before the first row and prepares for the columns.
func (c *collector) header(answer *answer, w plan.Window) error {
	body, err := body.Open(answer, answer.ContentEncoding, answer.ContentType)
	if err != nil {
		return err
	}
	c.decoder.Reset(body, w.End)
	columns, err := c.decoder.Header()
	if err != nil {
		return err
	}
	if !columns.Equal(c.columns) {
		c.columns = columns
		c.shape = schema.New(c.cfg.Schema, columns)
		c.tellColumns()
	}
	c.identifier.Begin(columns)
	return nil
}

// sleep waits while commits go on.
func (c *collector) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	_, err := await(ctx, c, timer.C)
	return err
}

// sleepPlain waits without a look at the ledger; false means that ctx ended.
func (c *collector) sleepPlain(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// await waits for ch. Meanwhile it saves what becomes safe, and ends with a doubtError when something handed over may be lost.
func await[T any](ctx context.Context, c *collector, ch <-chan T) (got T, err error) {
	for {
		select {
		case got = <-ch:
			return got, nil
		case <-c.ledger.Changed:
			if err := c.settle(); err != nil {
				return got, err
			}
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}
