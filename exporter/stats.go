package exporter

import (
	"cmp"
	"errors"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/health"
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
	waited                                atomic.Int64 // nanoseconds for turns, until the last success
	failing, stalled                      atomic.Bool
	complete                              atomic.Bool // see collector.ending
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
func (s *stats) ended(rows int, err error) { s.outcomes[outcomeOf(rows, err)].Add(1) }

func outcomeOf(rows int, err error) figures.Outcome {
	switch {
	case errors.Is(err, errExcess) || source.ClassOf(err) == source.ClassShrink:
		return figures.Shrunk
	case source.ClassOf(err) == source.ClassRefused:
		return figures.Refused
	case err != nil:
		return figures.Retried
	case rows == 0:
		return figures.Empty
	}
	return figures.OK
}

// tally is what an answer's rows add to the figures, which are shared between goroutines: at its end, not row by row.
type tally struct {
	newest   int64 // time of an event that is handed over, as event.Nanos gives it; 0 = there is none
	punctual int   // events that came when they were first asked for
	known    int   // rows that were handed over before
}

// count adds a tally to the figures and empties it.
func (s *stats) count(t *tally) {
	if t.newest > s.newest.Load() {
		s.newest.Store(t.newest)
	}
	s.lateness.Add(t.punctual, 0)
	s.duplicates.Add(int64(t.known))
	*t = tally{}
}

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
		LastSuccess:    figures.Seconds(s.succeeded.Load()),
		LastCommit:     figures.Seconds(s.committed.Load()),
		LastEvent:      figures.Seconds(s.newest.Load()),
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
	if s.CredentialExpires == 0 && !e.cfg.CredentialExpires.IsZero() {
		s.CredentialExpires = float64(e.cfg.CredentialExpires.Unix())
	}
	s.Version, s.Schema = Version, string(e.cfg.Schema)
	return s
}

// Labels are those of every figure of the instance. Their names are the same for each: Fluent Bit cannot show figures
// together whose labels differ (measured with 5.1.1, with two inputs). An empty value is none.
func (e *Exporter) Labels() []Label { return []Label{{Name: "organization", Value: e.organization()}} }

func (e *Exporter) organization() string {
	return cmp.Or(e.cfg.Organization.Name, e.cfg.Organization.ID)
}

// show publishes what only the collecting goroutine knows.
func (c *collector) show() {
	if c.plan != nil {
		c.stats.window.Store(int64(c.plan.Length()))
	}
	c.stats.rowLimit.Store(int64(c.rowLimit.Known))
	c.stats.failing.Store(c.pace.failures > 0)
	c.stats.stalled.Store(c.pace.stall.told)
	state, p := &c.commits.saved.state, &c.pace
	v := &health.View{
		From: state.from, NextTry: p.nextPoll, Complete: p.announced, Totals: state.hours.Total,
		Proof: health.Proof{
			HoursSince: state.hours.Since, Reconciled: state.reconciled, DeepReconciled: state.deep.at,
			DeepBegan: state.deep.began, CountWitness: c.counts.witness.String(), Windows: c.counts.proofs.Windows(),
		},
	}
	if p.stall.text != "" {
		v.Failure = &health.Failure{
			Text: c.log.Redact(p.stall.text), Outcome: p.stall.outcome.String(), Cause: string(p.stall.cause),
			At: p.stall.at.UTC(),
		}
	}
	if p.failures > 0 && v.Failure != nil {
		v.NextTry = p.retryAt
		v.Failure.Failures, v.Failure.Since = p.failures, p.failingSince.UTC()
	}
	c.view.Store(v)
}

// instance is what is answered to those who ask for the status.
func (e *Exporter) instance() health.Instance {
	s, c, v := e.Stats(), e.collector, e.collector.view.Load()
	if v == nil { // it has not begun
		v = &health.View{Totals: dedup.NewHours().Total}
	}
	in := health.Instance{
		Name: e.name(), Organization: e.organization(),
		Endpoint: e.cfg.Endpoint.String(), Schema: s.Schema, CommitOn: string(e.cfg.CommitOn),
		Checkpoint: e.cfg.CheckpointPath, Started: e.started.UTC(), From: v.From,
		Through: figures.TimeOf(s.ThroughSeconds), LagSeconds: s.LagSeconds, LastSuccess: figures.TimeOf(s.LastSuccess),
		LastCommit: figures.TimeOf(s.LastCommit), LastEvent: figures.TimeOf(s.LastEvent), LastError: v.Failure,
		Stalled: s.Stalled, Complete: v.Complete, Held: s.Held, WaitingBatches: s.WaitingBatches,
		RefusedEvents: s.RefusedEvents, CredentialExpires: figures.TimeOf(s.CredentialExpires),
		CredentialSince: c.reader.client.Credential().Since.UTC(),
		Proof:           v.Proof,
	}
	in.Proof.RowLimit, in.Proof.Mismatches = s.RowLimit, s.Mismatches
	in.Proof.Hours, in.Proof.Events = v.Totals()
	if now := time.Now(); v.NextTry.After(now) {
		in.NextTry = v.NextTry.UTC()
	}
	if s.Backfill {
		in.Backfill = &health.Backfill{Ratio: s.BackfillRatio}
	}
	fresh := health.Freshness{PollInterval: e.cfg.PollInterval, StalledAfter: e.cfg.StalledAfter}
	fresh.StalledAfter += c.reader.client.Waited() - time.Duration(e.stats.waited.Load())
	in.Judge(time.Now(), e.ledger.SilentFor(), e.collecting.Load(), fresh)
	return in
}

// name is the instance's in Fluent Bit, as far as it is known.
func (e *Exporter) name() string { return cmp.Or(e.cfg.EngineInput, "wherobots_audit") }

// answerHealth begins to answer who asks for the status, and returns what ends that.
func (e *Exporter) answerHealth() (end func()) {
	if e.cfg.StatusListen == "" {
		return func() {}
	}
	return health.Join(e.cfg.StatusListen, health.Member{
		Instance: e.instance, Labels: e.Labels(), Stats: e.Stats, Errorf: e.log.Errorf, Infof: e.log.Infof,
	})
}
