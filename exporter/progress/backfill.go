// Package progress says how far a backfill is, for the person who waits for it.
package progress

import (
	"fmt"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

const (
	interval = 10 * time.Second // between two lines
	patience = 3 * time.Second  // before it can be told how long it will take …
	least    = 0.05             // … and so much of the time must be read …
	most     = 30 * time.Second // … unless that has not come for so long
)

// Figures are what a backfill has cost so far. They only grow.
type Figures struct {
	Events   int64 // forwarded
	Requests int64
}

// Backfill is a catch-up with the endpoint's present that takes more than a usual poll. It is over when all that it
// read is committed. The collecting goroutine tells it what happens, and the engine's thread when time passes: what it
// says must come while the collecting goroutine waits for something.
type Backfill struct {
	log     *logline.Queue
	figures func() Figures
	safe    string // what is done with events before they count, such as "delivered"

	mu     sync.Mutex
	active bool
	begun  time.Time // by the local clock
	before Figures   // when it began

	from, reached, target time.Time // by the server's clock
	swept                 time.Time // it ends when all up to there is committed; zero = it still reads

	first time.Time // where the first sweep ended, if it was none; zero = not yet
	once  bool      // it was said that the collection caught up, which is said after each start

	proofs   string // that it was read whole
	foretold bool   // how long it takes
	told     state
}

// state is what a line tells.
type state struct {
	at      time.Time // of the line
	reached time.Time
	swept   time.Time
	events  int64
}

// New returns a Backfill that has not begun. figures may be called by any goroutine.
func New(log *logline.Queue, safe string, figures func() Figures) *Backfill {
	return &Backfill{log: log, figures: figures, safe: safe}
}

// Begin notes that a sweep begins that is a backfill: everything up to from is read, and it goes on up to target. A
// second one, because the first could not be finished, goes on with it.
func (b *Backfill) Begin(from, target time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.extend(target)
	if b.active {
		return
	}
	b.active, b.begun, b.before, b.foretold = true, time.Now(), b.figures(), false
	b.from, b.reached, b.target = from, from, target
	b.told = state{at: b.begun, reached: from, events: b.before.Events}
	b.log.Infof("backfill: reads from %s to %s", from.Format(time.RFC3339), target.Format(time.RFC3339))
}

// Sweep notes that a sweep begins, of whatever length. It matters to a backfill that is under way.
func (b *Backfill) Sweep(target time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.extend(target)
}

func (b *Backfill) extend(target time.Time) {
	if b.active && b.swept.IsZero() {
		b.target = target
	}
}

// Read notes that everything up to reached is read, and whether the sweep is over; proofs then says what shows that it
// was read whole, "" for nothing.
func (b *Backfill) Read(reached time.Time, over bool, proofs string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.active && over && b.first.IsZero() {
		b.first = reached
	}
	if !b.active || !b.swept.IsZero() {
		return
	}
	if b.reached = reached; over {
		b.swept, b.proofs = reached, proofs
	}
}

// Again notes that what is not committed is read again, from there on.
func (b *Backfill) Again(from time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.swept, b.reached, b.first = time.Time{}, from, time.Time{}
}

// Committed notes that everything up to through is committed, which is how a backfill ends.
func (b *Backfill) Committed(through time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.active && !b.once && !b.first.IsZero() && !through.Before(b.first) {
		b.once = true
		b.log.Infof("caught up at %s", through.Format(time.RFC3339))
	}
	if !b.active || b.swept.IsZero() || through.Before(b.swept) {
		return
	}
	b.active, b.swept, b.once = false, time.Time{}, true
	now, took := b.figures(), time.Since(b.begun)
	events := now.Events - b.before.Events
	proofs := b.proofs
	if proofs != "" {
		proofs = "; " + proofs
	}
	b.log.Infof("caught up at %s: %d events %s in %s with %d requests, %.0f events/s%s", through.Format(time.RFC3339),
		events, b.safe, rounded(took), now.Requests-b.before.Requests, rate(events, took), proofs)
}

// Tick says how far it is when that is due, and nothing while nothing has changed. It never waits.
func (b *Backfill) Tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.active {
		return
	}
	now := time.Now()
	if !b.foretold && b.swept.IsZero() && now.Sub(b.begun) >= patience {
		if left, known := b.left(now); known {
			b.foretold = true
			b.log.Infof("backfill: will take about %s at the speed of its first seconds", rounded(now.Sub(b.begun)+left))
		}
	}
	if now.Sub(b.told.at) < interval {
		return
	}
	is := state{now, b.reached, b.swept, b.figures().Events}
	if was := b.told; is.events == was.events && is.reached.Equal(was.reached) && is.swept.Equal(was.swept) {
		return
	}
	b.tell(is)
	b.told = is
}

// tell writes a line.
func (b *Backfill) tell(is state) {
	events := is.events - b.before.Events
	speed := rate(is.events-b.told.events, is.at.Sub(b.told.at))
	if !is.swept.IsZero() {
		b.log.Infof("backfill: all is read up to %s, %d events; it ends when they are %s",
			is.reached.Format(time.RFC3339), events, b.safe)
		return
	}
	rest := "time left not known yet"
	if left, known := b.left(is.at); known {
		rest = "about " + rounded(left) + " left"
	}
	b.log.Infof("backfill: %.0f %%, at %s, %d events, %.0f events/s, %s",
		100*b.share(), is.reached.Format(time.RFC3339), events, speed, rest)
}

// share is how much of the time is read, from 0 to 1.
func (b *Backfill) share() float64 {
	whole := b.target.Sub(b.from)
	if whole <= 0 {
		return 1
	}
	return min(1, max(0, float64(b.reached.Sub(b.from))/float64(whole)))
}

// Share reports whether a backfill is under way, and how much of its time is read, from 0 to 1; 1 without one.
func (b *Backfill) Share() (active bool, share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.active {
		return false, 1
	}
	return true, b.share()
}

// left is how long it still takes if the rest of the time is read as fast as what was read: by half as in all, by half
// as since the last line, since it becomes faster as windows grow.
func (b *Backfill) left(now time.Time) (left time.Duration, known bool) {
	share, took := b.share(), now.Sub(b.begun)
	if share <= 0 || share < least && took < most {
		return 0, false
	}
	mean := float64(b.reached.Sub(b.from)) / float64(took)
	recent := float64(b.reached.Sub(b.told.reached)) / float64(now.Sub(b.told.at))
	if recent <= 0 {
		recent = mean
	}
	return time.Duration(float64(b.target.Sub(b.reached)) / ((mean + recent) / 2)), true
}

func rate(events int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(events) / d.Seconds()
}

// rounded is a time that somebody waits: whole seconds, at least one.
func rounded(d time.Duration) string { return fmt.Sprint(max(d.Round(time.Second), time.Second)) }
