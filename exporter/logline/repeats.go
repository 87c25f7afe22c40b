package logline

import (
	"regexp"
	"time"
)

// Repeats tells what has been said from what is new, so that what goes on is said once. Its zero value is ready.
type Repeats struct {
	kind string // of what was said last
	at   time.Time
}

var (
	numbers    = regexp.MustCompile(`[0-9]+`)
	requestIDs = regexp.MustCompile(`request id [^;]*`)
)

// Due reports whether text is to be said: unless one like it was, less than RareInterval ago. Numbers and request ids
// make no other text.
func (r *Repeats) Due(text string) bool {
	kind := numbers.ReplaceAllString(requestIDs.ReplaceAllString(text, ""), "0")
	if kind == r.kind && time.Since(r.at) < RareInterval {
		return false
	}
	r.kind, r.at = kind, time.Now()
	return true
}

// Over notes that what went on is over: whatever comes next is new.
func (r *Repeats) Over() { r.kind = "" }
