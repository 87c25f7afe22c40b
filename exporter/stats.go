package exporter

import (
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/progress"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Stats are the figures of one instance since it started.
type Stats = figures.Stats

// stats are written by the collecting goroutine and read by the engine's thread.
type stats struct {
	outcomes                              [figures.Outcomes]atomic.Int64 // of requests
	failures                              atomic.Int64
	rows, records, badRows, changed, late atomic.Int64
	duplicates, handedOver                atomic.Int64
	bytes, commits, refetches, reconciled atomic.Int64
	setAside, copies, events              atomic.Int64
	counts, mismatches                    atomic.Int64
	through                               atomic.Int64 // Unix seconds
	ahead                                 atomic.Int64 // nanoseconds of the server's clock before the local one
	window, rowLimit                      atomic.Int64 // of the next request: nanoseconds and rows
	succeeded, committed, newest          atomic.Int64 // Unix nanoseconds; 0 = never
	failing, stalled                      atomic.Bool
	lateness                              figures.Observations
}

// requests is how many have ended.
func (s *stats) requests() (n int64) {
	for i := range s.outcomes {
		n += s.outcomes[i].Load()
	}
	return n
}

// progress is what a backfill has cost.
func (s *stats) progress() progress.Figures {
	return progress.Figures{Events: s.events.Load(), Requests: s.requests()}
}

// ended counts a request by what became of it.
func (s *stats) ended(rows int, err error) {
	outcome := figures.OK
	switch {
	case errors.Is(err, errExcess) || source.ClassOf(err) == source.ClassShrink:
		outcome = figures.Shrunk
	case source.ClassOf(err) == source.ClassRefused:
		outcome = figures.Refused
	case err != nil:
		outcome = figures.Retried
	case rows == 0:
		outcome = figures.Empty
	}
	s.outcomes[outcome].Add(1)
}

// happened notes the time of an event that is handed over.
func (s *stats) happened(at time.Time) { s.newest.Store(max(s.newest.Load(), at.UnixNano())) }

func (s *stats) snapshot() Stats {
	through := s.through.Load()
	out := Stats{
		Failures:      s.failures.Load(),
		Rows:          s.rows.Load(),
		Duplicates:    s.duplicates.Load(),
		Records:       s.records.Load(),
		HandedOver:    s.handedOver.Load(),
		BadRows:       s.badRows.Load(),
		Changed:       s.changed.Load(),
		Late:          s.late.Load(),
		Bytes:         s.bytes.Load(),
		Commits:       s.commits.Load(),
		Refetches:     s.refetches.Load(),
		Reconciled:    s.reconciled.Load(),
		Counts:        s.counts.Load(),
		Mismatches:    s.mismatches.Load(),
		SetAside:      s.setAside.Load(),
		Copies:        s.copies.Load(),
		Lateness:      s.lateness.Histogram(),
		Up:            s.succeeded.Load() > 0 && !s.failing.Load(),
		Stalled:       s.stalled.Load(),
		RowLimit:      s.rowLimit.Load(),
		WindowSeconds: time.Duration(s.window.Load()).Seconds(),

		ThroughSeconds: float64(through),
		LastSuccess:    seconds(s.succeeded.Load()),
		LastCommit:     seconds(s.committed.Load()),
		LastEvent:      seconds(s.newest.Load()),
	}
	for i := range s.outcomes {
		out.Outcomes[i] = s.outcomes[i].Load()
	}
	if through > 0 {
		now := time.Now().Add(time.Duration(s.ahead.Load()))
		behind := now.Sub(time.Unix(through, 0)).Seconds()
		out.LagSeconds = max(0, behind)
		out.RetentionLeftSeconds = source.Retention.Seconds() - out.LagSeconds
	}
	return out
}

// seconds are nanoseconds since 1970 in seconds, to the millisecond: more says nothing.
func seconds(nanoseconds int64) float64 { return math.Round(float64(nanoseconds)/1e6) / 1e3 }

// Stats returns the instance's figures. Any goroutine may call it.
func (e *Exporter) Stats() Stats {
	s, c := e.stats.snapshot(), e.collector
	s.OverlapSeconds = e.cfg.Overlap.Seconds()
	s.Backfill, s.BackfillRatio = c.backfill.Share()
	s.WaitingBatches, s.Held = e.ledger.Standing()
	s.RefusedEvents = int64(c.refusals.file.Count())
	if known := c.reader.client.Credential(); !known.Since.IsZero() {
		s.CredentialAgeSeconds = max(0, time.Since(known.Since).Seconds())
		if !known.Expires.IsZero() {
			s.CredentialExpires = float64(known.Expires.Unix())
		}
	}
	s.Version, s.Schema = Version, string(e.cfg.Schema)
	return s
}

// show publishes what only the collecting goroutine knows.
func (c *collector) show() {
	if c.plan != nil {
		c.stats.window.Store(int64(c.plan.Length()))
	}
	c.stats.rowLimit.Store(int64(c.rowLimit.Known))
	c.stats.failing.Store(c.pace.failures > 0)
	c.stats.stalled.Store(c.pace.stall.told)
}
