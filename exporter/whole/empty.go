// Package whole decides whether an answer is whole. Nobody says so in so many words: an answer may be empty because
// nothing happened or because a proxy is broken, end with what is no row, or end because a connection did. Each type
// here believes such an answer only when it has come again. None is safe for concurrent use.
package whole

import "github.com/wherobots/in_wherobots_audit/exporter/plan"

// Empty decides whether an answer without a single byte means "no events". Nobody documents whether an
// empty export has a header; a broken proxy answers so too. So it is believed when it comes twice for the
// same window, at once when that has happened before, and only after five times when an empty export was seen
// with a header.
type Empty struct {
	window     plan.Window
	times      int
	headerless bool // empty answers without a header were believed
	header     bool // an empty answer with a header was seen
}

// SawHeader notes an answer that has a header, and so many rows.
func (b *Empty) SawHeader(rows int) {
	if rows == 0 {
		b.header, b.headerless = true, false
	}
}

// Believe reports whether an answer to w that has nothing means that nothing happened.
func (b *Empty) Believe(w plan.Window) bool {
	if b.window != w {
		b.window, b.times = w, 0
	}
	b.times++
	needed := 2
	switch {
	case b.header:
		needed = 5
	case b.headerless:
		needed = 1
	}
	if b.times < needed {
		return false
	}
	b.times = 0
	b.headerless = !b.header
	return true
}
