package pseudonym

import (
	"bytes"
	"slices"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Columns are those that pseudonyms can be put into.
var Columns = []string{"user_id", "user_name", "source_ip"}

// Withheld stands in bad rows where the row's text, or what is said of it, would show what it is about.
const Withheld = "withheld: pseudonymize"

// Rows puts pseudonyms into rows. It belongs to one goroutine.
type Rows struct {
	key     *Key
	columns []string // of Columns, those that are wanted

	layout  *event.Columns // that what follows is for
	wanted  []int          // places of columns
	emails  bool           // user_name is wanted
	keep    int            // the place of event_id, -1 = there is none
	before  event.Row      // as it was
	fields  [][]byte
	written []byte // what the row's fields point into
}

// NewRows makes one for some of Columns.
func NewRows(key *Key, columns []string) *Rows {
	return &Rows{key: key, columns: columns, emails: slices.Contains(columns, "user_name")}
}

// Hide changes the row until Show is called: what it was read as must not change, since identity and times go by that.
//
// In a good row the wanted columns get pseudonyms, wherever their values stand: a value of the row's own that another
// column has in it as well, and with user_name every e-mail address, becomes its pseudonym there too. In a bad row any
// column may have anything, so that only event_id stays as it is, and the row's text is withheld.
func (p *Rows) Hide(r *event.Row) {
	if r.Columns != p.layout {
		p.prepare(r.Columns)
	}
	p.before = event.Row{Fields: r.Fields, ASCII: r.ASCII, Bad: r.Bad, Raw: r.Raw}
	p.fields, p.written = append(p.fields[:0], r.Fields...), p.written[:0]
	if r.Bad != "" {
		p.hideBad(r)
	} else {
		p.hideGood(r)
	}
	r.Fields = p.fields
}

// Show makes the row what it was.
func (p *Rows) Show(r *event.Row) {
	r.Fields, r.ASCII, r.Bad, r.Raw = p.before.Fields, p.before.ASCII, p.before.Bad, p.before.Raw
	clear(p.fields)
	p.before = event.Row{}
}

func (p *Rows) prepare(columns *event.Columns) {
	p.layout, p.wanted, p.keep = columns, p.wanted[:0], columns.Known[event.EventID]
	for place, name := range columns.Names {
		if slices.Contains(p.columns, name) {
			p.wanted = append(p.wanted, place)
		}
	}
}

func (p *Rows) hideBad(r *event.Row) {
	r.Bad = Withheld
	if len(r.Raw) > 0 {
		r.Raw = []byte(Withheld)
	}
	for place, value := range p.fields {
		if place != p.keep {
			p.fields[place] = p.pseudonym(value)
		}
	}
}

func (p *Rows) hideGood(r *event.Row) {
	for place, value := range r.Fields {
		switch {
		case len(value) == 0 || place == p.keep || place == p.layout.Known[event.EventTime]:
		case slices.Contains(p.wanted, place):
			p.fields[place] = p.pseudonym(value)
		default:
			p.fields[place] = p.cleaned(r, value)
		}
	}
}

// pseudonym returns that of a value, in memory of its own until the next row.
func (p *Rows) pseudonym(value []byte) []byte {
	if len(value) == 0 {
		return value
	}
	start := len(p.written)
	p.written = p.key.Append(p.written, value)
	return p.since(start)
}

// since returns what was written from a place on. It stays where it is when what follows needs more room.
func (p *Rows) since(start int) []byte { return p.written[start:len(p.written):len(p.written)] }

// cleaned returns a text of another column without the values that are hidden in this row.
func (p *Rows) cleaned(r *event.Row, text []byte) []byte {
	for _, place := range p.wanted {
		if own := r.Field(place); holds(text, own) {
			start := len(p.written)
			p.written = p.replace(p.written, text, own)
			text = p.since(start)
		}
	}
	if p.emails && bytes.IndexByte(text, '@') >= 0 {
		start := len(p.written)
		p.written = p.replaceEmails(p.written, text)
		text = p.since(start)
	}
	return text
}

// leastOwn is the shortest value that is looked for inside a text. A shorter one is found where it is all there is.
const leastOwn = 4

// holds reports whether a text is the value, or has it in it as a word.
func holds(text, value []byte) bool {
	if len(value) < leastOwn {
		return len(value) > 0 && bytes.Equal(text, value)
	}
	return next(text, value, 0) >= 0
}

// next returns where a value stands as a word from a place on; -1 = nowhere.
func next(text, value []byte, from int) int {
	for {
		at := bytes.Index(text[from:], value)
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(value)
		if (at == 0 || !inWord(text[at-1])) && (end == len(text) || !inWord(text[end])) {
			return at
		}
		from = at + 1
	}
}

func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// replace puts a value's pseudonym wherever it stands.
func (p *Rows) replace(dst, text, value []byte) []byte {
	from := 0
	for {
		at := next(text, value, from)
		if at < 0 {
			return append(dst, text[from:]...)
		}
		dst = p.key.Append(append(dst, text[from:at]...), value)
		from = at + len(value)
	}
}

// replaceEmails puts the pseudonym of each e-mail address in its place: it may name somebody whom the event is about.
func (p *Rows) replaceEmails(dst, text []byte) []byte {
	done := 0
	for at := 0; at < len(text); at++ {
		if text[at] != '@' {
			continue
		}
		start, end := at, at+1
		for start > done && inEmail(text[start-1]) {
			start--
		}
		for end < len(text) && inEmail(text[end]) {
			end++
		}
		for end > at+1 && (text[end-1] == '.' || text[end-1] == '-') { // the end of a sentence
			end--
		}
		if start == at || end == at+1 {
			continue
		}
		dst = p.key.Append(append(dst, text[done:start]...), text[start:end])
		done, at = end, end-1
	}
	return append(dst, text[done:]...)
}

// inEmail is what is taken for a part of an address: less than is allowed, so that quotes and brackets around one are
// none of it.
func inEmail(c byte) bool {
	return inWord(c) || c == '.' || c == '-' || c == '+' || c == '%'
}
