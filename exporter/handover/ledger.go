// Package handover hands batches over to the engine and finds out what became of them: copied, stored,
// delivered, or in doubt.
package handover

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/budget"
	"github.com/wherobots/in_wherobots_audit/exporter/buffer"
)

// Ledger stands between the collecting goroutine, which pushes batches, and the engine's thread, which takes
// them. It knows what is safe.
//
// Facts about the engine that it rests on (read in Fluent Bit 5.1.1 and 3.2.10, and measured in both):
//   - cleanup means "copied into a ring in memory"; the main thread empties the ring into chunks every
//     250 ms. A kill before that loses the batch.
//   - an append to a full ring is tried 10 times, 100 ms apart, then dropped in silence: then cleanup
//     comes 1 s after collect returned.
//   - while an input is paused for its memory limit, its ring waits: the ring's collector looks at the
//     pause before it reads.
//   - what is handed over after the pause of a shutdown or reload is lost.
//   - on shutdown, Pause comes again, without a Resume, when the grace period ends; an input that is
//     paused for its limit gets no second Pause.
type Ledger struct {
	mu       sync.Mutex
	Changed  chan struct{} // room, safety or doubt: the collecting goroutine has something to look at
	taken    chan struct{} // a batch is handed over now
	queue    []batch
	out      batch     // handed over, cleanup not seen
	outAt    time.Time // when out was handed over
	accepted []acceptance
	pushed   uint32 // number of the last batch pushed
	safe     uint32 // every batch up to this number is safe
	records  uint64 // records handed over since the start
	slow     bool   // the doubt is a slow copy
	doubt    string // why something handed over may be lost; "" = no doubt
	pauses   int    // since the last Resume
	pausedAt time.Time
	lastCall time.Time // of collect
	safety   Safety    // what makes a batch safe
	routed   bool      // an output takes this input's records, as far as is known
	onDisk   bool      // batches were found in storage: this input has filesystem storage
	shared   bool      // another process may take what is in storage
	size     int       // of a full batch, in bytes
	buffers  buffer.Pool
	hold     bool          // nothing is handed over while the engine drains
	disk     diskRoom      // in the engine's storage
	careful  careful       // what was refused for good is being found
	budget   budget.Budget // with commit_on delivery

	batchBytes atomic.Int64 // see BatchBytes
	untraced   atomic.Bool  // batches get no trace
}

// batch is what one collect call hands over: encoded events.
type batch struct {
	number  uint32
	data    []byte
	records int
	trace   trace
}

const (
	queueBatches = 1                      // waiting for a collect call, besides the one that is being filled
	settleTime   = time.Second            // from cleanup to a collect call that makes a batch safe
	ringFull     = 990 * time.Millisecond // a cleanup so late means that the append may have been dropped
	ringEmptied  = 500 * time.Millisecond // from the last cleanup to a shutdown's second Pause: twice the ring's 250 ms
	graceLimit   = time.Minute            // a second Pause later than this is not a shutdown's
)

// NewLedger makes a ledger for batches of so many bytes.
func NewLedger(safety Safety, batchBytes int) *Ledger {
	l := &Ledger{
		Changed: make(chan struct{}, 1), taken: make(chan struct{}, 1),
		safety: safety, size: batchBytes, buffers: buffer.New(batchBytes), lastCall: time.Now(),
		disk: diskRoom{free: unknown},
	}
	if safety == OnDelivery {
		l.budget = budget.New(batchBytes)
	}
	l.setBatchBytes()
	return l
}

// trustTime lets time make batches safe, where nothing can be found out.
func (l *Ledger) trustTime() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.safety = OnTime
}

func (l *Ledger) notify() {
	select {
	case l.Changed <- struct{}{}:
	default:
	}
}

// Next is the collect callback: the data to hand over, nil for nothing. It never blocks for longer than the
// mutex is held elsewhere, which is never across I/O.
func (l *Ledger) Next() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.lastCall = now
	l.buffers.Tidy(now)
	if l.pauses > 0 || l.doubt != "" {
		return nil
	}
	if l.safety.takesTime() {
		l.settle(now)
	}
	if l.out.data != nil { // cannot happen with the engines measured: each call with data is followed by its cleanup
		l.raise("the engine asked for more before it had copied the last batch")
		return nil
	}
	if l.careful.on {
		return l.nextPart(now)
	}
	if l.hold || len(l.queue) == 0 {
		return nil
	}
	if size := len(l.queue[0].data); !l.budget.Allows(size, bytesOf(l.accepted), now) || !l.disk.take(size) {
		return nil
	}
	l.out, l.outAt = l.queue[0], now
	l.queue = slices.Delete(l.queue, 0, 1) // and with it the reference to its data
	l.notify()
	select {
	case l.taken <- struct{}{}:
	default:
	}
	return l.out.data
}

// settle makes safe what was accepted long enough ago; this call shows that the engine is running and that no
// pause came in between.
func (l *Ledger) settle(now time.Time) {
	settled := 0
	for _, a := range l.accepted {
		if now.Sub(a.at) < settleTime {
			break
		}
		l.safe = max(l.safe, a.number)
		settled++
	}
	if settled > 0 {
		l.accepted = l.accepted[:copy(l.accepted, l.accepted[settled:])]
		l.notify()
	}
}

// Accept is the cleanup callback.
func (l *Ledger) Accept() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out.data == nil {
		return
	}
	now := time.Now()
	if now.Sub(l.outAt) >= ringFull {
		l.slow = l.doubt == ""
		l.raise("the engine took " + now.Sub(l.outAt).Round(time.Millisecond).String() +
			" to copy a batch: its buffer was full and may have dropped it")
	}
	l.records += uint64(l.out.records)
	if l.careful.on {
		l.copied()
		return
	}
	l.accepted = append(l.accepted, acceptance{
		number: l.out.number, at: now, records: l.out.records, total: l.records, trace: l.out.trace,
	})
	l.buffers.Return(l.out.data, now)
	l.out = batch{}
	l.notify()
}

// doubtful raises a doubt from outside: the watch saw something dropped.
func (l *Ledger) doubtful(cause string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raise(cause)
}

func (l *Ledger) raise(doubt string) {
	if l.doubt == "" {
		l.doubt = doubt
	}
	l.notify()
}

func (l *Ledger) Pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.pauses++
	if l.pauses == 1 {
		l.pausedAt = now
		return
	}
	onDisk := l.onDisk && l.routed && !l.anyShared()
	if !l.safety.takesShutdown(onDisk) || now.Sub(l.pausedAt) > graceLimit || len(l.accepted) == 0 || l.doubt != "" {
		return
	}
	if last := l.accepted[len(l.accepted)-1]; now.Sub(last.at) >= ringEmptied {
		l.safe = max(l.safe, last.number)
		l.accepted = l.accepted[:0]
		l.notify()
	}
}

func (l *Ledger) Resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	paused := l.pauses > 0
	l.pauses = 0
	if paused && l.safety.takesTime() && len(l.accepted) > 0 {
		l.raise("the engine paused the input less than a second after it had taken a batch and may have dropped it")
	}
}

// Room reports whether Push would take a batch now.
func (l *Ledger) Room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.room()
}

func (l *Ledger) room() bool { return len(l.queue) < queueBatches && l.out.data == nil }

// Push queues a batch; batches are numbered from 1. It returns false when there is no room: wait for changed and
// try again. While the engine copies a batch there is none, so that two buffers are enough: the copy takes
// milliseconds of the second until the next collect call. id is the event_id of one of its records, by which
// it can be found in storage although filters changed it; "" = none.
func (l *Ledger) Push(data []byte, records int, id string) bool {
	l.mu.Lock()
	room, timed := l.room(), l.safety.takesTime()
	l.mu.Unlock()
	if !room { // nor will there be less below: only one goroutine pushes
		return false
	}
	var known trace
	if !timed && !l.untraced.Load() { // else nothing is looked for
		known = newTrace(data, id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pushed++
	l.queue = append(l.queue, batch{l.pushed, data, records, known})
	return true
}

// State returns the number up to which all is safe, and the doubt, if any.
func (l *Ledger) State() (safe uint32, doubt string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.safe, l.doubt
}

// Standing returns how many batches were pushed and are not safe, and whether nothing is handed over: the engine has
// paused the input, or drains.
func (l *Ledger) Standing() (waiting int64, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.pushed - l.safe), l.hold || l.pauses > 0
}

// SlowCopy reports whether the doubt is that the engine took too long to copy a batch.
func (l *Ledger) SlowCopy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slow
}

// Deliver makes every batch up to number safe (commit_on delivery). It returns the kept record that was tried again
// and is delivered, if any.
func (l *Ledger) Deliver(number uint32) (tried []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.careful.on {
		return l.deliverPart()
	}
	l.safe = max(l.safe, number)
	l.budget.Proven()
	l.setBatchBytes()
	left := l.accepted[:0]
	for _, a := range l.accepted {
		if a.number > number {
			left = append(left, a)
		}
	}
	l.accepted = left
	l.notify()
	return nil
}

// paused reports whether the engine has paused the input.
func (l *Ledger) paused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pauses > 0
}

func (l *Ledger) setHold(hold bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = hold
}

// Reset forgets everything that is not safe; it will be fetched again. What the engine holds at this moment
// (out) still gets its cleanup.
func (l *Ledger) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.queue {
		l.buffers.Return(b.data, time.Now())
	}
	l.queue, l.accepted = slices.Delete(l.queue, 0, len(l.queue)), l.accepted[:0]
	l.safe, l.doubt, l.slow = l.pushed, "", false
	l.careful.reset(l.pushed)
	l.budget.Again()
	l.setBatchBytes()
}

// Buffer returns data with room for a usual record behind it: itself, or a larger buffer that holds the same. Of nil
// it is an empty one.
func (l *Ledger) Buffer(data []byte) []byte {
	if l.buffers.Fits(data) {
		return data
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffers.Grow(data)
}

// SilentFor says for how long collect was not called although the input is not paused.
func (l *Ledger) SilentFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pauses > 0 {
		return 0
	}
	return time.Since(l.lastCall)
}
