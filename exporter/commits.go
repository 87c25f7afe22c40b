package exporter

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// commits turns batches that are safe into a checkpoint. A commit does this, and in this order, which is the
// guarantee:
//
//  1. take the identities that the next sweep will meet again, of safe batches alone (seen.Store);
//  2. add what those batches carried to copies of the history and of the hours (pending.Count);
//  3. let the copies forget what reconciliation no longer reads (history.Expire, hours.Fold);
//  4. write all of it to disk in one atomic replacement (saved.save);
//  5. only then make it what is committed (also saved.save);
//  6. only then forget what the checkpoint now has (pending.Counted, seen.Expire, strays.Expire).
//
// A crash before 4 repeats what the batches carried; a crash after 4 repeats nothing. A failure of 4 changes nothing.
type commits struct {
	saved  saved
	ledger *handover.Ledger
	stats  *stats
	clock  *plan.Clock
	doubts *source.Retry // pauses of fetching again because something may be lost

	overlap         time.Duration
	reconcileWindow time.Duration
	volatile        []string      // columns that change while the events stay the same
	sharedIDs       []string      // hashes of texts in event_id that are none
	slack           time.Duration // how much longer than the overlap events are remembered

	seen    *dedup.Seen    // what was handed over since the floor
	pending *dedup.Pending // what was handed over and is in no checkpoint
	byID    *dedup.Pending // the same of what hours count
	strays  *dedup.Strays  // what was handed over and has no minute
	flights []flight       // windows that were read whole and wait for their batches to be safe
	at      time.Time      // of the last commit of a flight, by the local clock
	forgot  time.Time      // the latest time before which identities are forgotten, perhaps by a wrong clock
	anew    []plan.Window  // stretches that are read again and whose identities are forgotten
	back    time.Time      // what is read again begins here, which the next commit notes; zero = there is none
	unsure  time.Time      // see committed
	bound   time.Time      // floor of committed
	silent  bool           // moves are said in the log alone
	parts   parts          // of windows

	committed func(through time.Time) // is told where the checkpoint is after each flight
}

// flight is a part of the collection that was read whole and whose batches are on their way: when the last of them is
// safe, it is committed.
type flight struct {
	last       uint32          // number of its last batch
	through    time.Time       // where the checkpoint moves; zero = it stays
	columns    []string        // of the last answer, nil = as before
	found      found           // what reconciliation handed over that had been missing
	issued     []dedup.Hour    // hours that its batches say something of
	deep       *deepCursor     // where deep reconciliation is then; nil = as before
	reconciled time.Time       // when it ends a reconciliation
	rowLimit   int             // that was known then; 0 = none
	statuses   []schema.Status // that its batches carry
}

// doubtError says that something handed over may be lost, or cannot be noted: everything since the checkpoint must be
// fetched again.
type doubtError struct {
	cause string
	save  bool // the checkpoint could not be saved
}

func (e *doubtError) Error() string { return e.cause }

// defect is the error for a panic: nothing that was not saved yet counts.
func defect(reason any) error {
	return &doubtError{cause: fmt.Sprintf("a defect of the plugin, please report it: %v", reason)}
}

// newCommits loads the checkpoint. Its errors are for the person who set checkpoint_path.
func newCommits(
	cfg config.Config, file *checkpoint.File, ledger *handover.Ledger, stats *stats, clock *plan.Clock,
) (*commits, error) {
	saved, err := loadSaved(file, cfg.CheckpointPath, cfg.Overlap)
	if err != nil {
		return nil, err
	}
	seen, err := dedup.LoadSeen(saved.state.seen)
	if err != nil {
		return nil, unreadable(cfg.CheckpointPath, err)
	}
	strays, err := dedup.LoadStrays(saved.state.strays, saved.state.through)
	if err != nil {
		return nil, unreadable(cfg.CheckpointPath, err)
	}
	strays.Off = cfg.ReconcileInterval == 0
	// Versions before this one noted events under whatever time they had, 2100 say, and never forgot them. What is
	// dated later than any window that can have been read is noted under that.
	if !saved.state.through.IsZero() {
		latest := saved.state.through.Add(cfg.MaxWindow + longestWindow)
		seen.Limit(latest)
		saved.state.history.Limit(latest)
	}
	passed := saved.state.through
	if !saved.state.unsure.IsZero() {
		passed = time.Time{} // it may lie in the future
	}
	clock.Resume(saved.state.behind, passed)
	c := &commits{
		saved: saved, ledger: ledger, stats: stats, clock: clock,
		overlap: cfg.Overlap, reconcileWindow: cfg.ReconcileWindow,
		doubts: source.NewRetry(cfg.RetryMaxInterval),
		seen:   seen, pending: dedup.NewPending(), byID: dedup.NewPending(), strays: strays,
		at: time.Now(), unsure: saved.state.unsure,
		volatile:  slices.Clone(saved.state.volatile),
		sharedIDs: slices.Clone(saved.state.sharedIDs),
		parts:     parts{at: time.Now()},
		forgot:    plan.Later(saved.state.through.Add(-cfg.Overlap), saved.state.floor),
		bound:     saved.state.floor,
		silent:    !cfg.StatusEvents,
	}
	if oldest, ok := seen.Oldest(); ok { // what was older than the overlap was remembered for a reason
		c.remember(min(saved.state.through.Add(-cfg.Overlap).Sub(oldest), longestLag(cfg)))
	}
	return c, nil
}

// longestLag is how much earlier than the endpoint's own time an event_time can be without that a usual poll, which
// begins an overlap before what was read, would see it before its window.
func longestLag(cfg config.Config) time.Duration { return cfg.Overlap + 2*cfg.PollInterval }

// longestWindow is the longest that max_window is usually set to: it may have been longer in the last run.
const longestWindow = 30 * 24 * time.Hour

// through is the checkpoint: everything up to there is safe.
func (c *commits) through() time.Time { return plan.EarlierSet(c.back, c.saved.state.through) }

// from is where the collection began.
func (c *commits) from() time.Time { return c.saved.state.from }

// floor is where the next sweep starts: what happened before it need not be remembered.
func (c *commits) floor() time.Time { return c.floorOf(c.saved.state) }

func (c *commits) floorOf(state committed) time.Time {
	return plan.Earlier(state.through, c.clock.Now()).Add(-c.overlap)
}

// remember notes that an event's time may be so much before the one that the endpoint files it under. Then windows
// answer events that happened before they begin, and these must still be known.
func (c *commits) remember(lag time.Duration) { c.slack = max(c.slack, lag) }

// begin saves where the collection begins, or begins anew, and what start_time says so, before anything is read: a
// crash must not move it.
func (c *commits) begin(start time.Time, said string) error {
	next := c.saved.state
	next.start, c.bound = said, time.Time{}
	next.through, next.from = start, start
	next.history, next.hours = next.history.Clone(), next.hours.Clone()
	return c.save(next)
}

// maxFlights bounds what is remembered of windows while the checkpoint cannot move, say because the engine's
// monitoring API is away: beyond it, two become one.
const maxFlights = 1024

// land notes a flight. Without batches on their way before it, it is safe at once.
func (c *commits) land(f flight) {
	c.flights = append(c.flights, f)
	if len(c.flights) > maxFlights {
		c.flights[1] = joinFlights(c.flights[0], c.flights[1])
		c.flights = c.flights[1:]
	}
}

func joinFlights(a, b flight) flight {
	b.statuses = append(a.statuses, b.statuses...)
	if b.through.IsZero() {
		b.through = a.through
	}
	if b.reconciled.IsZero() {
		b.reconciled = a.reconciled
	}
	if b.deep == nil {
		b.deep = a.deep
	}
	b.issued = append(a.issued, b.issued...)
	b.found = a.found.join(b.found)
	return b
}

// settle commits what is safe. It is what upkeep calls.
func (c *commits) settle() error {
	safe, doubt := c.ledger.State()
	if doubt != "" {
		return &doubtError{cause: doubt}
	}
	landed := 0
	for landed < len(c.flights) && c.flights[landed].last <= safe {
		landed++
	}
	if landed > 0 {
		if err := c.commit(landed); err != nil {
			return err
		}
	}
	_ = c.savePart(safe) // the file is as before then; a commit that fails as well says so
	return nil
}

// commit saves the first n flights.
func (c *commits) commit(n int) error {
	next := c.saved.state
	next.through = c.through()
	next.history, next.hours = next.history.Clone(), next.hours.Clone()
	for _, f := range c.flights[:n] {
		if !f.through.IsZero() {
			next.through = f.through
		}
		next.batch = f.last
		next.history.Apply(f.found.minutes)
		next.hours.Apply(f.found.ids, f.found.hours)
		next.hours.Issue(f.issued)
		if f.deep != nil {
			next.deep = *f.deep
		}
		if f.columns != nil {
			next.columns = f.columns
		}
		next.reconciled = plan.Later(next.reconciled, f.reconciled)
		next.rowLimit = f.rowLimit
		if c.silent || slices.ContainsFunc(f.statuses, schema.Status.TellsMove) {
			next.moves = next.moves.Told()
		}
	}
	if err := c.save(next); err != nil {
		return err
	}
	c.flights = c.flights[:copy(c.flights, c.flights[n:])]
	c.at = time.Now()
	c.committed(next.through)
	c.forget(c.floor().Add(-c.slack))
	c.doubts.Reset()
	return nil
}

// save commits next, whose history and hours must be clones, with what its batches carried.
func (c *commits) save(next committed) error {
	c.fill(&next)
	if err := c.saved.save(next); err != nil {
		return err
	}
	c.parts.saved, c.parts.at = next.batch, time.Now()
	c.anew, c.back = nil, time.Time{}
	c.pending.Counted(next.batch)
	c.byID.Counted(next.batch)
	c.strays.Expire(next.through.Add(-c.reconcileWindow), next.through)
	c.stats.commits.Add(1)
	c.stats.committed.Store(time.Now().UnixNano())
	c.stats.through.Store(next.through.Unix())
	return nil
}

// fill completes next, whose history and hours must be clones, with what its batches carried.
func (c *commits) fill(next *committed) {
	c.unsure = plan.EarlierSet(c.unsure, c.clock.Unsure())
	next.unsure, next.behind = c.unsure, c.clock.Behind()
	if next.floor = c.bound; !next.through.Add(-c.overlap).Before(next.floor) {
		next.floor = time.Time{} // no poll begins before it any more
	}
	next.moves = next.moves.Since(next.through)
	next.volatile, next.sharedIDs = slices.Clone(c.volatile), slices.Clone(c.sharedIDs)
	next.seen = c.seen.Store(c.floorOf(*next).Add(-c.slack), next.batch)
	for _, w := range c.anew { // before what is read there again counts
		next.history.Forget(w.Start, w.End)
		next.hours.Forget(w.Start, w.End)
	}
	c.pending.Count(next.batch, next.history)
	next.hours.Count(c.byID, next.batch)
	oldest := next.through.Add(-c.reconcileWindow)
	next.history.Expire(oldest)
	next.hours.Fold(oldest, next.through.Add(-source.Retention-time.Hour))
	next.strays = c.strays.Store(oldest, next.through, next.batch)
}

// saveAgain writes the committed state as it is: it reports whether the checkpoint can be saved at all.
func (c *commits) saveAgain() error {
	c.parts.saved = c.saved.state.batch
	return c.saved.save(c.saved.state)
}

// revert forgets what is not part of the checkpoint, but for the identities of safe batches, which are still
// to be counted. When the checkpoint could not be saved, none of those count. It returns the statuses that
// were on their way.
func (c *commits) revert(safe uint32) (statuses []schema.Status) {
	c.seen.Revert(safe)
	c.pending.Revert(safe)
	c.byID.Revert(safe)
	c.strays.Revert(safe)
	for _, f := range c.flights {
		statuses = append(statuses, f.statuses...)
	}
	c.flights = nil
	c.ledger.Reset()
	return statuses
}

const (
	maxStandstill = 1_000_000 // identities, 40 MB
	standstill    = 10 * time.Minute
)

// readAnew notes that everything since start is read again: what is older than the identities that are remembered
// counts anew.
func (c *commits) readAnew(start time.Time) {
	c.back = plan.EarlierSet(c.back, start)
	for i := range c.flights {
		if f := &c.flights[i]; !f.through.IsZero() {
			f.through = plan.Earlier(f.through, start)
		}
	}
	begin := start.Add(-c.overlap)
	if start.Before(c.bound) {
		c.bound = time.Time{}
	}
	if begin = plan.Later(begin, c.bound); begin.Before(c.forgot) {
		c.anew = append(c.anew, plan.Window{Start: begin, End: c.forgot})
	}
}

// forget forgets the identities of what happened before floor.
func (c *commits) forget(floor time.Time) {
	c.seen.Expire(floor)
	c.forgot = plan.Later(c.forgot, floor)
}

// expected are the minutes and hours as they will be when all that is on its way is committed.
func (c *commits) expected() (minutes *dedup.History, hours *dedup.Hours) {
	minutes, hours = c.saved.state.history.Clone(), c.saved.state.hours.Clone()
	for _, w := range c.anew {
		minutes.Forget(w.Start, w.End)
		hours.Forget(w.Start, w.End)
	}
	c.pending.Count(math.MaxUint32, minutes)
	hours.Count(c.byID, math.MaxUint32)
	for _, f := range c.flights {
		minutes.Apply(f.found.minutes)
		hours.Apply(f.found.ids, f.found.hours)
	}
	return minutes, hours
}

// deepAt is where deep reconciliation stands when all that is on its way is committed.
func (c *commits) deepAt() deepCursor {
	cursor := c.saved.state.deep
	for _, f := range c.flights {
		if f.deep != nil {
			cursor = *f.deep
		}
	}
	return cursor
}

// relieve bounds the memory when the checkpoint stands still, say because the engine's monitoring API is
// away: it forgets what no sweep after read will read again. A crash then repeats more than it had to, and
// reconciliation too.
func (c *commits) relieve(read time.Time) {
	if c.seen.Count > maxStandstill && time.Since(c.at) > standstill {
		// so that both have whole minutes
		floor := plan.Earlier(read, c.clock.Now()).Add(-c.overlap).Truncate(time.Minute)
		c.forget(floor)
		c.pending.Expire(floor)
	}
}

// finish saves what became safe since the last commit, of a window that was not read whole too, so that a
// restart hands over none of its events again.
func (c *commits) finish() error {
	if err := c.settle(); err != nil {
		return err
	}
	safe, _ := c.ledger.State()
	c.parts.at = time.Time{} // at once
	return c.savePart(safe)
}
