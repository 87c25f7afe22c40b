package exportertest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// exchange is one request and its answer.
type exchange struct {
	server     *Server
	w          http.ResponseWriter
	r          *http.Request
	now        time.Time // by the server's clock
	fault      Fault
	answers    Answers
	index      int // in Server.requests
	record     Request
	start, end time.Time  // of the window, once found
	raw        *rawWriter // where the connection was taken over
}

// receive records a request and draws what is to go wrong with it.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) *exchange {
	now := s.options.Clock()
	query := r.URL.Query()
	start, _ := parseTime(query.Get("startTime"))
	end, _ := parseTime(query.Get("endTime"))
	s.mu.Lock()
	defer s.mu.Unlock()
	answers, fault := s.draw(now, r.URL.Path)
	if answers.Forgets && answers.keeps() > 0 {
		s.forget(now.Add(-answers.keeps()))
	}
	index := len(s.requests)
	record := Request{
		ID: fmt.Sprintf("req-%06d", index+1), At: now, Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Query: r.URL.RawQuery,
		Start: start, End: end, SearchTerm: query.Get("searchTerm"), UserAgent: r.UserAgent(),
		AcceptEncoding: r.Header.Get("Accept-Encoding"), Credential: credential(r), Fault: fault.String(),
	}
	s.requests = append(s.requests, record)
	x := &exchange{server: s, w: w, r: r, now: now, fault: fault, answers: answers, index: index, record: record}
	x.repeatKey()
	return x
}

func credential(r *http.Request) string {
	for _, name := range []string{"X-API-Key", "Authorization"} {
		if r.Header.Get(name) != "" {
			return name
		}
	}
	return ""
}

func (x *exchange) serve() {
	defer x.hangUp()
	defer x.complete()
	x.date()
	if x.pause(x.answers.Latency) != nil {
		return
	}
	if x.fault.replaces() {
		x.replace()
		return
	}
	if refused := x.admit(); refused != nil {
		x.refuse(*refused, x.answers.Errors)
		return
	}
	if x.r.URL.Path == CountPath {
		x.count()
		return
	}
	events, refused := x.find(func(e *Event) bool { return !e.appears().After(x.now) })
	tooMany := x.answers.RowLimit > 0 && len(events) > x.answers.RowLimit && x.end.Sub(x.start) > x.answers.RowLimitAbove
	if refused == nil && !tooMany {
		events, refused = x.limit(events)
	}
	switch {
	case refused != nil:
		x.refuse(*refused, x.answers.Errors)
	case tooMany:
		x.tooMany()
	case len(events) == 0 && x.empty():
	default:
		arrange(events, x.answers.Order, x.server.options.Seed)
		x.send(events)
	}
}

// tooMany refuses a window for the number of its rows.
func (x *exchange) tooMany() {
	if x.answers.RowLimitWith == TooManyHang {
		<-x.r.Context().Done()
		return
	}
	x.refuse(x.answers.RowLimitWith.refusal(), x.answers.Errors)
}

// complete completes the record of the request, however the answer ended.
func (x *exchange) complete() {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	if x.record.Status >= 300 && x.fault.breaks() {
		x.record.Fault = "" // there was no export that could break
	}
	x.server.requests[x.index] = x.record
}

func (x *exchange) refuse(refused refusal, form ErrorForm) {
	x.record.Status, x.record.Complete = refused.status, true
	refused.write(x.w, form, x.record.ID)
}

// admit returns why the request is not for this endpoint or not from who may use it.
func (x *exchange) admit() *refusal {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	switch {
	case x.r.URL.Path != Path && x.r.URL.Path != CountPath:
		return &refusal{status: http.StatusNotFound, message: "no such path"}
	case x.r.Method != http.MethodGet:
		return &refusal{status: http.StatusMethodNotAllowed, message: "only GET"}
	case x.server.apiKey != "" && x.r.Header.Get("X-API-Key") == x.server.apiKey:
	case x.server.bearerToken != "" && x.r.Header.Get("Authorization") == "Bearer "+x.server.bearerToken:
	default:
		return &refusal{status: http.StatusUnauthorized, message: "the credential is missing, wrong or expired"}
	}
	return nil
}

// find returns the events that a request asks for, by time, or why it gets none.
func (x *exchange) find(shown func(*Event) bool) ([]*Event, *refusal) {
	query := x.r.URL.Query()
	var refused *refusal
	if x.start, refused = timeParameter(query, "startTime"); refused != nil {
		return nil, refused
	}
	if x.end, refused = timeParameter(query, "endTime"); refused != nil {
		return nil, refused
	}
	if x.answers.Windows.WholeSeconds {
		x.start, x.end = x.start.Truncate(time.Second), x.end.Truncate(time.Second)
	}
	if refused = x.refuses(x.start, x.end); refused != nil {
		return nil, refused
	}
	if x.end.IsZero() {
		x.end = x.now
	}
	if kept := x.answers.keeps(); kept > 0 && x.start.Before(x.now.Add(-kept)) {
		x.start = x.now.Add(-kept)
	}
	term := query.Get("searchTerm")
	return x.server.between(x.start, x.end, func(e *Event) bool { return shown(e) && e.matches(term) }), nil
}

// send answers with the events.
func (x *exchange) send(events []*Event) {
	x.frame()
	x.record.Status = http.StatusOK
	header := x.w.Header()
	header.Set("Content-Type", x.answers.contentType())
	if x.answers.ContentType == "none" {
		header["Content-Type"] = nil // or net/http would guess
	}
	body := rendering{
		events: events, answers: &x.answers, seed: x.server.options.Seed, stamp: x.stamp(), pause: x.pause,
		gzip: x.answers.compresses(x.r.Header.Get("Accept-Encoding")), written: func(rows int) { x.record.Rows = rows },
	}
	if encoding := x.answers.encoding(body.gzip); encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	out := newFaulty(x)
	if x.saysLength() {
		length := body.length()
		header.Set("Content-Length", strconv.Itoa(length))
		out.total(length)
	}
	x.w.WriteHeader(http.StatusOK)
	if body.to(out) != nil {
		return // the client has gone, or the fault ended it
	}
	x.record.Complete = out.finish() == nil
}

// stamp is a text that no other answer of this server has.
func (x *exchange) stamp() string {
	return x.now.Add(time.Duration(x.index)).UTC().Format(LayoutNanos)
}

// pause waits; an error means that the client has gone.
func (x *exchange) pause(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return sleep(x.r.Context(), d)
}

func timeParameter(query url.Values, name string) (time.Time, *refusal) {
	t, ok := parseTime(query.Get(name))
	if !ok {
		return t, &refusal{
			status: http.StatusUnprocessableEntity, field: name,
			message: name + " must be ISO 8601 with an offset",
		}
	}
	return t, nil
}

// parseTime reads a parameter; a missing one is the zero time.
func parseTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// date says what time it is, or what the answers have it say.
func (x *exchange) date() {
	if x.answers.NoDate {
		x.w.Header()["Date"] = nil
		return
	}
	said := x.now.Add(x.answers.DateOffset)
	if !x.answers.DateAt.IsZero() {
		said = x.answers.DateAt
	}
	x.w.Header().Set("Date", said.UTC().Format(http.TimeFormat))
}
