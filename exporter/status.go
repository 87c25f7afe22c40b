package exporter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// refusedAlert is for how long requests must have been refused before it becomes a status event.
const refusedAlert = 5 * time.Minute

// status queues a status event for the next batch, if the user wants them.
func (c *collector) status(s schema.Status) {
	if !c.cfg.StatusEvents {
		return
	}
	s.Time = c.clock.Now()
	c.statuses = append(c.statuses, s)
	if len(c.statuses) > maxStatuses {
		c.statuses = c.statuses[1:]
	}
}

// maxStatuses bounds what waits for an engine that does not collect.
const maxStatuses = 100

// appendStatuses encodes the waiting status events into the batch.
func (c *collector) appendStatuses() {
	for _, s := range c.statuses {
		if c.data == nil {
			c.data = c.ledger.Buffer()
		}
		c.data = schema.AppendStatus(schema.AppendEventHeader(c.data, s.Time), c.cfg.Schema, s)
		c.records++
	}
	c.carried = append(c.carried, c.statuses...)
	c.statuses = nil
}

// readAgain goes back when a clock that was ahead turned out wrong: what was noted as read under it may have been the
// future then.
func (c *collector) readAgain() {
	again := c.clock.Again()
	if again.IsZero() || !again.Before(c.planner.Through) {
		return
	}
	again = plan.Later(again.Truncate(time.Second), c.planner.From)
	c.log.Warnf("the server's clock was ahead and has been put right: reads again from %s", again.Format(time.RFC3339))
	c.planner.Reset(again)
}

// goBack gives up a checkpoint that is ahead of the server's clock, because a clock was wrong when it was saved. Until the clock reached it,
// each sweep would read an overlap only, and an outage longer than that would lose events. It waits for a second sweep, since a single answer
// with a wrong Date must not cost a repetition of hours.
func (c *collector) goBack(now time.Time) {
	through := c.planner.Through
	ahead := through.Sub(now)
	start := c.cfg.Start.At(now).Truncate(time.Second).UTC()
	if ahead <= time.Minute || start.After(now) { // a start_time in the future is meant
		c.ahead = 0
		return
	}
	if c.ahead++; c.ahead == 1 {
		return
	}
	if !c.toldFuture {
		c.toldFuture = true
		c.log.Warnf("the checkpoint %s is %s ahead of the server's clock %s: a clock was wrong; goes on from the server's present",
			through.Format(time.RFC3339), ahead.Round(time.Second), now.Format(time.RFC3339))
	}
	if c.planner.From.After(now) { // even the beginning was decided by a wrong clock
		c.committed.from = start
		c.planner = plan.New(c.limits(), start, start)
		return
	}
	c.planner.Reset(now)
}

// tellColumns says when the export's columns are others than before.
func (c *collector) tellColumns() {
	was := c.committed.columns
	if was == nil {
		return
	}
	names := c.columnsNow()
	added, gone := difference(names, was), difference(was, names)
	if len(added)+len(gone) == 0 {
		return
	}
	c.log.Warnf("the export's columns changed: new %s; gone %s; new columns are forwarded under their own names", list(added), list(gone))
	c.status(schema.Status{
		Kind:    schema.StatusColumnsChanged,
		Message: "the export's columns changed: new " + list(added) + "; gone " + list(gone),
		Detail:  logline.Cut(strings.Join(names, ","), columnsDetail),
	})
	c.committed.columns = nil // told; the next commit brings the new ones
}

// columnsNow are the names of the last response's columns, nil before the first.
func (c *collector) columnsNow() []string {
	if c.columns == nil {
		return nil
	}
	names := make([]string, len(c.columns.Names))
	for i, name := range c.columns.Names {
		names[i] = c.client.Redact(name) // a broken endpoint may repeat anything anywhere
	}
	return names
}

func difference(a, b []string) (only []string) {
	for _, name := range a {
		if !slices.Contains(b, name) {
			only = append(only, name)
		}
	}
	return only
}

// Bounds of what is said of columns: a broken endpoint may have any number of them, with names of megabytes.
const (
	listedNames   = 20
	listedName    = 64       // bytes
	columnsDetail = 16 << 10 // bytes of all names in a status event
)

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	shown := make([]string, 0, listedNames)
	for _, name := range names[:min(len(names), listedNames)] {
		shown = append(shown, logline.Cut(name, listedName))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// tellReconciled says what only reconciliation found, and so how much too short the overlap was.
func (c *collector) tellReconciled(run plan.Window, missing int) {
	atMost := c.clock.Now().Sub(run.Start).Round(time.Minute)
	c.reconciler.late = max(c.reconciler.late, atMost)
	c.log.Warnf("%d events of %s – %s appeared later than the overlap of %s caught, at most %s late; their minutes were forwarded again. Set overlap higher if this goes on",
		missing, run.Start.Format(time.RFC3339), run.End.Format(time.RFC3339), c.cfg.Overlap, atMost)
	c.status(schema.Status{Kind: schema.StatusReconciled, From: run.Start, To: run.End, Count: int64(missing), Message: "events appeared later than the overlap caught and were forwarded by reconciliation"})
}

// tellOverlap says at the end of a pass that found something how far the overlap was off.
func (c *collector) tellOverlap() {
	r := &c.reconciler
	if r.found == 0 {
		return
	}
	c.status(schema.Status{
		Kind: schema.StatusOverlapTooShort, To: r.until, Count: int64(r.found), Message: "events appear later than the overlap allows for; set overlap higher if this goes on",
		Detail: "overlap " + logline.Duration(c.cfg.Overlap) + ", events at most " + logline.Duration(r.late) + " late",
	})
}
