package exporter

import (
	"context"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// answer is one response of the endpoint on its way to the decoder. The collector reads the body itself: a goroutine that reads ahead gains nothing
// (measured), since the kernel does that too, and costs a copy of every piece.
type answer struct {
	*source.Response
	cancel context.CancelFunc
	c      *collector
	err    error // that ended the body
	keeper keeper
}

// open asks for a window; the answer must be closed.
func (c *collector) open(ctx context.Context, w plan.Window) (*answer, error) {
	c.stats.requests.Add(1)
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
		got.response, got.err = c.client.Open(ctx, w.Start, w.End)
	}()
	got, err := await(ctx, c, ch)
	if err != nil {
		cancel()
		if got = <-ch; got.response != nil {
			got.response.Body.Close()
		}
		return nil, err
	}
	if got.err != nil {
		cancel()
		c.observe(source.DateOf(got.err), true)
		return nil, got.err
	}
	c.observe(got.response.Date, false)
	a := &answer{Response: got.response, cancel: cancel, c: c}
	a.keeper.prepare(c, cancel)
	return a, nil
}

// Read is the decoder's way to the body. What becomes safe is saved before the next piece is read, and also while the endpoint lets it wait.
func (a *answer) Read(p []byte) (n int, err error) {
	if a.err != nil {
		return 0, a.err
	}
	select {
	case <-a.c.ledger.Changed:
		if a.err = a.c.settle(); a.err != nil {
			return 0, a.err
		}
	default:
	}
	n, a.err = a.readBody(p)
	a.c.stats.bytes.Add(int64(n))
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

// close ends the answer. The body comes first: one of which little is left is read to its end, and its connection used again.
func (a *answer) close() {
	_ = a.Body.Close() // nothing is done with what it would say
	a.cancel()
}

// keeper keeps the collector's checkpoint up to date while the collector waits in a Read that takes long. Between begin and end the
// collector's state is the keeper's, once keeperPatience is over: a timer starts it, and end waits for it. So there is one owner at any time,
// and a Read that has something to give costs no more than a timer that is set and stopped.
type keeper struct {
	c       *collector
	abandon func() // ends the Read
	timer   *time.Timer
	over    chan struct{} // the Read is over
	done    chan error    // so is the keeper
}

const keeperPatience = 100 * time.Millisecond

func (k *keeper) prepare(c *collector, abandon func()) {
	*k = keeper{c: c, abandon: abandon, over: make(chan struct{}), done: make(chan error)}
}

func (k *keeper) begin() {
	if k.timer == nil {
		k.timer = time.AfterFunc(keeperPatience, k.run)
		return
	}
	k.timer.Reset(keeperPatience)
}

// end returns the error that ended the Read early: a doubtError.
func (k *keeper) end() error {
	if k.timer.Stop() {
		return nil
	}
	k.over <- struct{}{}
	return <-k.done
}

func (k *keeper) run() {
	var err error
	for {
		select {
		case <-k.over:
			k.done <- err
			return
		case <-k.c.ledger.Changed:
			if err != nil {
				continue
			}
			if err = k.settle(); err != nil {
				k.abandon()
			}
		}
	}
}

// settle is the collector's; a panic must not end the engine here either.
func (k *keeper) settle() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = defect(r)
		}
	}()
	return k.c.settle()
}

// defect is the error for a panic: nothing that was not saved yet counts.
func defect(reason any) error {
	return &doubtError{cause: fmt.Sprintf("a defect of the plugin, please report it: %v", reason)}
}
