package exportertest

import (
	"errors"
	"net/http"
	"slices"
)

// errEnded ends an answer early and in order.
var errEnded = errors.New("the answer ends here")

// faulty sends an answer as a fault will have it.
type faulty struct {
	w     http.ResponseWriter
	r     *http.Request
	fault Fault
	sent  int
	after int // bytes that get through; 0 = all
}

func newFaulty(x *exchange) *faulty {
	return &faulty{w: x.w, r: x.r, fault: x.fault, after: max(x.fault.CutAfter, x.fault.EndAfter, x.fault.StallAfter)}
}

// total is told the length of the whole answer where it goes ahead of the answer: a cut must come before it,
// or it is none.
func (f *faulty) total(n int) {
	if f.fault.CutAfter > 0 && f.after >= n {
		f.after = max(n-1, 0)
	}
	if f.after == 0 && f.fault.CutAfter > 0 {
		reset(f.w)
	}
}

func (f *faulty) Write(p []byte) (int, error) {
	n := len(p)
	last := f.after > 0 && f.sent+n >= f.after
	if last {
		n = f.after - f.sent
	}
	if err := f.pass(p[:n]); err != nil {
		return 0, err
	}
	f.sent += n
	if last {
		return n, f.interrupt()
	}
	return n, nil
}

// dripBytes is how much comes at once with Fault.Drip.
const dripBytes = 64

func (f *faulty) pass(p []byte) error {
	if f.fault.Drip <= 0 {
		_, err := f.w.Write(p)
		return err
	}
	for drop := range slices.Chunk(p, dripBytes) {
		if err := sleep(f.r.Context(), f.fault.Drip); err != nil {
			return err
		}
		if _, err := f.w.Write(drop); err != nil {
			return err
		}
		f.Flush()
	}
	return nil
}

// Flush sends on what is buffered.
func (f *faulty) Flush() { _ = flusher(f.w)() }

// interrupt does what the fault does at its place.
func (f *faulty) interrupt() error {
	f.Flush()
	switch {
	case f.fault.CutAfter > 0:
		panic(http.ErrAbortHandler)
	case f.fault.StallAfter > 0:
		<-f.r.Context().Done()
		return f.r.Context().Err()
	default:
		return errEnded
	}
}

// finish is called at the end of an answer that was shorter than the fault's place.
func (f *faulty) finish() error {
	if f.after == 0 || f.fault.EndAfter > 0 {
		return nil
	}
	return f.interrupt()
}
