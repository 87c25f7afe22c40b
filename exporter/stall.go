package exporter

import (
	"context"
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Causes of a standstill that are not a request's.
const (
	causeNotAnExport source.Cause = "not_an_export" // answers come, but they are no export, or end too early
	causeDelivery    source.Cause = "delivery"      // what was handed over does not become safe
	causeStorage     source.Cause = "storage"       // the checkpoint cannot be saved
)

func causeOf(err error) source.Cause {
	var doubt *doubtError
	switch {
	case errors.As(err, &doubt) && doubt.save:
		return causeStorage
	case errors.As(err, &doubt):
		return causeDelivery
	case source.CauseOf(err) != "":
		return source.CauseOf(err)
	}
	for _, answer := range []error{body.ErrNoExport, body.ErrCut, body.ErrEmptyBody} {
		if errors.Is(err, answer) {
			return causeNotAnExport
		}
	}
	return source.CauseUnreachable // a connection that broke, whatever net/http calls it
}

// stall is a standstill, whatever its cause. It is over only when what stands goes on, not when the error
// becomes another.
type stall struct {
	after   time.Duration // stalled_after
	told    bool
	cause   source.Cause    // of the last failure
	text    string          // likewise
	at      time.Time       // likewise
	outcome figures.Outcome // likewise
	waits   time.Time       // since when something has waited for a commit, as seen now and then; zero = nothing does
}

func (s *stall) failed(err error, text string) {
	s.cause, s.text, s.at, s.outcome = causeOf(err), text, time.Now(), outcomeOf(0, err)
}

// standing returns since when nothing has gone on, by the local clock: no request has succeeded, or no commit
// has come while something waits for one. Zero means that all goes on.
func (c *collector) standing() (since time.Time) {
	if c.pace.failures > 0 {
		// Where a request waits for its turn, nothing fails.
		since = c.pace.failingSince.Add(c.reader.client.Waited() - c.pace.waited)
	}
	s := &c.pace.stall
	switch waits := len(c.commits.flights) > 0 || c.batcher.last() > c.commits.saved.state.batch; {
	case !waits:
		s.waits = time.Time{}
	case s.waits.Before(c.commits.at): // for the first time, or there has been a commit
		s.waits = time.Now()
	}
	if since.IsZero() || !s.waits.IsZero() && s.waits.Before(since) {
		since = s.waits
	}
	return since
}

// tellStall says when the collection has stood still for stalled_after, and when it goes on again.
func (c *collector) tellStall(ctx context.Context) error {
	s, since := &c.pace.stall, c.standing()
	stands := time.Since(since)
	switch {
	case !since.IsZero() && stands >= s.after && !s.told:
		s.told, c.manifest.next = true, time.Time{}
		cause, text := s.cause, s.text
		if c.pace.failures == 0 && cause != causeStorage {
			cause, text = causeDelivery, "what was handed over is not known to be safe"
		}
		c.log.Errorf("the collection has stood still for %s (%s): %s", stands.Round(time.Second), cause, text)
		c.notices.status(schema.Status{
			Kind: schema.StatusStalled, From: c.clock.Now().Add(-stands),
			Message: "audit collection stands still", Detail: string(cause) + ": " + text,
		})
		return c.sendStatuses(ctx)
	case since.IsZero() && s.told:
		s.told, c.manifest.next = false, time.Time{}
		c.log.Infof("the collection goes on")
		c.notices.status(schema.Status{Kind: schema.StatusStalledOver, Message: "audit collection goes on"})
	}
	return nil
}

// sendStatuses hands over the status events that wait, since no window does.
func (c *collector) sendStatuses(ctx context.Context) error {
	if err := c.flush(ctx); err != nil {
		return err
	}
	c.land(flight{})
	return nil
}

// pause waits for d, as sleep does, and says meanwhile when the collection has come to a standstill. It ends early when
// a credential that was refused has been replaced.
func (c *collector) pause(ctx context.Context, d time.Duration) error {
	const (
		lookAfter    = 20 * time.Second // between two looks whether there is a standstill to be told
		renewedAfter = time.Second      // likewise whether a credential that was refused has been replaced
	)
	for until := time.Now().Add(d); ; {
		c.tellExpiry()
		if err := c.tellRefused(ctx); err != nil {
			return err
		}
		if err := c.tellStall(ctx); err != nil {
			return err
		}
		if err := c.tellAlive(ctx); err != nil {
			return err
		}
		c.show()
		left, look := time.Until(until), lookAfter
		if left <= 0 || c.renewed() {
			return ctx.Err()
		}
		if !c.pace.refusedSince.IsZero() {
			look = renewedAfter
		}
		if err := c.pace.sleep(ctx, min(left, look)); err != nil {
			return err
		}
	}
}
