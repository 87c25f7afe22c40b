package handover

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// Facts are what Watch and Storage find out of the engine and tell one another. Its methods may be called from any
// goroutine; the zero value knows nothing.
type Facts struct {
	mu sync.Mutex
	engineFacts
}

// apiStart is how long the monitoring API may take to answer for the first time.
const apiStart = 10 * time.Second

type engineFacts struct {
	api      string // the URL of the monitoring API
	root     string // storage.path; "" = not known
	answered bool   // the monitoring API was read
	mute     bool   // it cannot be
	counted  uint64 // records of this input that the engine's main thread has taken in since the start
	emits    bool   // a filter may put records back through an emitter
	emitted  bool   // one did
	inFlight bool   // some of them are in no chunk yet
	ram      int64  // chunks in memory; unknown if it is not told
	memory   bool   // this input has memory storage
	routed   bool   // an output has processed records of this input, or put them off
	astray   bool   // no output takes some of them
	empty    []bool // chunk files without content: whether each is this input's or an emitter's
}

// Locate notes the URL of the monitoring API, for messages.
func (f *Facts) Locate(api string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api = api
}

// learn notes what a snapshot says. counted is what the engine has taken in of what was handed over.
func (f *Facts) learn(s *snapshot, counted uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	inFlight, _ := s.inEmitters()
	f.answered, f.mute, f.counted = true, false, counted
	f.emits, f.inFlight, f.ram = s.emits(), inFlight > 0, s.memory
	f.emitted = false
	for _, filter := range s.filters {
		f.emitted = f.emitted || filter.emitted > 0
	}
	f.astray = f.astray || s.astray() > 0
	f.routed = f.routed || s.tried()
	alone := len(s.inputs) == 2 // this one and storage_backlog
	f.memory = f.memory || s.diskless() || alone && s.memory > 0 && s.onDisk == 0 && s.input().records > 0
}

// routeTime is from the first hand-over until the engine has surely tried to deliver it, and counted what no output
// takes: it does so at each flush, once a second or so.
const routeTime = 30 * time.Second

// hasRoute reports whether outputs take this input's records, as far as can be known. Something was handed over first
// at since.
func (f *Facts) hasRoute(since time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.mute, f.routed:
		return true
	case !f.answered, f.astray, since.IsZero():
		return false
	}
	return time.Since(since) >= routeTime
}

// route notes what Watch has concluded of it.
func (f *Facts) route(found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routed, f.astray = f.routed || found, f.astray || !found
}

// silent notes that the API cannot be read, since a time.
func (f *Facts) silent(err error, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.answered && (errors.Is(err, syscall.ECONNREFUSED) || time.Since(since) > apiStart) {
		f.mute = true
	}
}

// end takes an engine that has not answered yet for one that never will: there is no more time.
func (f *Facts) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mute = !f.answered
}

// inMemory reports whether it is certain that this input has memory storage.
func (f *Facts) inMemory() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.memory
}

// state returns what is known now.
func (f *Facts) state() engineFacts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.engineFacts
}

// mayBeStored reports whether a batch that is found in storage is stored as a whole, and whether one of its
// event_ids is enough to know it by. total counts the records up to its end.
//
// Where a filter re-emits, the batch may be stored and what was made of it not: it has to be counted, nothing
// may be between filter and emitter, and no chunk may be in memory. An event_id may be there from an earlier
// hand-over, so it proves something only if the engine has counted the batch.
func (f *Facts) mayBeStored(total uint64) (allowed, byID bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	counted := f.answered && f.counted >= total
	switch {
	case f.mute:
		return true, false
	case !f.answered:
		return false, false
	case f.emits:
		allowed = counted && (!f.emitted || !f.inFlight && f.ram == 0)
		return allowed, allowed
	default:
		return true, counted
	}
}

// setEmpty notes chunk files that have no content: a full disk leaves them, and they stay until the engine ends.
func (f *Facts) setEmpty(files []bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.empty = files
}

// empties returns how many chunks have no content.
func (f *Facts) empties() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.empty))
}

// ownEmpties returns how many of them are of this plugin's inputs or of emitters.
func (f *Facts) ownEmpties() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, own := range f.empty {
		if own {
			n++
		}
	}
	return n
}
