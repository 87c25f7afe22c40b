package handover

import (
	"slices"
	"time"
)

// acceptance is a batch that the engine copied and that is not safe: it is on its way.
type acceptance struct {
	number  uint32
	at      time.Time
	records int
	total   uint64 // records handed over up to and with it
	trace   trace
	stored  bool // it was found in the engine's storage
	shared  bool // while another process might take it from there: only delivery makes it safe
}

func bytesOf(list []acceptance) (n int) {
	for _, a := range list {
		n += a.trace.size
	}
	return n
}

// BatchBytes is how large a batch should be now at most. Any goroutine may call it.
func (l *Ledger) BatchBytes() int { return int(l.batchBytes.Load()) }

func (l *Ledger) setBatchBytes() {
	l.batchBytes.Store(int64(l.budget.BatchBytes(l.size)))
}

// isWithheld reports whether a batch is kept back until something is delivered.
func (l *Ledger) isWithheld() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.budget.Withheld()
}

// Free hands over whatever there is until something is delivered again.
func (l *Ledger) Free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.Free()
}

// handed is what the engine was given.
type handed struct {
	number     uint32       // of the last accepted batch
	records    uint64       // since the start
	since      time.Time    // when the oldest batch that is not safe was accepted; zero = there is none
	onTheirWay []acceptance // those that are not safe; none while the ledger is careful
	copying    bool         // another one is being copied, and may be processed before its cleanup is seen
}

func (l *Ledger) handed() handed {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := handed{number: l.safe, records: l.records, copying: l.out.data != nil}
	if l.careful.on {
		h.since = l.careful.waiting()
		return h
	}
	if n := len(l.accepted); n > 0 {
		h.number, h.since = l.accepted[n-1].number, l.accepted[0].at
		h.onTheirWay = slices.Clone(l.accepted)
	}
	return h
}
