package exportertest

import "strings"

// Broken ends the rows of an answer in their middle, as if these were all: with 200, a right length
// and a right end. The zero value does not.
type Broken struct {
	At   Break
	Text string // what comes instead of the other rows
	Most int    // only answers with more rows than that are broken, and keep so many; 0 = each keeps half
}

// Break is a place in the middle of the rows.
type Break int

const (
	Unbroken    Break = iota
	BehindRow         // half of the rows are whole
	InsideField       // behind them, one ends inside its last field, if there is one with a field that has an inside
)

// Texts for Broken.Text, as services and what stands before them write when a query fails on its way.
const (
	ErrorBehind = `{"errors":[{"code":"INTERNAL_SERVER_ERROR","message":"query was cancelled"}],"requestId":"r"}` + "\n"
	PageBehind  = "<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"
	TextBehind  = "upstream connect error or disconnect/reset before headers\n"
)

// rows returns how many of n rows are whole.
func (b Broken) rows(n int) int {
	if b.At == Unbroken {
		return n
	}
	if b.Most > 0 {
		return min(n, b.Most)
	}
	return n / 2
}

// part returns a row up to the middle of its last field; false = that field has no inside.
func part(row, end string) (string, bool) {
	row = strings.TrimSuffix(row, end)
	last := []rune(row[strings.LastIndexByte(row, ',')+1:])
	if len(last) < 2 {
		return "", false
	}
	return strings.TrimSuffix(row, string(last[len(last)/2:])), true
}
