package exporter

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

func TestCauseOfAStandstill(t *testing.T) {
	for want, err := range map[source.Cause]error{
		causeStorage:            &doubtError{cause: "x", save: true},
		causeDelivery:           &doubtError{cause: "x"},
		causeNotAnExport:        fmt.Errorf("read window: %w", body.ErrNoExport),
		source.CauseRefused:     fmt.Errorf("read window: %w", &source.APIError{Class: source.ClassRefused}),
		source.CauseUnreachable: errors.New("a broken pipe"),
	} {
		require.Equal(t, want, causeOf(err))
	}
}

// What is handed over and not delivered is a standstill too, although every request succeeds.
func TestAnOutputThatDeliversNothingIsAStandstill(t *testing.T) {
	inDelivery(t, map[string]string{"status_events": "on", "stalled_after": "10m"}, func(h *simHost, s *simEngine) {
		h.happen(5)
		h.start()
		h.liveWith(3)
		require.NotContains(t, h.logged(), "stood still")
		s.set(func(s *simEngine) { s.latency = 24 * time.Hour })
		h.liveWith(25)
		require.Contains(t, h.logged(), "(delivery): what was handed over is not known to be safe")
		s.set(func(s *simEngine) { s.latency = time.Second })
		h.kill() // what the engine has for a day is lost
		h.start()
		h.liveWith(5)
		h.requireAll()
		require.Zero(t, h.statuses(schema.Raw)[schema.StatusStalledOver], "the new process never stood still")
	})
}

// A collection that is idle, or slow but going on, does not stand still.
func TestNoStandstillWhileThingsGoOn(t *testing.T) {
	inDelivery(t, map[string]string{"poll_interval": "2h", "stalled_after": "1m"}, func(h *simHost, s *simEngine) {
		s.set(func(s *simEngine) { s.latency = 10 * time.Second })
		h.start()
		for range 10 {
			h.happen(3)
			time.Sleep(3 * time.Hour)
		}
		require.NotContains(t, h.logged(), "stood still")
	})
}
