package exporter

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// report writes log lines about what goes on, and keeps those that would come with every row or poll rare.
type report struct {
	log          *logline.Queue
	failures     int       // in a row
	failingSince time.Time // the first of them
	refusedSince time.Time // the first refusal in a row; zero = not refused
	refusedTold  bool      // as a status event
	progressAt   time.Time // of the last line about a backfill
	backfill     bool      // there was one since the collection had caught up
	rare         map[string]time.Time
	toldLateness time.Duration
	toldClock    bool
	toldNoDate   bool
}

const (
	progressInterval = 30 * time.Second // between lines about how far a backfill is
	clockTolerance   = 5 * time.Minute  // between the clocks before it is worth a line
)

func newReport(log *logline.Queue) *report {
	return &report{log: log, rare: make(map[string]time.Time)}
}

// seldom says whether a line of this kind is due.
func (r *report) seldom(kind string) bool {
	if last, told := r.rare[kind]; told && time.Since(last) < logline.RareInterval {
		return false
	}
	r.rare[kind] = time.Now()
	return true
}

func (r *report) changed(row *event.Row) {
	if r.seldom("changed") {
		r.log.Warnf(
			"event %s came again with other content; both versions are forwarded"+
				" (said at most every %s; see the changed metric)",
			logline.Quoted(r.log.Redact(string(row.Value(event.EventID)))), logline.RareInterval)
	}
}

func (r *report) badRow(row *event.Row) {
	if r.seldom("bad row") {
		r.log.Warnf("line %d of an answer cannot be read whole: %s; it is forwarded with its raw text (said at most every %s; see the bad_rows metric)", row.Line, row.Bad, logline.RareInterval)
	}
}

// lateness tells a new greatest lateness that comes close to the overlap.
func (r *report) lateness(lateness, overlap time.Duration) {
	if lateness > overlap/2 && lateness > r.toldLateness+r.toldLateness/4 {
		r.toldLateness = lateness
		r.log.Warnf("an event appeared at least %s after it happened; the overlap is %s: set it higher if that goes on", lateness.Round(time.Second), overlap)
	}
}

// progress says how far a backfill is, after each of its windows. A sweep is one when it begins further back than polls ever do.
func (r *report) progress(c *collector) {
	p := c.planner
	if p.Target.IsZero() { // the sweep is over
		if r.backfill {
			r.log.Infof("caught up at %s after %d events", p.Through.Format(time.RFC3339), c.stats.records.Load())
		}
		r.backfill = false
		return
	}
	if !r.backfill && p.Target.Sub(p.Through) < max(c.cfg.MaxWindow/2+c.cfg.PollInterval, c.cfg.Overlap) {
		return
	}
	if time.Since(r.progressAt) < progressInterval {
		return
	}
	r.progressAt, r.backfill = time.Now(), true
	r.log.Infof("backfill: at %s, %.0f %% of the time since %s, %d events so far", p.Through.Format(time.RFC3339),
		100*float64(p.Through.Sub(p.From))/float64(p.Target.Sub(p.From)), p.From.Format(time.RFC3339), c.stats.records.Load())
}

// observe notes the Date of an answer, or of one that refused or failed.
func (c *collector) observe(date time.Time, failed bool) {
	ahead := c.clock.Observe(date)
	if date.IsZero() && !failed && !c.clock.Known() && !c.report.toldNoDate {
		c.report.toldNoDate = true
		c.log.Warnf("the endpoint's answers have no Date header: the local clock decides what is asked for, and must be right")
	}
	c.stats.ahead.Store(int64(ahead))
	if ahead.Abs() > clockTolerance && !c.report.toldClock {
		c.report.toldClock = true
		c.log.Warnf("the local clock is %s off the server's; the server's decides what is asked for", ahead.Abs().Round(time.Second))
	}
}

// fail reports a failed request and waits before the next.
func (c *collector) fail(ctx context.Context, err error) error {
	r := c.report
	c.stats.failures.Add(1)
	wait, text := c.retry.Next(err).Round(time.Millisecond), c.client.Redact(err.Error()) // an answer may repeat the key
	if r.failures++; r.failures == 1 {
		r.failingSince = time.Now()
	}
	if source.ClassOf(err) == source.ClassRefused {
		c.stats.refused.Add(1)
		if r.refusedSince.IsZero() {
			r.refusedSince = time.Now()
		}
		c.log.Errorf("%s; asks again in %s, but this probably needs a person", text, wait)
	} else {
		r.refusedSince = time.Time{}
		c.log.Warnf("%s; asks again in %s", text, wait)
	}
	if !r.refusedSince.IsZero() && !r.refusedTold && time.Since(r.refusedSince) >= refusedAlert {
		r.refusedTold = true
		c.status(schema.Status{Kind: schema.StatusRefused, From: c.clock.Now().Add(-time.Since(r.refusedSince)), Message: "audit collection stands still: the endpoint refuses requests", Detail: text})
		if err := c.flush(ctx); err != nil {
			return err
		}
		c.land(flight{})
	}
	return c.sleep(ctx, wait)
}

// succeeded notes that a request was answered.
func (c *collector) succeeded() {
	r := c.report
	c.retry.Reset()
	if r.failures > 0 {
		c.log.Infof("the endpoint answers again after %d failed requests in %s", r.failures, time.Since(r.failingSince).Round(time.Second))
	}
	if r.refusedTold {
		c.status(schema.Status{Kind: schema.StatusRefusedOver, From: c.clock.Now().Add(-time.Since(r.refusedSince)), Message: "audit collection goes on: the endpoint answers again"})
	}
	r.failures, r.refusedSince, r.refusedTold = 0, time.Time{}, false
}

// emptyBodies decides whether an answer without a single byte means "no events". Nobody documents whether an empty export has a header; a
// broken proxy answers so too. So it is believed when it comes twice for the same window, at once when that has happened before, and only
// after five times when an empty export was seen with a header.
type emptyBodies struct {
	window     plan.Window
	times      int
	headerless bool // empty answers without a header were believed
	header     bool // an empty answer with a header was seen
}

func (b *emptyBodies) sawHeader(rows int) {
	if rows == 0 {
		b.header, b.headerless = true, false
	}
}

func (b *emptyBodies) believe(w plan.Window) bool {
	if b.window != w {
		b.window, b.times = w, 0
	}
	b.times++
	needed := 2
	switch {
	case b.header:
		needed = 5
	case b.headerless:
		needed = 1
	}
	if b.times < needed {
		return false
	}
	b.times = 0
	b.headerless = !b.header
	return true
}
