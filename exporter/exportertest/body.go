package exportertest

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// rendering writes the body of one answer: CSV, perhaps in a JSON string, perhaps compressed. Rows are made
// as they are written, so a million of them take no memory.
type rendering struct {
	events  []*Event
	answers *Answers
	seed    int64
	stamp   string // of this answer, unlike any other's
	gzip    bool
	written func(rows int)            // told of every row on its way
	pause   func(time.Duration) error // after every 100th row; an error ends the writing
}

// to writes the body. An error leaves it as it is: what has not been closed is not closed, so a cut gzip
// stream has no end.
func (r *rendering) to(w io.Writer) error {
	out, flush := w, flusher(w)
	var compressed *gzip.Writer
	if r.gzip {
		compressed = gzip.NewWriter(w)
		plain := flush
		out, flush = compressed, func() error {
			if err := compressed.Flush(); err != nil {
				return err
			}
			return plain()
		}
	}
	written := func(rows int) error {
		r.written(rows)
		if r.answers.RowLatency == 0 || rows%rowsPerWrite != 0 {
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		return r.pause(r.answers.RowLatency)
	}
	if err := r.text(out, written); err != nil {
		return err
	}
	if compressed != nil {
		return compressed.Close()
	}
	return nil
}

func (r *rendering) text(w io.Writer, written func(int) error) error {
	if !r.answers.JSONString {
		return r.csv(w, written)
	}
	if _, err := io.WriteString(w, `"`); err != nil {
		return err
	}
	if err := r.csv(jsonText{w}, written); err != nil {
		return err
	}
	_, err := io.WriteString(w, `"`)
	return err
}

// length is the body's, which is written to nowhere for it: the same bytes twice cost time and no memory.
func (r *rendering) length() int {
	dry := *r
	dry.written = func(int) {}
	dry.pause = func(time.Duration) error { return nil }
	var n counter
	_ = dry.to(&n) // neither the counter nor the pause fails
	return int(n)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// flusher returns what sends on that which w has buffered.
func flusher(w io.Writer) func() error {
	if f, ok := w.(http.Flusher); ok {
		return func() error { f.Flush(); return nil }
	}
	return func() error { return nil }
}

// jsonText writes what it gets as text inside a JSON string. A write must not end within a character.
type jsonText struct{ w io.Writer }

func (j jsonText) Write(p []byte) (int, error) {
	quoted, err := json.Marshal(string(p))
	if err != nil {
		return 0, err
	}
	if _, err := j.w.Write(quoted[1 : len(quoted)-1]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// compresses reports whether the answer to this client is compressed.
func (a *Answers) compresses(acceptEncoding string) bool {
	return a.Gzip == GzipAlways || a.Gzip == GzipUnsaid || a.Gzip == GzipIfAccepted && accepts(acceptEncoding, "gzip")
}

// encoding is what Content-Encoding says of a body that is compressed or not; "" = nothing.
func (a *Answers) encoding(compressed bool) string {
	switch {
	case a.ContentEncoding != "":
		return a.ContentEncoding
	case a.Gzip == GzipOnlySaid || compressed && a.Gzip != GzipUnsaid:
		return "gzip"
	default:
		return ""
	}
}

// accepts reads an Accept-Encoding header; "gzip;q=0" is a refusal.
func accepts(header, encoding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, parameter, _ := strings.Cut(strings.TrimSpace(item), ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		weight, given := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !given || err == nil && q > 0
	}
	return false
}

// Empty says what an answer without rows looks like.
type Empty int

const (
	HeaderOnly  Empty = iota
	NoBytes           // 200 and nothing
	LineEndOnly       //
	NoContent         // 204
	EmptyList         // [], as JSON like the next three
	EmptyObject       // {}
	EmptyNull         // null
	EmptyEvents       // {"events":[]}
)

var emptyJSON = map[Empty]string{EmptyList: "[]", EmptyObject: "{}", EmptyNull: "null", EmptyEvents: `{"events":[]}`}

// empty answers a window without events where that is no export; it reports whether it did.
func (x *exchange) empty() bool {
	if x.answers.Empty == NoContent {
		x.record.Status, x.record.Complete = http.StatusNoContent, true
		x.w.WriteHeader(http.StatusNoContent)
		return true
	}
	text, ok := emptyJSON[x.answers.Empty]
	if ok {
		x.sendJSON([]byte(text))
	}
	return ok
}
