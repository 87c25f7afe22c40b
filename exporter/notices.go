package exporter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// notices is what the collection says of itself: log lines, those that would come with every row or poll kept
// rare, and status events on their way to a batch.
type notices struct {
	log   *logline.Queue
	clock *plan.Clock

	enabled  bool            // status_events
	statuses []schema.Status // wait for the next batch
	carried  []schema.Status // are in batches since the last flight

	rare         map[string]time.Time // when a kind of line was written last
	columns      []string             // that were committed or told last; nil = none yet
	toldLateness time.Duration
	toldClock    bool
	toldNoDate   bool
	toldGap      bool
	toldFuture   bool
	withheld     bool // what bad rows have in them
}

func newNotices(log *logline.Queue, clock *plan.Clock, statusEvents bool) *notices {
	return &notices{log: log, clock: clock, enabled: statusEvents, rare: make(map[string]time.Time)}
}

// maxStatuses bounds what waits for an engine that does not collect.
const maxStatuses = 100

// status queues a status event for the next batch, if the user wants them.
func (n *notices) status(s schema.Status) {
	if !n.enabled {
		return
	}
	if s.Time.IsZero() {
		s.Time = n.clock.Now()
	}
	n.statuses = append(n.statuses, s)
	if len(n.statuses) > maxStatuses {
		n.statuses = n.statuses[1:]
	}
}

// board returns the waiting status events, which are about to go into a batch.
func (n *notices) board() []schema.Status {
	boarding := n.statuses
	n.carried = append(n.carried, boarding...)
	n.statuses = nil
	return boarding
}

// land returns the status events that are in batches since the last flight, which is to keep them.
func (n *notices) land() []schema.Status {
	landed := n.carried
	n.carried = nil
	return landed
}

// revert queues again what was on its way: what flights kept, and what no flight has yet.
func (n *notices) revert(flights []schema.Status) {
	n.statuses = append(n.statuses, flights...)
	n.statuses = append(n.statuses, n.carried...)
	n.carried = nil
}

// seldom reports whether a line of this kind is due.
func (n *notices) seldom(kind string) bool {
	if last, told := n.rare[kind]; told && time.Since(last) < logline.RareInterval {
		return false
	}
	n.rare[kind] = time.Now()
	return true
}

func (n *notices) changed(row *event.Row) {
	if n.seldom("changed") {
		n.log.Warnf(
			"event %s came again with other content; both versions are forwarded"+
				" (said at most every %s; see the changed metric)",
			logline.Quoted(n.log.Redact(string(row.Value(event.EventID)))), logline.RareInterval)
	}
}

func (n *notices) badRow(row *event.Row) {
	if n.seldom("bad row") {
		bad := row.Bad
		if n.withheld {
			bad = pseudonym.Withheld
		}
		n.log.Warnf(
			"line %d of an answer cannot be read whole: %s; it is forwarded with its raw text"+
				" (said at most every %s; see the bad_rows metric)",
			row.Line, bad, logline.RareInterval)
	}
}

// lateness tells a new greatest lateness that comes close to the overlap.
func (n *notices) lateness(lateness, overlap time.Duration) {
	if lateness > overlap/2 && lateness > n.toldLateness+n.toldLateness/4 {
		n.toldLateness = lateness
		n.log.Warnf("an event appeared at least %s after it happened; the overlap is %s: set it higher if that goes on",
			lateness.Round(time.Second), overlap)
	}
}

// clockTolerance is what may be between the clocks before it is worth a line.
const clockTolerance = 5 * time.Minute

// dated notes how far the server's clock is from the local one by an answer, and whether the answer had a Date.
func (n *notices) dated(ahead time.Duration, missing bool) {
	if missing && !n.toldNoDate {
		n.toldNoDate = true
		n.log.Warnf("the endpoint's answers have no Date header: " +
			"the local clock decides what is asked for, and must be right")
	}
	if ahead.Abs() > clockTolerance && !n.toldClock {
		n.toldClock = true
		n.log.Warnf("the local clock is %s off the server's; the server's decides what is asked for",
			ahead.Abs().Round(time.Second))
	}
}

// gap says once what the endpoint no longer has.
func (n *notices) gap(through, kept time.Time) {
	if n.toldGap {
		return
	}
	n.toldGap = true
	n.log.Errorf("the checkpoint is at %s, but the endpoint keeps events for 90 days only: "+
		"what happened before %s and was not collected is gone", through.Format(time.RFC3339), kept.Format(time.RFC3339))
	n.status(schema.Status{
		Kind: schema.StatusRetentionGap, From: through, To: kept,
		Message: "events older than the endpoint's retention of 90 days were not collected and are gone",
	})
}

// skipped says that the endpoint refused to answer for a range of time, which is skipped.
func (n *notices) skipped(from, to time.Time) {
	n.log.Errorf("the endpoint refuses to answer for what happened before %s: "+
		"what happened from %s on and was not collected is gone", to.Format(time.RFC3339), from.Format(time.RFC3339))
	n.status(schema.Status{
		Kind: schema.StatusRetentionGap, From: from, To: to,
		Message: "events older than what the endpoint answers for were not collected and are gone",
	})
}

// future says once that the checkpoint is ahead of the server's clock.
func (n *notices) future(through, now time.Time) {
	if n.toldFuture {
		return
	}
	n.toldFuture = true
	n.log.Warnf("the checkpoint %s is %s ahead of the server's clock %s: "+
		"a clock was wrong; goes on from the server's present",
		through.Format(time.RFC3339), through.Sub(now).Round(time.Second), now.Format(time.RFC3339))
}

// newColumns says when the export's columns are others than those that were committed or told last.
func (n *notices) newColumns(names []string) {
	was := n.columns
	n.columns = names
	added, gone := difference(names, was), difference(was, names)
	if was == nil || len(added)+len(gone) == 0 {
		return
	}
	text := "the export's columns changed: new " + list(added) + "; gone " + list(gone)
	n.log.Warnf("%s; new columns are forwarded under their own names", text)
	n.status(schema.Status{
		Kind:    schema.StatusColumnsChanged,
		Message: text,
		Detail:  logline.Cut(strings.Join(names, ","), columnsDetail),
	})
}

// volatile says once that a column changes while the events stay the same.
func (n *notices) volatile(column string) {
	n.log.Warnf("the column %s changes from answer to answer while the events stay the same: "+
		"a change of it alone is not forwarded", logline.Quoted(n.log.Redact(column)))
}

// sharedID says once that a text in event_id is none.
func (n *notices) sharedID(rows, of int) {
	n.log.Warnf("%d of %d rows of an answer have the same event_id: from now on these count as rows without one, "+
		"and some arrive once more", rows, of)
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
