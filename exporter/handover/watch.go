package handover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Watch makes batches safe by what the engine's monitoring API tells: with commit_on delivery all of them,
// with handoff those that were not found in storage.
//
// The order is: the input's record counter equals what was handed over, so that the engine's main thread has
// dealt with all of it; then proof decides. Figures of one moment are enough. Where they are of different
// ages (see snapshot), or other inputs are busy, a figure of this input's chunks that is younger than the
// count must be 0 first, and then the outputs' figures must be younger still.
type Watch struct {
	api    figures
	ledger *Ledger
	log    *logline.Queue
	facts  *Facts
	mode   string // what it says in front of its lines
	proof  proof
	keeper Keeper

	base      int64     // the input's counter when nothing was handed over
	records   int64     // handed over, of the group that is followed
	changedAt time.Time // when records was noted
	countedAt time.Time // when the engine had counted them all; zero = not yet
	goneAt    time.Time // when the chunks were seen gone
	recounts  int       // in a row without a delivery
	recountAt time.Time // the last of them
	errors    int64     // lines in the engine's log when nothing was on its way
	heldAt    time.Time // since when nothing is handed over, so that the engine can drain; zero = not held
	openAt    time.Time // since when it is handed over again although the engine had not drained
	idleAt    time.Time // when the figures were read last while nothing was on its way
	failingAt time.Time // since when the API does not answer
	warnedAt  time.Time
	keptAt    time.Time // when a record that could not be kept was tried to be

	stream  stream        // proves batches while others follow
	drained time.Duration // how long the engine took to drain when it was held last; 0 = it was not yet
	vain    int           // how often in a row it did not drain when it was held
	last    freshness     // of the figures that were read last
}

// figures is the engine as far as it can be asked.
type figures interface {
	read(ctx context.Context) (*snapshot, error)
}

const (
	watchInterval = time.Second            // between figures
	watchClosely  = 250 * time.Millisecond // between looks for new ones while something is on its way
	chunkAge      = 7 * time.Second        // a chunk figure of one input read so long after the count is younger than it
	dropAge       = 3 * time.Second        // the same for the outputs' counters
	groupMost     = 6 * time.Second        // batches are handed over for so long, at most, before the engine may drain, …
	groupDrains   = 4                      // … at most so many times as long as it took to drain, …
	groupVain     = time.Minute            // … or so long while it does not drain
	idleInterval  = 10 * time.Second       // between figures while nothing is on its way
	drainPatience = 30 * time.Second       // for so long it gets it: one dead output must not stop the others
	lostAfter     = time.Minute            // what the engine has not counted by then was dropped on its way in
	apiPatience   = 30 * time.Second
	maxRecounts   = 2                // then the counter is off for another reason, and fetching again would never end …
	recountAgain  = 30 * time.Minute // … but now and then it must be tried, since losses come in rows too
	standstill    = time.Minute      // then it is said why nothing is committed
)

// NewWatch makes a watch that asks api about what it finds in ledger; setting is the one that it serves. What
// it learns of the engine it notes in facts, and it gives to keeper what outputs refuse.
func NewWatch(
	api *Engine, ledger *Ledger, facts *Facts, keeper Keeper, log *logline.Queue, setting string,
) *Watch {
	return &Watch{
		api: api, ledger: ledger, facts: facts, keeper: keeper, log: log, mode: setting, errors: unknown,
	}
}

// Run looks once a second until ctx ends.
func (w *Watch) Run(ctx context.Context) { persist(ctx, w.log, func() { w.run(ctx) }) }

func (w *Watch) run(ctx context.Context) {
	for rest := watchClosely; ; rest = max(watchClosely, w.last.rest()) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
			w.look(ctx)
		}
	}
}

// look reads the figures if something waits for proof, and draws the conclusions.
func (w *Watch) look(ctx context.Context) {
	w.keepUnkept()
	if _, doubt := w.ledger.State(); doubt != "" {
		return // what is lost is not missed again, so that all would seem delivered
	}
	before := w.ledger.handed()
	if before.since.IsZero() {
		w.idle(ctx)
		return
	}
	if !w.last.due() {
		return
	}
	s, err := w.api.read(ctx)
	if err != nil {
		w.last.failed()
		w.failing(err, before.since)
		return
	}
	w.failingAt = time.Time{}
	if w.last.sees(s) {
		return
	}
	after := w.ledger.handed()
	if after.copying {
		return // the figures may count it
	}
	w.facts.learn(s, uint64(max(s.input().records-w.base, 0)))
	w.proof.meet(s)
	if after.records == before.records {
		w.conclude(s, after)
	} else { // the figures may count what came meanwhile, or not
		w.follow(s, after)
	}
}

// conclude judges figures that were read when nothing was handed over meanwhile.
func (w *Watch) conclude(s *snapshot, h handed) {
	since := h.since
	switch v := w.judge(s, int64(h.records)); v.finding {
	case proven:
		w.recounts = 0
		w.facts.route(true)
		w.settled(s)
		w.stream.begin(s, &w.proof, int64(h.records))
		w.deliver(h.number)
	case refused:
		w.refused(v.why)
	case doubtful:
		w.doubt(v.why)
	case immovable:
		if w.proof.unrouted {
			w.facts.route(false)
		}
		w.gate(since)
		w.warn(standstill, v.why)
	default:
		if w.follow(s, h) {
			return
		}
		w.gate(since)
		if time.Since(since) >= standstill && v.why != "" {
			w.warn(logline.RareInterval, v.why)
		}
	}
}

// follow makes safe what is delivered while batches after it are on their way, and reports whether something is.
func (w *Watch) follow(s *snapshot, h handed) bool {
	n := w.stream.proves(s, h.onTheirWay, int64(h.records))
	if n == 0 {
		return false
	}
	w.release()
	w.vain = 0
	w.deliver(h.onTheirWay[n-1].number)
	return true
}

// settled notes that nothing is on its way.
func (w *Watch) settled(s *snapshot) {
	if !w.heldAt.IsZero() {
		w.drained = time.Since(w.heldAt)
	}
	w.release()
	w.openAt, w.vain = time.Time{}, 0
	w.errors = s.errors
	w.proof.writeSafe = false
	w.goneAt, w.countedAt, w.records = time.Time{}, time.Time{}, 0
}

// idle notes, now and then, what outputs drop while nothing of this input is on its way: that is not this input's.
func (w *Watch) idle(ctx context.Context) {
	w.release()
	w.openAt = time.Time{}
	if time.Since(w.idleAt) < idleInterval {
		return
	}
	w.idleAt = time.Now()
	s, err := w.api.read(ctx)
	if err != nil {
		w.facts.silent(err, time.Now())
		return
	}
	w.facts.learn(s, uint64(max(s.input().records-w.base, 0)))
	w.proof.meet(s)
	w.proof.drops, w.errors = s.drops(), s.errors
	w.tryAgain()
}

// judge follows one group from handed over to delivered.
func (w *Watch) judge(s *snapshot, records int64) verdict {
	now := time.Now()
	if drops := s.drops(); drops > w.proof.drops {
		w.proof.drops = drops
		return verdict{refused, "an output dropped records or gave up on them (its own log lines say why; retry_limit " +
			"no_limits keeps it from giving up, but not from dropping what the destination refuses for good, such as a 4xx)"}
	}
	if records != w.records {
		w.records, w.changedAt, w.countedAt, w.goneAt = records, now, time.Time{}, time.Time{}
	}
	if s.input().records != w.base+records {
		w.countedAt, w.goneAt = time.Time{}, time.Time{}
		return w.count(s, records, now)
	}
	if w.countedAt.IsZero() {
		w.countedAt = now
		// Each failed write logs an error.
		w.proof.writeSafe = s.errors != unknown && s.errors == w.errors
	}
	w.proof.writeSafe = w.proof.writeSafe || s.diskless() || w.facts.inMemory() || w.ledger.allStored()
	if v, obstructed := w.proof.obstacles(s); obstructed {
		return v
	}
	if s.whole && !w.proof.busy {
		return w.proof.wholeEngine(s, w.facts.empties())
	}
	return w.aged(s, now)
}

// aged judges where chunk figures are older than the others.
func (w *Watch) aged(s *snapshot, now time.Time) verdict {
	if now.Sub(w.countedAt) < chunkAge {
		return verdict{}
	}
	left := s.mine(func(i inputFigures) int64 { return i.chunks }) - w.facts.ownEmpties()
	if !w.proof.busy {
		left = s.leftover() - w.facts.empties()
	}
	switch {
	case left > 0:
		w.goneAt = time.Time{}
		return wait("%d chunks are still in Fluent Bit", left)
	case w.goneAt.IsZero():
		w.goneAt = now
		return verdict{}
	case now.Sub(w.goneAt) < dropAge:
		return verdict{}
	case w.proof.busy:
		return w.proof.ownRoutes(s)
	}
	return w.proof.wholeEngine(s, w.facts.empties())
}

// count compares the engine's counter with what was handed over. While the input is paused, nothing is taken in.
func (w *Watch) count(s *snapshot, records int64, now time.Time) verdict {
	if s.input().paused || w.ledger.paused() {
		w.changedAt = now
	}
	counted, expected := s.input().records, w.base+records
	switch {
	case counted > expected && w.recounts > 0:
		w.base = counted - records // what was thought lost had only been slow
	case counted > expected:
		return verdict{immovable, fmt.Sprintf("the engine counts %d records of input %q, but only %d were handed over: "+
			"engine_input names another input", counted, s.ours, expected)}
	case now.Sub(w.changedAt) < lostAfter:
	case w.recounts < maxRecounts || now.Sub(w.recountAt) >= recountAgain:
		w.recounts++
		w.recountAt = now
		w.base = counted - records
		return verdict{doubtful, "the engine never counted some of the records that it had copied"}
	default:
		return verdict{immovable, fmt.Sprintf("the engine counts fewer records of input %q than were handed over, again "+
			"and again: does a processor drop some?", s.ours)}
	}
	return wait("the engine has not taken in %d records", expected-counted)
}

// gate stops the hand-over for a while, since under a steady stream the chunks may never all be gone.
func (w *Watch) gate(since time.Time) {
	now, patience := time.Now(), drainPatience
	if w.openAt.After(since) {
		since = w.openAt
	}
	if w.countedAt.IsZero() { // what the engine has not counted may be lost: only standing still can show it
		patience = lostAfter + groupMost
	}
	switch {
	case !w.heldAt.IsZero():
		if now.Sub(w.heldAt) >= patience {
			w.release()
			w.openAt = now
			w.vain++
			w.ledger.Free()
		}
	case now.Sub(since) >= w.group() || w.ledger.isWithheld():
		w.heldAt = now
		w.ledger.setHold(true)
	}
}

// group is for how long batches are handed over before the engine gets time to drain: most of the time, and longer and
// longer while it does not drain.
func (w *Watch) group() time.Duration {
	if w.vain > 0 {
		return min(groupMost<<min(w.vain, 8), groupVain)
	}
	if w.drained == 0 {
		return groupMost
	}
	return min(max(groupDrains*w.drained, 2*watchInterval), groupMost)
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

// failing lets events flow on while the figures cannot be read, although something waits for them since a time.
func (w *Watch) failing(err error, since time.Time) {
	if errors.Is(err, context.Canceled) {
		return
	}
	w.goneAt, w.countedAt = time.Time{}, time.Time{}
	if w.failingAt.IsZero() {
		w.failingAt = time.Now()
	}
	w.facts.silent(err, w.failingAt)
	if min(time.Since(w.failingAt), time.Since(since)) >= apiPatience {
		w.release()
		w.ledger.Free()
		w.warn(logline.RareInterval, err.Error())
	}
}

// warn says why nothing is committed, a reason once in an interval.
func (w *Watch) warn(interval time.Duration, why string) {
	if !w.warnedAt.IsZero() && time.Since(w.warnedAt) < interval {
		return
	}
	w.warnedAt = time.Now()
	w.log.Warnf("%s: %s. The checkpoint stands still, events flow on", w.mode, why)
}
