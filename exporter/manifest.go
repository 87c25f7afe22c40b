package exporter

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// manifest says in band, among the audit events, that the collection is alive and what it handed over, so that a SIEM
// can tell quiet from dead, and all from some: a status event alive each status_interval, and one for each hour that is
// closed and had events, with their number and digest (see dedup.Hours). An hour that reconciliation changes is said
// again, with a higher revision.
type manifest struct {
	next    time.Time // when the next is due, by the local clock; zero = at once
	through time.Time // up to where the last one spoke
	events  int64     // in batches then
	changed bool      // there is more to say of hours
}

const mostHours = 500 // of a manifest; the others follow at once

// tellAlive says what is due.
func (c *collector) tellAlive(ctx context.Context) error {
	m := &c.manifest
	if !c.cfg.StatusEvents || c.cfg.StatusInterval == 0 || c.commits.through().IsZero() {
		return nil
	}
	if !time.Now().Before(m.next) {
		m.next, m.changed = time.Now().Add(c.cfg.StatusInterval), true
		c.noticeAlive()
		if err := c.sendStatuses(ctx); err != nil {
			return err
		}
	}
	if !m.changed || len(c.commits.flights) > 0 { // what is on its way may change hours, or say them
		return nil
	}
	m.changed = false
	return c.tellHours(ctx)
}

func (c *collector) noticeAlive() {
	m, through, events := &c.manifest, c.commits.through(), c.batcher.events
	from := m.through
	if from.IsZero() || from.After(through) {
		from = through
	}
	lag := max(0, c.clock.Now().Sub(through))
	c.notices.status(schema.Status{
		Kind: schema.StatusAlive, From: from, To: through, Count: events - m.events,
		Message: fmt.Sprintf("audit collection is alive: everything up to %s is handed over", through.Format(time.RFC3339)),
		Lag:     strconv.FormatInt(int64(lag/time.Second), 10), Version: Version,
	})
	m.through, m.events = through, events
}

// tellHours says what was handed over of the hours that are closed: their end is older than the overlap, and they are
// committed whole.
func (c *collector) tellHours(ctx context.Context) error {
	state := &c.commits.saved.state
	from := plan.Later(state.from, state.hours.Since).Add(time.Hour - 1).Truncate(time.Hour)
	due := state.hours.Due(from, c.commits.floor().Truncate(time.Hour), mostHours)
	if len(due) == 0 {
		return nil
	}
	statuses := make([]schema.Status, 0, len(due))
	for _, hour := range due {
		statuses = append(statuses, schema.Status{
			Kind: schema.StatusHour, Time: c.clock.Now(), From: hour.Start, To: hour.Start.Add(time.Hour),
			Count: int64(hour.Digest.Count), Digest: fmt.Sprintf("%016x", hour.Digest.Sum()),
			Revision: int64(hour.Revision), Version: Version,
			Message: fmt.Sprintf("%d audit events of this hour were handed over", hour.Digest.Count),
		})
	}
	c.batcher.addStatuses(statuses)
	if err := c.flush(ctx); err != nil {
		return err
	}
	c.land(flight{issued: due})
	c.manifest.changed = len(due) == mostHours
	return c.commits.settle()
}
