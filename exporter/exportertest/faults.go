package exportertest

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Fault is one thing that goes wrong with one request. The zero value is no fault.
type Fault struct {
	Status     int    // answers this status …
	Code       string // … with this code in an ErrorBody; "" = the status's own
	RetryAfter string // and this Retry-After
	Redirect   string // redirects there
	Body       string // answers 200 with this body …
	BodyType   string // … and this content type; "" = text/csv
	HTML       bool   // answers 200 with a page
	JSONError  bool   // answers 200 with an ErrorBody
	EmptyBody  bool   // answers 200 without a byte
	CutAfter   int    // breaks the connection after so many bytes
	Reset      bool   // breaks the connection before anything is answered
	Hang       bool   // never answers
}

// String names the fault for the record of requests.
func (f Fault) String() string {
	switch {
	case f == (Fault{}):
		return ""
	case f.Status != 0:
		return itoa(f.Status)
	case f.CutAfter > 0:
		return "cut"
	case f.Hang:
		return "hang"
	case f.Reset:
		return "reset"
	case f.Redirect != "":
		return "redirect"
	default:
		return "body"
	}
}

// Fail makes the next requests go wrong, one fault each.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// refuses says whether the fault replaces the whole answer.
func (f Fault) refuses() bool { return f != (Fault{}) && f.CutAfter == 0 }

// refuse answers with the fault and returns the status, 0 for none.
func (f Fault) refuse(w http.ResponseWriter, r *http.Request) int {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
		return 0
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Redirect != "":
		http.Redirect(w, r, f.Redirect, http.StatusFound)
		return http.StatusFound
	case f.Status != 0:
		code := f.Code
		if code == "" {
			code = codeOf[f.Status]
		}
		refused := refusal{f.Status, code, "an injected fault"}
		refused.write(w, Answers{})
		return f.Status
	case f.JSONError:
		w.Header().Set("Content-Type", "application/json")
		refused := refusal{http.StatusOK, f.Code, "an injected fault"}
		_ = json.NewEncoder(w).Encode(refused.body())
	case f.HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><body><h1>Sign in, please</h1></body></html>")
	case f.EmptyBody:
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Length", "0")
	default:
		w.Header().Set("Content-Type", "text/csv")
		if f.BodyType != "" {
			w.Header().Set("Content-Type", f.BodyType)
		}
		_, _ = io.WriteString(w, f.Body)
	}
	return http.StatusOK
}

// wrap makes the answer break where the fault says.
func (f Fault) wrap(w http.ResponseWriter) http.ResponseWriter {
	if f.CutAfter == 0 {
		return w
	}
	return &cutter{ResponseWriter: w, left: f.CutAfter}
}

// cutter breaks the connection after some bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

// Chaos makes requests go wrong at random: shares from 0 to 1.
type Chaos struct {
	Seed int64
	Fail float64 // answers with one of all the statuses that can be
	Cut  float64 // breaks in the middle
	Hang float64
}

type chaos struct {
	Chaos
	random *rand.Rand
}

// SetChaos makes requests go wrong from now on; the zero Chaos ends it.
func (s *Server) SetChaos(c Chaos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = nil
	if c != (Chaos{}) {
		s.chaos = &chaos{c, rand.New(rand.NewPCG(uint64(c.Seed), 7))}
	}
}

// chaosFaults are the failures of every class.
var chaosFaults = []Fault{
	{Status: 500}, {Status: 502}, {Status: 503, RetryAfter: "1"}, {Status: 429, RetryAfter: "1"}, {Status: 408}, {Status: 409}, {Status: 425}, // retry
	{Status: 413}, {Status: 504, Code: "TIMEOUT_ERROR"}, // shrink
	{Status: 401}, {Status: 403}, {Status: 404}, {Status: 400}, {Status: 422}, // refused
	{HTML: true}, {JSONError: true, Code: "INTERNAL_SERVER_ERROR"}, {EmptyBody: true}, {Reset: true}, // no export
}

func (c *chaos) draw() Fault {
	switch n := c.random.Float64(); {
	case n < c.Fail:
		return chaosFaults[c.random.IntN(len(chaosFaults))]
	case n < c.Fail+c.Cut:
		return Fault{CutAfter: 1 + c.random.IntN(20_000)}
	case n < c.Fail+c.Cut+c.Hang:
		return Fault{Hang: true}
	default:
		return Fault{}
	}
}

// refusal is an error answer.
type refusal struct {
	status        int
	code, message string
}

var codeOf = map[int]string{
	400: "BAD_REQUEST_ERROR", 401: "UNAUTHORIZED_ERROR", 403: "INSUFFICIENT_PERMISSIONS_ERROR", 404: "NOT_FOUND_ERROR", 409: "CONFLICT_ERROR",
	413: "REQUEST_ENTITY_TOO_LARGE", 422: "INVALID_INPUT_ERROR", 429: "RATE_LIMIT_ERROR", 504: "TIMEOUT_ERROR",
}

// body is the ErrorBody of the OpenAPI text.
func (f refusal) body() any {
	code := f.code
	if code == "" {
		code = "INTERNAL_SERVER_ERROR"
	}
	return map[string]any{
		"errors": []any{map[string]any{
			"code": code, "message": f.message, "details": "simulated", "path": Path,
			"suggestion": "Contact us at support@wherobots.com to get help with resolving your error.",
		}},
		"requestId": "req-" + fmt.Sprint(time.Now().UnixNano()%1e6),
	}
}

func (f refusal) write(w http.ResponseWriter, a Answers) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	body := f.body()
	if a.FastAPIErrors {
		body = map[string]any{"detail": f.message}
	}
	_ = json.NewEncoder(w).Encode(body)
}
