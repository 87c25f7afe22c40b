package handover

import (
	"context"
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Watch makes batches safe for commit_on delivery: it reads from the engine's monitoring API when what was handed over has left the engine.
//
// Delivered means, in this order: the input's record counter equals what was handed over; its chunks are gone in a figure that is younger
// than that; and no output has dropped anything in a figure that is younger still. Measured on 3.2.10 and 5.1.1: chunk figures are renewed
// every 5 s, counters every 1–2 s, and for the first seconds the address answers 404 or nothing.
type Watch struct {
	api    *Engine
	ledger *Ledger
	log    *logline.Queue

	base      int64     // the input's counter when nothing was handed over
	drops     int64     // what outputs had dropped when last looked at
	records   int64     // handed over, of the group that is followed
	changedAt time.Time // when records was noted
	countedAt time.Time // when the engine had counted them all; zero = not yet
	goneAt    time.Time // when the chunks were seen gone
	recounts  int       // in a row without a delivery
	recountAt time.Time // the last of them
	heldAt    time.Time // since when nothing is handed over, so that the engine can drain; zero = not held
	openAt    time.Time // since when it is handed over again although the engine had not drained
	idleAt    time.Time // when the figures were read last while nothing was on its way
	failingAt time.Time // since when the API does not answer
	warnedAt  time.Time
}

const (
	watchInterval = time.Second
	chunkAge      = 7 * time.Second  // a chunk figure read so long after the count is younger than it
	dropAge       = 3 * time.Second  // the same for the outputs' counters
	groupTime     = 10 * time.Second // for so long batches are handed over before the engine gets time to drain
	drainPatience = 30 * time.Second // for so long it gets it: one dead output must not stop the others
	lostAfter     = time.Minute      // what the engine has not counted by then was dropped on its way in
	apiPatience   = 30 * time.Second
	maxRecounts   = 2                // then the counter is off for another reason, and fetching again at once would never end …
	recountAgain  = 30 * time.Minute // … but now and then it must be tried, since losses come in rows too
)

// NewWatch makes a watch that asks api about what it finds in ledger.
func NewWatch(api *Engine, ledger *Ledger, log *logline.Queue) *Watch {
	return &Watch{api: api, ledger: ledger, log: log}
}

// Run looks once a second until ctx ends.
func (w *Watch) Run(ctx context.Context) { persist(ctx, w.log, func() { w.run(ctx) }) }

func (w *Watch) run(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look(ctx)
		}
	}
}

// look reads the figures if something waits for delivery, and draws the conclusions.
func (w *Watch) look(ctx context.Context) {
	number, records, since := w.ledger.handed()
	if since.IsZero() {
		w.idle(ctx)
		return
	}
	figures, err := w.api.read(ctx)
	if err != nil {
		w.failing(err)
		return
	}
	w.failingAt = time.Time{}
	switch {
	case figures.drops > w.drops:
		w.drops = figures.drops
		w.doubt("an output dropped records or gave up on them (its own log lines say why; retry_limit no_limits keeps it from giving up, but not from dropping what the destination refuses for good, such as a 4xx)")
	case w.delivered(figures, int64(records)):
		w.recounts = 0
		w.release()
		w.openAt = time.Time{}
		w.ledger.Deliver(number)
	default:
		w.gate(since)
	}
}

// idle notes, now and then, what outputs drop while nothing of this input is on its way: that is not this input's.
func (w *Watch) idle(ctx context.Context) {
	w.release()
	w.openAt = time.Time{}
	if time.Since(w.idleAt) < groupTime {
		return
	}
	w.idleAt = time.Now()
	if figures, err := w.api.read(ctx); err == nil {
		w.drops = figures.drops
	}
}

// delivered follows one group from counted over gone to delivered.
func (w *Watch) delivered(f figures, records int64) bool {
	now := time.Now()
	if records != w.records || f.records != w.base+records {
		w.goneAt = time.Time{}
		w.count(f, records, now)
		return false
	}
	switch {
	case w.countedAt.IsZero():
		w.countedAt = now
	case w.goneAt.IsZero():
		if now.Sub(w.countedAt) >= chunkAge && f.chunks == 0 {
			w.goneAt = now
		}
	case now.Sub(w.goneAt) >= dropAge:
		return true
	}
	return false
}

// count compares the engine's counter with what was handed over.
func (w *Watch) count(f figures, records int64, now time.Time) {
	if records != w.records {
		w.records, w.countedAt, w.changedAt = records, time.Time{}, now
		return
	}
	w.countedAt = time.Time{}
	expected := w.base + records
	switch {
	case f.records > expected && w.recounts > 0:
		w.base = f.records - records // what was thought lost had only been slow
	case f.records > expected:
		w.warn("the engine counts %d records of input %q, but only %d were handed over: engine_input names another input. The checkpoint stands still, events flow on", f.records, f.input, expected)
	case now.Sub(w.changedAt) < lostAfter:
	case w.recounts < maxRecounts || now.Sub(w.recountAt) >= recountAgain:
		w.recounts++
		w.recountAt = now
		w.base = f.records - records
		w.doubt("the engine never counted some of the records that it had copied")
	default:
		w.warn("the engine counts fewer records of input %q than were handed over, again and again: does a processor drop some? The checkpoint stands still, events flow on", f.input)
	}
}

// gate stops the hand-over for a while, since under a steady stream the chunks may never all be gone.
func (w *Watch) gate(since time.Time) {
	now, patience := time.Now(), drainPatience
	if w.openAt.After(since) {
		since = w.openAt
	}
	if w.countedAt.IsZero() { // what the engine has not counted may be lost: only standing still can show it
		patience = lostAfter + groupTime
	}
	switch {
	case !w.heldAt.IsZero():
		if now.Sub(w.heldAt) >= patience {
			w.release()
			w.openAt = now
		}
	case now.Sub(since) >= groupTime:
		w.heldAt = now
		w.ledger.setHold(true)
	}
}

func (w *Watch) release() {
	if !w.heldAt.IsZero() {
		w.heldAt = time.Time{}
		w.ledger.setHold(false)
	}
}

func (w *Watch) doubt(cause string) {
	w.goneAt, w.countedAt = time.Time{}, time.Time{}
	w.release()
	w.ledger.doubtful(cause)
}

// failing lets events flow on while the figures cannot be read.
func (w *Watch) failing(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	w.goneAt, w.countedAt = time.Time{}, time.Time{}
	if w.failingAt.IsZero() {
		w.failingAt = time.Now()
	}
	if time.Since(w.failingAt) >= apiPatience {
		w.release()
		w.warn("commit_on delivery: %v. The checkpoint stands still, events flow on", err)
	}
}

func (w *Watch) warn(format string, args ...any) {
	if w.warnedAt.IsZero() || time.Since(w.warnedAt) >= logline.RareInterval {
		w.warnedAt = time.Now()
		w.log.Warnf(format, args...)
	}
}
