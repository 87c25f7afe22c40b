package whole

import (
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// Ends decides whether an answer whose end is no row is whole: a query may have failed behind half of
// the rows, and a footer, or a quote that somebody chose, comes each time. So the same end has to come again
// for the same window, or for that of a poll, whose end is the present. Its digits may differ and the rows before it
// may become more, since a footer may count and the present goes on. An error has to come five times and for ten
// minutes, since a trouble that passes takes what lies behind it along; one that was believed is believed at once when
// it comes again, since it is a row that somebody chose.
//
// That it comes again does not prove it: a query that is too much fails each time, and what cuts off answers that
// are too long cuts this one at the same byte. So an answer that is believed is suspect until its parts were seen
// to have no more.
//
// Windows are told apart, since polls go on while an earlier stretch is read again. What came again in a window is
// believed there for a while, so that a stretch of several such windows is read to its end one day.
type Ends struct {
	seen     []*sighting     // the last one last
	believed map[string]bool // texts of errors that were
	honest   map[string]int  // ends of answers that were shown to be whole, and the most rows that these had

	// Examining is set while parts of an answer are read that is suspect: their ends are believed at once.
	Examining bool
}

// sighting is an end that answers to a window had.
type sighting struct {
	w     plan.Window // which may become longer as time goes on
	text  string
	rows  int // before it
	times int
	since time.Time // the first of them
	at    time.Time // the last of them
	again bool      // it came often enough
}

const (
	maxEnd     = 4 << 10 // bytes of an end that are compared
	errorTimes = 5
	errorTime  = 10 * time.Minute
	againTime  = 15 * time.Minute // for so long after the last of them it is known to come again
	mostEnds   = 100              // that are remembered
)

// Believe reports whether an answer to w can be read although it ends so. got is what it had until then.
func (d *Ends) Believe(w plan.Window, end csv.End, got *Reading) bool {
	text := withoutDigits(end.Text[:min(len(end.Text), maxEnd)])
	known := d.Examining || end.Foreign && d.believed[text]
	if !known && !d.cameAgain(w, text, end.Foreign, got.Rows) {
		return false
	}
	got.ended, got.end = true, text
	return true
}

// Proper notes that an answer to w ended as it should: an odd end before it was an accident.
func (d *Ends) Proper(w plan.Window) {
	d.seen = slices.DeleteFunc(d.seen, func(s *sighting) bool { return s.w.Start.Equal(w.Start) && s.w.End.Equal(w.End) })
}

// noLineEnd stands for the end of an answer whose last row lacks its line end.
const noLineEnd = "no line end"

// BelieveTorn is Believe for an answer that HTTP proves whole and whose last row has everything but its line end: its
// last field may be cut, and so may what comes behind it. Some endpoints write no last line end; once one of their
// answers was shown to be whole, that is believed at once.
func (d *Ends) BelieveTorn(w plan.Window, got *Reading) bool {
	_, usual := d.honest[noLineEnd]
	if !usual && !d.Examining && !d.cameAgain(w, noLineEnd, false, got.Rows) {
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
func (d *Ends) cameAgain(w plan.Window, text string, foreign bool, rows int) bool {
	now := time.Now()
	s := d.of(w)
	if s == nil {
		s = new(sighting)
	}
	if s.text != text || rows < s.rows || s.again && now.Sub(s.at) > againTime {
		*s = sighting{text: text, since: now}
	}
	s.w, s.rows, s.at = w, rows, now
	s.times++
	s.again = s.again || !foreign && s.times > 1 || foreign && s.times >= errorTimes && now.Sub(s.since) >= errorTime
	if s.again && foreign {
		d.remember(text)
	}
	d.keep(s)
	return s.again
}

// keep makes a sighting the last one. The first, which was seen the longest ago, makes room.
func (d *Ends) keep(s *sighting) {
	d.seen = append(slices.DeleteFunc(d.seen, func(other *sighting) bool { return other == s }), s)
	if len(d.seen) > mostEnds {
		d.seen = slices.Delete(d.seen, 0, 1)
	}
}

// of returns what was seen of the end of w, nil if nothing was. The window of a poll has become longer meanwhile.
func (d *Ends) of(w plan.Window) *sighting {
	for _, s := range d.seen {
		if longer := w.End.Sub(s.w.End); s.w.Start.Equal(w.Start) && longer >= 0 && longer <= time.Since(s.at)+time.Second {
			return s
		}
	}
	return nil
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
