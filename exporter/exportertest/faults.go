package exportertest

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Fault is one thing that goes wrong with one request. The zero value is no fault.
//
// What replaces the answer does so before credentials are looked at, as a proxy in front would. What breaks
// it (…After, of which one is used, and Drip) touches only answers with 200. What changes it does so whatever
// else the fault is.
type Fault struct {
	Name   string         // for the record of requests; "" = what it is
	Change func(*Answers) // this request is answered otherwise; slices must be replaced, not changed

	Status     int           // answers this status …
	Code       string        // … with this code in an ErrorBody; "" = the status's own
	RetryAfter string        // a Retry-After with that, as it stands
	RetryDate  time.Duration // a Retry-After with a date, so long after the server's clock; negative is possible
	Redirect   string        // redirects there

	Body      string // answers this body …
	BodyType  string // … and this content type; "" = text/csv
	HTML      bool   // answers a page
	JSONError bool   // answers an ErrorBody
	EmptyBody bool   // answers without a byte. These four with 200, or Status

	// breaks the connection after so many bytes, as they travel (compressed, where they are), or before the end of fewer
	CutAfter   int
	EndAfter   int           // ends the answer after so many bytes as if that were all of it
	StallAfter int           // sends so many bytes and then nothing, until the client goes
	Drip       time.Duration // waits so long before each 64 bytes
	Reset      bool          // breaks the connection before anything is answered
	Hang       bool          // never answers
}

// Times returns the fault n times, for Fail.
func (f Fault) Times(n int) []Fault { return slices.Repeat([]Fault{f}, n) }

// String names the fault for the record of requests.
func (f Fault) String() string {
	switch {
	case f.Name != "":
		return f.Name
	case f.none():
		return ""
	case !f.breaks() && !f.replaces():
		return "change"
	case f.Hang:
		return "hang"
	case f.Reset:
		return "reset"
	case f.Redirect != "":
		return "redirect"
	case f.Status != 0:
		return strconv.Itoa(f.Status)
	case f.CutAfter > 0:
		return "cut"
	case f.EndAfter > 0:
		return "end"
	case f.StallAfter > 0:
		return "stall"
	case f.Drip > 0:
		return "drip"
	default:
		return "body"
	}
}

// Fail makes the next requests go wrong, one fault each; those of the sister operation are not among
// them. Faults go before Chaos.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// FailCount is Fail for requests of the sister operation.
func (s *Server) FailCount(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countFaults = append(s.countFaults, faults...)
}

// draw returns how a request is answered and what goes wrong with it. The caller holds the lock.
func (s *Server) draw(now time.Time, path string) (Answers, Fault) {
	queue := &s.faults
	if path == CountPath {
		queue = &s.countFaults
	}
	var fault Fault
	switch {
	case len(*queue) > 0:
		fault, *queue = (*queue)[0], (*queue)[1:]
	case s.chaos != nil:
		fault = s.chaos.draw()
	}
	answers := s.answers
	name := cmp.Or(fault.String(), s.befall(&answers, now, path))
	if fault.Change != nil {
		fault.Change(&answers)
	}
	if path != CountPath && !fault.replaces() && !fault.breaks() {
		fault = answers.Fault
	}
	fault.Name = cmp.Or(name, fault.Name)
	return answers, fault
}

// none reports whether nothing goes wrong.
func (f Fault) none() bool { return reflect.ValueOf(f).IsZero() }

// breaks reports whether the fault lies in how the answer is sent, and not in what is answered.
func (f Fault) breaks() bool {
	return f.CutAfter > 0 || f.EndAfter > 0 || f.StallAfter > 0 || f.Drip > 0
}

// replaces reports whether the fault takes the place of the answer.
func (f Fault) replaces() bool {
	f.Name, f.Change = "", nil
	return !f.none() && !f.breaks()
}

// replace answers with the fault.
func (x *exchange) replace() {
	f := x.fault
	if f.Hang {
		<-x.r.Context().Done()
		return
	}
	if f.Reset {
		reset(x.w)
	}
	if f.Body != "" && x.answers.Framing != Framed {
		x.frame()
	}
	header := x.w.Header()
	if f.RetryDate != 0 {
		header.Set("Retry-After", x.now.Add(f.RetryDate).UTC().Format(http.TimeFormat))
	}
	if f.RetryAfter != "" {
		header.Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Redirect != "":
		x.record.Status = http.StatusFound
		http.Redirect(x.w, x.r, f.Redirect, http.StatusFound)
	case f.Body == "" && !f.HTML && !f.JSONError && !f.EmptyBody && f.Status != 0:
		x.refuse(refusal{status: f.Status, code: f.Code, message: "an injected fault"}, x.answers.Errors)
	default:
		x.replaceBody()
	}
	x.record.Complete = true
}

// replaceBody answers a body that is no export.
func (x *exchange) replaceBody() {
	f := x.fault
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	contentType := f.BodyType
	if contentType == "" {
		contentType = "text/csv"
	}
	x.record.Status = status
	switch {
	case f.JSONError:
		x.refuse(refusal{status: status, code: f.Code, message: "an injected fault"}, ErrorBodies)
	case f.HTML:
		writePage(x.w, status, "Sign in, please")
	case f.EmptyBody:
		x.w.Header().Set("Content-Type", contentType)
		x.w.Header().Set("Content-Length", "0")
		x.w.WriteHeader(status)
	default:
		x.w.Header().Set("Content-Type", contentType)
		x.w.WriteHeader(status)
		_, _ = io.WriteString(x.w, f.Body)
	}
}

// reset breaks the connection at once, with a TCP reset where there is TCP. Go's client repeats a request by
// itself when a connection that it used before breaks so.
func reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if connection, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := connection.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = connection.Close()
		}
	}
	panic(http.ErrAbortHandler)
}
