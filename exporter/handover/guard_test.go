package handover

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// A panic ends neither the process nor what watches: it is told, and tried again.
func TestADefectOfTheWatchIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		log := new(logline.Queue)
		w := &Watch{log: log} // without a ledger each look is a panic
		w.Run(ctx)
		NewStorage(nil, nil, log).Run(ctx)
		lines := log.Drain()
		assert.Len(t, lines, 1)
		assert.Error(t, ctx.Err(), "it goes on until it is ended")
	})
}
