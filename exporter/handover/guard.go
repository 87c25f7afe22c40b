package handover

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// persist runs f until ctx ends, and again a while after a panic: a defect must not take the engine down with
// all its other inputs. Until f runs again nothing becomes safe, so nothing is lost by it.
func persist(ctx context.Context, log *logline.Queue, f func()) {
	var told time.Time
	for ctx.Err() == nil {
		reason := caught(f)
		if reason == nil {
			return
		}
		if told.IsZero() || time.Since(told) >= logline.RareInterval {
			told = time.Now()
			log.Errorf("a defect of the plugin, please report it: %v; nothing is committed until it is over", reason)
		}
		select {
		case <-ctx.Done():
		case <-time.After(idleInterval):
		}
	}
}

// caught returns what f panicked with, nil if it did not.
func caught(f func()) (reason any) {
	defer func() { reason = recover() }()
	f()
	return nil
}
