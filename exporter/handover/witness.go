package handover

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Attend asks the engine for what its main thread has taken in, for commit_on handoff. Nothing hangs on it: an engine that cannot be asked
// leaves time alone to decide.
func Attend(ctx context.Context, api *Engine, l *Ledger, log *logline.Queue) {
	persist(ctx, log, func() { attend(ctx, api, l, log) })
}

func attend(ctx context.Context, api *Engine, l *Ledger, log *logline.Queue) {
	l.expectWitness()
	answered, told := time.Now(), false // an answer that fails to come now and then proves nothing
	for interval := watchInterval; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		if _, _, since := l.handed(); since.IsZero() {
			answered = time.Now()
			continue
		}
		records, err := api.records(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			interval, answered = watchInterval, time.Now()
			l.testify(records, true)
		case errors.Is(err, syscall.ECONNREFUSED) || time.Since(answered) > groupTime: // in its first seconds the engine answers with nothing yet
			interval = groupTime
			l.testify(0, false)
			if !told {
				told = true
				log.Infof("commit_on handoff: %v; without it, filters that need more than a second for a batch can lose it in a crash", err)
			}
		}
	}
}
