package exportertest

import (
	"net/http"
	"strings"
)

// Framing is how an export says where it ends. Over HTTP/2 it always says so.
type Framing int

const (
	Framed     Framing = iota // chunks, or a length with ContentLength
	UntilClose                // neither: the end of the connection is the end of the answer, and nothing proves it whole
	HTTP10                    // the same in HTTP/1.0
)

// frame makes the answer end as it should.
func (x *exchange) frame() {
	if x.r.ProtoMajor > 1 {
		return
	}
	if x.answers.Framing != Framed {
		x.w.Header().Set("Connection", "close")
	}
	switch x.answers.Framing {
	case UntilClose:
		x.w.Header().Set("Transfer-Encoding", "identity") // net/http's server takes it as: no chunks
	case HTTP10:
		if w, ok := x.w.(*memoryWriter); ok {
			w.old = true
			return
		}
		x.takeOver("HTTP/1.0")
	default:
		if x.answers.Unsolicited != "" {
			x.takeOver("HTTP/1.1")
		}
	}
}

// saysLength reports whether a Content-Length goes ahead of the export.
func (x *exchange) saysLength() bool {
	switch _, raw := x.w.(*rawWriter); {
	case x.fault.EndAfter > 0:
		return false
	case x.answers.Framing != Framed && x.r.ProtoMajor == 1:
		return false
	default:
		return x.answers.ContentLength || raw
	}
}

// identity reports whether a handler asked net/http's server for an answer without chunks.
func identity(header http.Header) bool { return header.Get("Transfer-Encoding") == "identity" }

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
