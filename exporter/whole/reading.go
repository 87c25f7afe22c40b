package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// Reading is what an answer had that was read to its proper end.
type Reading struct {
	Rows   int
	More   bool    // its headers say that there are more rows
	footer bool    // the last row cannot be read: it may be none
	inside int     // rows whose time lies in the window
	sum    float64 // of these times, in seconds since the window's start

	Fresh int // events that had never been seen
	Other int // events that the set did not have that ReadPart was given
}

// Add counts rows of an answer for w.
func (g *Reading) Add(rows []event.Row, w plan.Window) {
	g.Rows += len(rows)
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
func (g *Reading) round() bool { return isRound(g.Rows) || g.footer && isRound(g.Rows-1) }

// middle is the mean of the rows' times. Unless all are the same, there are rows on both sides of it.
func (g *Reading) middle(w plan.Window) time.Time {
	if g.inside == 0 {
		return w.Middle()
	}
	return w.Start.Add(time.Duration(g.sum / float64(g.inside) * float64(time.Second)))
}
