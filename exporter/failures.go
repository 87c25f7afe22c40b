package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// pace is when things are done, and for how long they have been failing.
type pace struct {
	upkeep
	retry    *source.Retry // of requests
	nextPoll time.Time

	learned   bool           // the server's time
	unsettled int            // how often it was asked for in vain
	ahead     int            // sweeps in a row that began with a checkpoint ahead of the server's clock
	accepted  oldestAccepted // while the endpoint refuses to answer for what is too old
	announced bool           // that a bounded collection is complete

	succeeded    time.Time       // when a request was answered last
	failures     int             // in a row
	retryAt      time.Time       // when the next try is, after a failure
	failingSince time.Time       // the first of them
	waited       time.Duration   // for turns, until then
	told         logline.Repeats // lines about failures
	refusedSince time.Time       // the first refusal in a row; zero = not refused
	refusedTold  bool            // as a status event
	expiry       source.Expiry
	stall        stall
}

// refusedAlert is for how long requests must have been refused before it becomes a status event. When it
// began is known only as well as polls tell: up to refusedBefore before the first refusal, if the last
// success was no later.
const (
	refusedAlert  = 5 * time.Minute
	refusedBefore = time.Minute
)

// defectPause is how long the collector rests when even what follows an error is a panic.
const defectPause = 30 * time.Second

// deal does what follows an error, and returns the doubt that came up meanwhile, if any.
func (c *collector) deal(ctx context.Context, err error) error {
	var before, after *doubtError
	next := c.guarded(ctx, func(ctx context.Context) error {
		if errors.As(err, &before) {
			c.refetch(ctx, before)
			return nil
		}
		return c.fail(ctx, err)
	})
	if !errors.As(next, &after) {
		return nil
	}
	if before != nil { // refetch returns none: it was a panic, and would be one again at once
		c.log.Errorf("%s", after.cause)
		rest(ctx, defectPause)
	}
	return after
}

// guarded turns a panic into an error: a defect that one answer brings out must not take down the engine with all its
// other inputs. The window counts as not read.
func (c *collector) guarded(ctx context.Context, do func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = defect(r)
		}
	}()
	return do(ctx)
}

// adapt plans anew after w failed: up to the present, which may be another than when the sweep began, and
// with shorter windows when err says that w was too much.
func (c *collector) adapt(w plan.Window, err error) error {
	if c.beginLater(w, err) {
		return nil // asked at once: there are at most a dozen steps
	}
	present := c.clock.Now()
	if source.RefusesInput(err) && c.pace.failures > 0 {
		present = present.Add(-leastRefused) // which may be the future by another clock behind the endpoint
	}
	c.plan.Retarget(present)
	if c.mayBeTooLong(w, err) && c.plan.Shrink(w) {
		return fmt.Errorf("%w; asks for windows of %s", err, c.plan.Length())
	}
	return err
}

// leastRefused is the longest window that is not made shorter because it is refused as wrong, since there would be too
// many, and how far windows keep away from the present then.
const leastRefused = time.Minute

// mayBeTooLong reports whether a shorter window may help. One that is refused again as wrong may be longer than
// the endpoint allows, or end later than the clock behind it says: shorter ones skip nothing, and grow again.
func (c *collector) mayBeTooLong(w plan.Window, err error) bool {
	return source.ClassOf(err) == source.ClassShrink ||
		source.RefusesInput(err) && c.pace.failures > 0 && w.End.Sub(w.Start) > leastRefused
}

// fail reports a failed request and waits before the next.
func (c *collector) fail(ctx context.Context, err error) error {
	p := &c.pace
	c.stats.failures.Add(1)
	wait, text := p.retry.Next(err).Round(time.Millisecond), c.log.Redact(err.Error()) // an answer may repeat the key
	if p.failures++; p.failures == 1 {
		p.failingSince, p.waited = time.Now(), c.reader.client.Waited()
	}
	p.retryAt = time.Now().Add(wait)
	c.tellTurns()
	p.stall.failed(err, text)
	due, again := p.told.Due(text), ""
	if p.failures > 1 {
		again = fmt.Sprintf("; failed %d times in %s", p.failures, time.Since(p.failingSince).Round(time.Second))
	}
	if source.ClassOf(err) == source.ClassRefused {
		if p.refusedSince.IsZero() {
			p.refusedSince = time.Now().Add(-min(time.Since(p.succeeded), refusedBefore))
		}
		if due {
			c.log.Errorf("%s%s; asks again in %s, but this probably needs a person", text, again, wait)
		}
	} else {
		p.refusedSince = time.Time{}
		if due {
			c.log.Warnf("%s%s; asks again in %s", text, again, wait)
		}
	}
	return c.pause(ctx, wait)
}

// tellRefused says when the endpoint has refused for refusedAlert.
func (c *collector) tellRefused(ctx context.Context) error {
	p := &c.pace
	if p.refusedSince.IsZero() || p.refusedTold || time.Since(p.refusedSince) < refusedAlert {
		return nil
	}
	p.refusedTold = true
	c.notices.status(schema.Status{
		Kind: schema.StatusRefused, From: c.clock.Now().Add(-time.Since(p.refusedSince)),
		Message: "audit collection stands still: the endpoint refuses requests", Detail: p.stall.text,
	})
	return c.sendStatuses(ctx)
}

// tellExpiry says that the credential will expire.
func (c *collector) tellExpiry() {
	if text := c.pace.expiry.Due(time.Now()); text != "" {
		c.log.Warnf("%s", text)
		c.notices.status(schema.Status{
			Kind: schema.StatusCredentialExpires, To: c.pace.expiry.At,
			Message: "the credential of the audit collection expires", Detail: text,
		})
	}
}

// tellSwitched says that another credential is used.
func (c *collector) tellSwitched() {
	text := c.reader.client.Switched()
	if text == "" {
		return
	}
	text = c.log.Redact(text)
	c.log.Warnf("credential_switched: %s", text)
	c.notices.status(schema.Status{
		Kind: schema.StatusCredentialSwitched, Message: "audit collection goes on with another credential", Detail: text,
	})
}

// renewed reports whether a credential that was refused has been replaced.
func (c *collector) renewed() bool {
	if c.pace.refusedSince.IsZero() || !c.reader.client.Renewed() {
		return false
	}
	c.log.Infof("the credential has been replaced: asks again at once")
	return true
}

// succeeded notes that a request was answered.
func (c *collector) succeeded() {
	c.tellSwitched()
	p := &c.pace
	p.retry.Reset()
	p.told.Over()
	if p.failures > 0 {
		c.log.Infof("the endpoint answers again after %d failed requests in %s",
			p.failures, time.Since(p.failingSince).Round(time.Second))
	}
	if p.refusedTold {
		c.notices.status(schema.Status{
			Kind: schema.StatusRefusedOver, From: c.clock.Now().Add(-time.Since(p.refusedSince)),
			Message: "audit collection goes on: the endpoint answers again",
		})
	}
	c.tellTurns()
	p.succeeded = time.Now()
	c.stats.waited.Store(int64(c.reader.client.Waited()))
	p.failures, p.refusedSince, p.refusedTold = 0, time.Time{}, false
	c.stats.succeeded.Store(p.succeeded.UnixNano())
	c.show()
}

// tellTurns says that the inputs of this process are too many for their min_request_interval.
func (c *collector) tellTurns() {
	if wait := c.reader.client.LastWait(); wait > c.cfg.PollInterval && c.notices.seldom("turns") {
		c.log.Warnf("a request waited %s for its turn, longer than poll_interval %s: the inputs of this Fluent Bit are too "+
			"many for min_request_interval %s; nothing is lost, but all is late", wait.Round(time.Second),
			logline.Duration(c.cfg.PollInterval), logline.Duration(c.cfg.MinRequestInterval))
	}
}

// refetch goes back to the checkpoint, because of doubt. Identities of what is safe stay known, so only what
// may be lost is handed over again.
//
// A checkpoint that cannot be saved counts as doubt too: on a full disk the engine drops chunks (measured on
// 5.1.1), so that what was handed over since the last save may be gone. Nothing more is handed over until
// saving works again.
func (c *collector) refetch(ctx context.Context, doubt *doubtError) {
	c.stats.refetches.Add(1)
	c.pace.stall.failed(doubt, doubt.cause)
	safe, _ := c.commits.ledger.State()
	if doubt.save {
		safe = c.commits.saved.state.batch
	}
	if c.commits.ledger.SlowCopy() {
		c.batcher.shorten()
	}
	c.revert(safe)
	through := c.commits.through()
	c.log.Errorf("%s; fetches again everything after %s", doubt.cause, through.Format(time.RFC3339))
	c.notices.status(schema.Status{
		Kind: schema.StatusRefetched, From: through,
		Message: "what was handed over may have been lost and is fetched again", Detail: doubt.cause,
	})
	for rest(ctx, c.commits.doubts.Next(doubt)) {
		if !doubt.save || c.plan == nil { // without a plan there is no state yet that could be saved
			return
		}
		err := c.commits.saveAgain()
		if err == nil {
			c.log.Infof("the checkpoint can be saved again")
			return
		}
		if c.notices.seldom(err.Error()) {
			c.log.Errorf("%v; nothing is handed over until it can be, and nothing is lost meanwhile", err)
		}
	}
}

// revert forgets what is not part of the checkpoint, but for the identities of batches up to safe, which are
// still to be counted.
func (c *collector) revert(safe uint32) {
	c.notices.revert(c.commits.revert(safe))
	c.batcher.drop()
	c.second.cancel()
	c.backfill.Again(c.commits.through())
	if c.plan != nil {
		c.plan.Reset(c.commits.through())
		c.pace.nextPoll = time.Time{}
	}
}
