package exporter

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// reading is what an answer had that was read to its proper end.
type reading struct {
	rows   int
	more   bool    // its headers say that there are more rows
	footer bool    // the last row cannot be read: it may be none
	inside int     // rows whose time lies in the window
	sum    float64 // of these times, in seconds since the window's start

	fresh int // events that had never been seen
	other int // events that the set did not have that readPart was given
}

// add counts rows of an answer for w.
func (g *reading) add(rows []event.Row, w plan.Window) {
	g.rows += len(rows)
	if len(rows) > 0 {
		g.footer = rows[len(rows)-1].Bad != ""
	}
	for i := range rows {
		if at := rows[i].Time; !at.Before(w.Start) && !at.After(w.End) {
			g.inside++
			g.sum += at.Sub(w.Start).Seconds()
		}
	}
}

// round reports whether people choose such a number of rows for a limit.
func (g *reading) round() bool { return isRound(g.rows) || g.footer && isRound(g.rows-1) }

// middle is the mean of the rows' times. Unless all are the same, there are rows on both sides of it.
func (g *reading) middle(w plan.Window) time.Time {
	if g.inside == 0 {
		return w.Middle()
	}
	return w.Start.Add(time.Duration(g.sum / float64(g.inside) * float64(time.Second)))
}
