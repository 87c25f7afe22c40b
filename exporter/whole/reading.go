package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// Reading is what an answer had that was read to its proper end.
type Reading struct {
	Rows   int
	Framed bool    // HTTP says where it ends
	More   bool    // its headers say that there are more rows
	Missed bool    // the endpoint counts more events than it has
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

// Least is how many of rows are events at least: a last one that cannot be read may be a footer.
func (g *Reading) Least(rows int) int {
	if g.footer && rows > 0 {
		return rows - 1
	}
	return rows
}

// least is from how many rows on an answer that is examined can teach a limit.
func (g *Reading) least() int {
	if g.Missed {
		return leastMissed
	}
	return LeastLimit
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
