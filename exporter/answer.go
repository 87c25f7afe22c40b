package exporter

import (
	"context"
	"sync/atomic"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// answer is one response of the endpoint on its way to the decoder. The collecting goroutine reads the body
// itself: one that reads ahead gains nothing (measured), since the kernel does that too, and costs a copy of
// every piece.
type answer struct {
	*source.Response
	cancel context.CancelFunc
	keeper keeper
	bytes  *atomic.Int64 // of all answers
	size   int64         // of this one
	err    error         // that ended the body
}

// open asks for a window; the answer must be closed.
func (r *reader) open(ctx context.Context, w plan.Window) (*answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	type opened struct {
		response *source.Response
		err      error
	}
	ch := make(chan opened, 1)
	go func() {
		var got opened
		defer func() {
			if r := recover(); r != nil {
				got = opened{err: defect(r)}
			}
			ch <- got
		}()
		got.response, got.err = r.client.Open(ctx, w.Start, w.End)
	}()
	got, err := await(ctx, r.upkeep, ch)
	if err != nil {
		cancel()
		if got = <-ch; got.response != nil {
			got.response.Body.Close()
		}
		return nil, err
	}
	if got.err != nil {
		cancel()
		r.observe(source.DateOf(got.err), true)
		return nil, got.err
	}
	r.observe(got.response.Date, false)
	return newAnswer(got.response, cancel, r.upkeep, &r.stats.bytes), nil
}

func newAnswer(response *source.Response, cancel context.CancelFunc, u upkeep, bytes *atomic.Int64) *answer {
	k := keeper{upkeep: u, abandon: cancel, over: make(chan struct{}), done: make(chan error)}
	return &answer{Response: response, cancel: cancel, keeper: k, bytes: bytes}
}

// Read is the decoder's way to the body. What becomes safe is saved before the next piece is read, and also while the
// endpoint lets it wait.
func (a *answer) Read(p []byte) (n int, err error) {
	if a.err != nil {
		return 0, a.err
	}
	select {
	case <-a.keeper.upkeep.changed:
		if a.err = a.keeper.upkeep.settle(); a.err != nil {
			return 0, a.err
		}
	default:
	}
	n, a.err = a.readBody(p)
	a.bytes.Add(int64(n))
	a.size += int64(n)
	return n, a.err
}

func (a *answer) readBody(p []byte) (n int, err error) {
	a.keeper.begin()
	defer func() {
		if doubt := a.keeper.end(); doubt != nil {
			n, err = 0, doubt
		}
	}()
	return a.Body.Read(p)
}

// close ends the answer. The body comes first: one of which little is left is read to its end, and its
// connection used again.
func (a *answer) close() {
	_ = a.Body.Close() // nothing is done with what it would say
	a.cancel()
}
