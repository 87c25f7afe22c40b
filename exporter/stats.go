package exporter

import (
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/progress"
)

// Stats are the figures of one instance since it started.
type Stats struct {
	Requests        int64   // export requests sent
	Failures        int64   // of them, how many failed: retried, shrunk or refused
	Refused         int64   // of the failures, how many need a person
	Rows            int64   // rows read, those of the overlap included
	Records         int64   // records given to the engine's queue
	BadRows         int64   // of them, rows that could not be read whole
	Changed         int64   // of them, new versions of events that were forwarded before
	Late            int64   // of them, events that appeared after their time had been read
	Bytes           int64   // bytes of answers, after decompression
	Commits         int64   // checkpoints saved
	Refetches       int64   // times that something handed over may have been lost and was fetched again
	Reconciled      int64   // events that only reconciliation found
	Copies          int64   // events that reconciliation handed over again since it could not tell which were missing
	Counts          int64   // requests for a count of events
	Mismatches      int64   // stretches of time of which the endpoint counts more events than it exports
	SetAside        int64   // events that an output refused for good and that were kept aside
	LatenessSeconds float64 // the longest time from an event to its first appearance
	LagSeconds      float64 // from the checkpoint to the server's present
	ThroughSeconds  float64 // the checkpoint as Unix time
}

// stats are written by the collecting goroutine and read by the engine's thread.
type stats struct {
	requests, failures, refused           atomic.Int64
	rows, records, badRows, changed, late atomic.Int64
	bytes, commits, refetches, reconciled atomic.Int64
	setAside, copies, events              atomic.Int64
	counts, mismatches                    atomic.Int64
	lateness                              atomic.Int64 // nanoseconds
	through                               atomic.Int64 // Unix seconds
	ahead                                 atomic.Int64 // nanoseconds of the server's clock before the local one
}

// progress is what a backfill has cost.
func (s *stats) progress() progress.Figures {
	return progress.Figures{Events: s.events.Load(), Requests: s.requests.Load()}
}

func (s *stats) snapshot() Stats {
	through := s.through.Load()
	out := Stats{
		Requests:        s.requests.Load(),
		Failures:        s.failures.Load(),
		Refused:         s.refused.Load(),
		Rows:            s.rows.Load(),
		Records:         s.records.Load(),
		BadRows:         s.badRows.Load(),
		Changed:         s.changed.Load(),
		Late:            s.late.Load(),
		Bytes:           s.bytes.Load(),
		Commits:         s.commits.Load(),
		Refetches:       s.refetches.Load(),
		Reconciled:      s.reconciled.Load(),
		Counts:          s.counts.Load(),
		Mismatches:      s.mismatches.Load(),
		SetAside:        s.setAside.Load(),
		Copies:          s.copies.Load(),
		LatenessSeconds: time.Duration(s.lateness.Load()).Seconds(),
		ThroughSeconds:  float64(through),
	}
	if through > 0 {
		now := time.Now().Add(time.Duration(s.ahead.Load()))
		out.LagSeconds = max(0, now.Sub(time.Unix(through, 0)).Seconds())
	}
	return out
}
