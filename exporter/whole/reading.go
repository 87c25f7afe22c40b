package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// Reading is what an answer had that was read to its proper end.
type Reading struct {
	Rows   int
	Bytes  int64   // of its body, as they came
	Framed bool    // HTTP says where it ends
	More   bool    // its headers say that there are more rows
	Part   bool    // they say that it is a part
	Missed bool    // the endpoint counts more events than it has
	bad    int     // rows that cannot be read
	footer bool    // the last row is one of them: it may be none
	inside int     // rows whose time lies in the window
	sum    float64 // of these times, in nanoseconds since the window's start
	order  order   // of these times
	ended  bool    // it ended with what is no row, which was believed …
	end    string  // … this, without its digits

	Fresh int // events that had never been seen
	Other int // events that the set did not have that ReadPart was given
}

// Add counts rows of an answer for w.
func (g *Reading) Add(rows []event.Row, w plan.Window) {
	g.Rows += len(rows)
	if len(rows) > 0 {
		g.footer = rows[len(rows)-1].Bad != ""
	}
	in := event.SpanOf(w.Start, w.End)
	for i := range rows {
		if rows[i].Bad != "" {
			g.bad++
		}
		t := rows[i].Time
		if at := event.Nanos(t); in.Has(at) {
			g.inside++
			g.sum += float64(at - in.First)
			g.order.add(t.Unix(), t.Nanosecond())
		}
	}
}

// good is how many rows can be read.
func (g *Reading) good() int { return g.Rows - g.bad }

// Least is how many of rows are events at least: a last one that cannot be read may be a footer.
func (g *Reading) Least(rows int) int {
	if g.footer && rows > 0 {
		return rows - 1
	}
	return rows
}

// Ended reports whether the answer ended with what is no row.
func (g *Reading) Ended() bool { return g.ended }

// News counts what a reading had that was not known before, but for a last row that cannot be read: a footer that
// counts rows differs from part to part.
type News struct {
	fresh, other         int
	lastFresh, lastOther int // of these, what a last row that cannot be read added
}

// Note adds a row that was fresh to everything, or not in the set that ReadPart was given, so many times.
func (n *News) Note(r *event.Row, fresh, other int) {
	n.fresh, n.other = n.fresh+fresh, n.other+other
	n.lastFresh, n.lastOther = 0, 0
	if r.Bad != "" {
		n.lastFresh, n.lastOther = fresh, other
	}
}

// End enters the counts into the reading.
func (n *News) End(got *Reading) {
	got.Fresh, got.Other = n.fresh, n.other
	if got.ended && got.footer {
		got.Fresh, got.Other = n.fresh-n.lastFresh, n.other-n.lastOther
	}
}

// events is how many of the rows tell of events.
func (g *Reading) events() int {
	if g.ended && g.footer {
		return g.Rows - 1
	}
	return g.Rows
}

// round reports whether people choose such a number of rows for a limit.
func (g *Reading) round() bool { return isRound(g.Rows) || g.footer && isRound(g.Rows-1) }

// middle is the mean of the rows' times. Unless all are the same, there are rows on both sides of it.
func (g *Reading) middle(w plan.Window) time.Time {
	if g.inside == 0 {
		return w.Middle()
	}
	at := w.Start.Add(time.Duration(g.sum / float64(g.inside)))
	if g.ended && g.inside == 1 && at.Before(w.Start.Add(time.Second)) {
		return w.Start.Add(time.Second) // the only event stays in the first part, which is the shortest
	}
	return at
}
