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
