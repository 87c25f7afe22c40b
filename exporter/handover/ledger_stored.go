package handover

import (
	"bytes"
	"hash/maphash"
	"slices"
	"time"
)

// trace is how a batch is known again in the engine's storage.
type trace struct {
	head []byte // its first bytes
	sum  uint64 // hash of all of it
	size int
	id   string // event_id of one of its records; "" = none that would do
}

var traceSeed = maphash.MakeSeed()

const (
	traceHead    = 48
	shortestID   = 8 // bytes; what is shorter may stand in any record
	longestID    = 256
	unstoredMost = 64 // batches that are looked for at a time
)

func newTrace(data []byte, id string) trace {
	if len(id) < shortestID || len(id) > longestID {
		id = ""
	}
	return trace{bytes.Clone(data[:min(traceHead, len(data))]), maphash.Bytes(traceSeed, data), len(data), id}
}

// whole returns where the batch ends in content if it is there byte for byte, -1 if it is not.
func (t *trace) whole(content []byte) int {
	for from := 0; len(t.head) > 0; {
		at := bytes.Index(content[from:], t.head)
		if at < 0 || from+at+t.size > len(content) {
			return -1
		}
		from += at
		if maphash.Bytes(traceSeed, content[from:from+t.size]) == t.sum {
			return from + t.size
		}
		from++
	}
	return -1
}

// changed returns where the batch's record with the known event_id ends in content, -1 if it is not there. The engine
// writes a batch whole or not at all, so that one record stands for all.
func (t *trace) changed(content []byte) int {
	if t.id == "" {
		return -1
	}
	at := bytes.Index(content, []byte(t.id))
	if at < 0 {
		return -1
	}
	return at + len(t.id)
}

// forgoTraces lets batches from now on be without a trace: nothing will look for them in storage. Any goroutine may
// call it.
func (l *Ledger) forgoTraces() { l.untraced.Store(true) }

// unstored returns the oldest accepted batches that were not found in storage.
func (l *Ledger) unstored() (list []acceptance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.accepted {
		if !a.stored && len(list) < unstoredMost {
			list = append(list, a)
		}
	}
	return list
}

// allStored reports whether all that is not safe was found in storage, so that no write of it failed.
func (l *Ledger) allStored() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.careful.on { // parts of batches are not looked for
		return false
	}
	for _, a := range l.accepted {
		if !a.stored {
			return false
		}
	}
	return true
}

// store notes that a batch is in storage. With commit_on handoff that makes it safe, once all before it are.
func (l *Ledger) store(number uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.accepted {
		if a := &l.accepted[i]; a.number == number && !a.stored {
			a.stored, a.shared = true, l.shared
		}
	}
	if !l.safety.takesStorage() {
		return
	}
	l.onDisk = true
	l.passStored()
}

// setRouted notes whether some output takes what is stored: what none takes, the engine removes within a second, and
// its storage proves nothing.
func (l *Ledger) setRouted(routed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.routed = routed; l.safety.takesStorage() {
		l.passStored()
	}
}

// passStored makes safe what is stored, up to the first batch that is not.
func (l *Ledger) passStored() {
	if !l.routed {
		return
	}
	done := 0
	for done < len(l.accepted) && l.accepted[done].stored && !l.accepted[done].shared {
		l.safe = max(l.safe, l.accepted[done].number)
		done++
	}
	if done > 0 {
		l.accepted = l.accepted[:copy(l.accepted, l.accepted[done:])]
		l.notify()
	}
}

// setShared notes whether another process may take what is in storage.
func (l *Ledger) setShared(shared bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shared = shared
}

// anyShared reports whether another process may take, or may have taken, some of what is not safe from storage.
func (l *Ledger) anyShared() bool {
	return l.shared || slices.ContainsFunc(l.accepted, func(a acceptance) bool { return a.shared })
}

// isUnderWay reports whether a batch is being handed over, or is and was not found in storage.
func (l *Ledger) isUnderWay() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out.data != nil {
		return true
	}
	for _, a := range l.accepted {
		if !a.stored {
			return true
		}
	}
	return false
}

// takesStorage reports whether what is in storage is safe.
func (l *Ledger) takesStorage() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.safety.takesStorage()
}

// lastAccepted returns when the engine took a batch last of those that are not safe; zero = there is none.
func (l *Ledger) lastAccepted() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.accepted) == 0 {
		return time.Time{}
	}
	return l.accepted[len(l.accepted)-1].at
}
