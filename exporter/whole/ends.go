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
type Ends struct {
	start    time.Time
	text     string
	rows     int
	times    int
	since    time.Time       // it comes
	believed map[string]bool // texts of errors that were
}

const (
	maxEnd     = 4 << 10 // bytes of an end that are compared
	errorTimes = 5
	errorTime  = 10 * time.Minute
	mostErrors = 100 // that are remembered
)

// Believe reports whether an answer to the window that begins at start is whole although it ends so, behind so many
// rows.
func (d *Ends) Believe(start time.Time, end csv.End, rows int) bool {
	text := withoutDigits(end.Text[:min(len(end.Text), maxEnd)])
	if end.Foreign && d.believed[text] {
		return true
	}
	if !d.start.Equal(start) || d.text != text || rows < d.rows {
		d.start, d.text, d.times, d.since = start, text, 0, time.Now()
	}
	d.rows = rows
	d.times++
	switch {
	case !end.Foreign && d.times < 2, end.Foreign && (d.times < errorTimes || time.Since(d.since) < errorTime):
		return false
	case end.Foreign:
		d.remember(text)
	}
	d.times = 0
	return true
}

func (d *Ends) remember(text string) {
	if d.believed == nil || len(d.believed) >= mostErrors {
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
