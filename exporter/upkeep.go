package exporter

import (
	"context"
	"time"
)

// upkeep commits what becomes safe while the collecting goroutine waits for something else: an answer, a piece of a
// body, room for a batch, or time. It is all that the rest of the collector knows of commits.
type upkeep struct {
	changed <-chan struct{} // the ledger has something to look at
	settle  func() error    // commits; a doubtError says that something handed over may be lost
}

// sleep waits for d.
func (u upkeep) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	_, err := await(ctx, u, timer.C)
	return err
}

// await waits for ch. It ends early with what settle returns, or when ctx ends.
func await[T any](ctx context.Context, u upkeep, ch <-chan T) (got T, err error) {
	for {
		select {
		case got = <-ch:
			return got, nil
		case <-u.changed:
			if err := u.settle(); err != nil {
				return got, err
			}
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}

// rest waits without a look at the ledger, and reports whether ctx still goes on.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// keeper keeps the checkpoint up to date while the collecting goroutine waits in a Read that takes long:
//
//	collecting goroutine   begin ──────────── Read ──────────────▶ end ─▶ goes on
//	timer's goroutine             100 ms ─▶ run: settle, settle … ─┘ over, done
//
// Between begin and end, once keeperPatience is over, what settle touches is the keeper's; end waits for it.
// So there is one owner at any time, and a Read that has something to give costs no more than a timer that is
// set and stopped.
type keeper struct {
	upkeep  upkeep
	abandon func() // ends the Read
	timer   *time.Timer
	over    chan struct{} // the Read is over
	done    chan error    // so is the keeper
}

const keeperPatience = 100 * time.Millisecond

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
		case <-k.upkeep.changed:
			if err != nil {
				continue
			}
			if err = k.settle(); err != nil {
				k.abandon()
			}
		}
	}
}

// settle turns a panic into an error: it must not end the engine here either.
func (k *keeper) settle() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = defect(r)
		}
	}()
	return k.upkeep.settle()
}
