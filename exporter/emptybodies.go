package exporter

import "github.com/wherobots/in_wherobots_audit/exporter/plan"

// emptyBodies decides whether an answer without a single byte means "no events". Nobody documents whether an
// empty export has a header; a broken proxy answers so too. So it is believed when it comes twice for the
// same window, at once when that has happened before, and only after five times when an empty export was seen
// with a header.
type emptyBodies struct {
	window     plan.Window
	times      int
	headerless bool // empty answers without a header were believed
	header     bool // an empty answer with a header was seen
}

func (b *emptyBodies) sawHeader(rows int) {
	if rows == 0 {
		b.header, b.headerless = true, false
	}
}

func (b *emptyBodies) believe(w plan.Window) bool {
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
