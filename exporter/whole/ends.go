package whole

import (
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
)

// Ends decides whether an answer whose end is no row is whole: a query may have failed behind half of
// the rows, and a footer, or a quote that somebody chose, comes each time. So the same end has to come again
// for a window with the same beginning. Its digits may differ and the rows before it may become more, since a
// footer may count and the present goes on. An error has to come five times, since a trouble that passes
// lasts longer than one request.
type Ends struct {
	start time.Time
	text  string
	rows  int
	times int
}

// maxEnd is as much of an end as is compared, in bytes.
const maxEnd = 4 << 10

// Believe reports whether an answer to the window that begins at start is whole although it ends so, behind so many
// rows.
func (d *Ends) Believe(start time.Time, end csv.End, rows int) bool {
	text, needed := withoutDigits(end.Text[:min(len(end.Text), maxEnd)]), 2
	if end.Foreign {
		needed = 5
	}
	if !d.start.Equal(start) || d.text != text || rows < d.rows {
		*d = Ends{start: start, text: text}
	}
	d.rows = rows
	d.times++
	if d.times < needed {
		return false
	}
	d.times = 0
	return true
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
