package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
)

// Ends decides whether an answer whose end is no row is whole: a query may have failed behind half of
// the rows, and a footer, or a quote that somebody chose, comes each time. So the same end has to come again
// for a window with the same beginning. Its digits may differ and the rows before it may become more, since a
// footer may count and the present goes on. An error has to come five times and for ten minutes, since a trouble that
// passes takes what lies behind it along; one that was believed is believed at once when it comes again, since it is a
// row that somebody chose.
//
// That it comes again does not prove it: a query that is too much fails each time, and what cuts off answers that
// are too long cuts this one at the same byte. So an answer that is believed is suspect until its parts were seen
// to have no more.
type Ends struct {
	start    time.Time
	text     string
	rows     int
	times    int
	since    time.Time       // it comes
	believed map[string]bool // texts of errors that were
	honest   map[string]int  // ends of answers that were shown to be whole, and the most rows that these had

	// Examining is set while parts of an answer are read that is suspect: their ends are believed at once.
	Examining bool
}

const (
	maxEnd     = 4 << 10 // bytes of an end that are compared
	errorTimes = 5
	errorTime  = 10 * time.Minute
	mostEnds   = 100 // that are remembered
)

// Believe reports whether an answer to the window that begins at start can be read although it ends so. got is what
// it had until then.
func (d *Ends) Believe(start time.Time, end csv.End, got *Reading) bool {
	text := withoutDigits(end.Text[:min(len(end.Text), maxEnd)])
	known := d.Examining || end.Foreign && d.believed[text]
	if !known && !d.cameAgain(start, text, end.Foreign, got.Rows) {
		return false
	}
	got.ended, got.end = true, text
	return true
}

// Proper notes that an answer to the window that begins at start ended as it should: an odd end before it was an
// accident.
func (d *Ends) Proper(start time.Time) {
	if d.start.Equal(start) {
		d.start, d.times = time.Time{}, 0
	}
}

// noLineEnd stands for the end of an answer whose last row lacks its line end.
const noLineEnd = "no line end"

// BelieveTorn is Believe for an answer that HTTP proves whole and whose last row has everything but its line end: its
// last field may be cut, and so may what comes behind it. Some endpoints write no last line end; once one of their
// answers was shown to be whole, that is believed at once.
func (d *Ends) BelieveTorn(start time.Time, got *Reading) bool {
	_, usual := d.honest[noLineEnd]
	if !usual && !d.Examining && !d.cameAgain(start, noLineEnd, false, got.Rows) {
		return false
	}
	got.ended, got.end = true, noLineEnd
	return true
}

// Suspect reports whether an answer ends with what is no row, and has more rows than those that end so and were shown
// to be whole.
func (d *Ends) Suspect(got Reading) bool {
	most, known := d.honest[got.end]
	return got.ended && (!known || got.Rows > most)
}

// Honest notes that an answer was whole although it ended so. One without events proves nothing: a query may fail
// ahead of the first.
func (d *Ends) Honest(got Reading) {
	if !got.ended || got.events() == 0 {
		return
	}
	if d.honest == nil || len(d.honest) >= mostEnds {
		d.honest = make(map[string]int)
	}
	d.honest[got.end] = max(d.honest[got.end], got.Rows)
}

// cameAgain notes an end and reports whether it came often enough.
func (d *Ends) cameAgain(start time.Time, text string, foreign bool, rows int) bool {
	if !d.start.Equal(start) || d.text != text || rows < d.rows {
		d.start, d.text, d.times, d.since = start, text, 0, time.Now()
	}
	d.rows = rows
	d.times++
	switch {
	case !foreign && d.times < 2, foreign && (d.times < errorTimes || time.Since(d.since) < errorTime):
		return false
	case foreign:
		d.remember(text)
	}
	d.times = 0
	return true
}

func (d *Ends) remember(text string) {
	if d.believed == nil || len(d.believed) >= mostEnds {
		d.believed = make(map[string]bool)
	}
	d.believed[text] = true
}

func withoutDigits(text []byte) string {
	left := make([]byte, 0, len(text))
	for _, c := range text {
		if c-'0' > 9 {
			left = append(left, c)
		}
	}
	return string(left)
}
