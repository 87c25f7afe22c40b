// Package witness knows whether the count of events, which the endpoint tells beside its export, can be asked for and
// believed. It sends nothing itself.
package witness

import "time"

// State is what is known of the witness.
type State int

const (
	Untried     State = iota
	Trusted           // it has answered
	None              // it does not answer, for now
	Disbelieved       // it has been wrong, or of no use
)

// Pause is the least time between requests, but for those about what is read for the first time.
const Pause = time.Minute

const (
	slowness   = 60             // times as long as a request took pass until the next
	retryAfter = 24 * time.Hour // until one that fails or is wrong is asked again
	mostVain   = 5              // disagreements a day that reading again did not settle
)

// Witness is the count's state. Its zero value may be asked. It is for one goroutine.
type Witness struct {
	Off bool // count_check off

	state State
	until time.Time // it is not asked before
	asked time.Time // last
	took  time.Duration

	vain, untimely       int // disagreements since the day began
	vainDay, untimelyDay time.Time

	inUse, wrong bool      // that it is in use, or wrong, has been told
	missed       time.Time // when it was told that there is none
}

// State returns what is known now.
func (w *Witness) State() State { return w.state }

// String says what is known now.
func (w *Witness) String() string {
	if w.Off {
		return "off"
	}
	return [...]string{Untried: "untried", Trusted: "trusted", None: "none", Disbelieved: "disbelieved"}[w.state]
}

// Due reports whether it may be asked at now: once for each window that is read for the first time, otherwise once in
// Pause, or less often if it is slow: what waits meanwhile waits for less than a sixtieth of the time.
func (w *Witness) Due(now time.Time, first bool) bool {
	return w.open(now) && (first || w.asked.IsZero() || now.Sub(w.asked) >= max(Pause, slowness*w.took))
}

func (w *Witness) open(now time.Time) bool { return !w.Off && !now.Before(w.until) }

// Asked notes a request that began at now and has taken so long.
func (w *Witness) Asked(now time.Time, took time.Duration) { w.asked, w.took = now, took }

// Answered notes a count, and reports whether it is to be told that there is a witness: the first time, and after it
// was told that there is none.
func (w *Witness) Answered() (tell bool) {
	tell = !w.inUse
	w.state, w.inUse = Trusted, true
	return tell
}

// Failed notes that there was no count. after is the least time to wait if the endpoint asked for one, else zero.
// It returns the time until the next try, and whether that is to be told: once a day.
func (w *Witness) Failed(now time.Time, after time.Duration) (pause time.Duration, tell bool) {
	pause = retryAfter
	if after > 0 {
		pause = max(after, Pause)
	}
	tell = w.missed.IsZero() || now.Sub(w.missed) >= retryAfter
	if tell {
		w.missed, w.inUse = now, false
	}
	w.state, w.until = None, now.Add(pause)
	return pause, tell
}

// Wrong notes that it counted less than there is, and reports whether that is to be told: once.
func (w *Witness) Wrong(now time.Time) (tell bool) {
	tell = !w.wrong
	w.wrong = true
	w.disbelieve(now)
	return tell
}

// Vain notes a disagreement that reading again did not settle, and reports whether there have been so many that it is
// not asked any more: whatever it counts, it is not what the export has.
func (w *Witness) Vain(now time.Time) (over bool) {
	if now.Sub(w.vainDay) >= retryAfter {
		w.vain, w.vainDay = 0, now
	}
	if w.vain++; w.vain < mostVain {
		return false
	}
	w.disbelieve(now)
	return true
}

func (w *Witness) disbelieve(now time.Time) {
	w.state, w.until, w.vain = Disbelieved, now.Add(retryAfter), 0
}

// Untimely notes that a part of a window, by the times of its rows, had another number of them than the answer for
// that part: the times of events are others than those that windows go by. It reports whether parts are not to be
// counted any more.
func (w *Witness) Untimely(now time.Time) (over bool) {
	if now.Sub(w.untimelyDay) >= retryAfter {
		w.untimely, w.untimelyDay = 0, now
	}
	w.untimely++
	return !w.ByTime(now)
}

// ByTime reports whether a part of a window may be counted by the times of its rows.
func (w *Witness) ByTime(now time.Time) bool {
	return w.untimely < mostVain || now.Sub(w.untimelyDay) >= retryAfter
}

// Verdict is what a count says of an answer.
type Verdict int

const (
	Agrees Verdict = iota
	Misses         // the answer lacks events
	Wrong          // the count does
)

// Judge compares a count with the number of events in an answer. That may be anything from least to most, since rows
// can be copies of one event, which may be counted once or each.
func Judge(least, most int, total int64) Verdict {
	switch {
	case int64(most) < total:
		return Misses
	case int64(least) > total:
		return Wrong
	}
	return Agrees
}
