// Package exportertest is a simulated export endpoint of Wherobots Cloud, for tests, benchmarks and `make run`.
//
// It follows the published OpenAPI text: inclusive ends, substring search, both credentials, ErrorBody. What nobody has documented (the
// header's spelling, the order of rows, compression, …) is a field of Answers, so that tests can show that the plugin depends on none of it.
package exportertest

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Path of the export below the endpoint's base URL.
const Path = "/audit-log/export"

// Retention is how long the endpoint keeps events.
const Retention = 90 * 24 * time.Hour

// Options of a new Server. Without credentials nobody gets in.
type Options struct {
	APIKey      string
	BearerToken string
	Clock       func() time.Time // the server's clock; nil = time.Now
	Answers     Answers
	Seed        int64 // of shuffled rows
}

// Server is the endpoint: an http.Handler that is safe for concurrent use.
type Server struct {
	mu       sync.Mutex
	options  Options
	answers  Answers
	events   []Event // by time
	sorted   bool
	faults   []Fault
	chaos    *chaos
	requests []Request
}

// Request is one that the server got.
type Request struct {
	At             time.Time // by the server's clock
	Start, End     time.Time // zero = not given
	SearchTerm     string
	UserAgent      string
	AcceptEncoding string
	Credential     string // "X-API-Key", "Authorization" or ""
	Status         int    // answered; 0 = not answered
	Rows           int    // of the answer
	Fault          string // that was injected
}

// New returns a server without events.
func New(options Options) *Server {
	if options.Clock == nil {
		options.Clock = time.Now
	}
	return &Server{options: options, answers: options.Answers, sorted: true}
}

// Add adds events.
func (s *Server) Add(events ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, events...)
	s.sorted = false
}

// Events returns all events, by time, visible or not.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sort()
	return slices.Clone(s.events)
}

func (s *Server) sort() {
	if !s.sorted {
		sort.SliceStable(s.events, func(i, j int) bool { return s.events[i].Time.Before(s.events[j].Time) })
		s.sorted = true
	}
}

// SetAnswers changes how the server answers from now on.
func (s *Server) SetAnswers(change func(*Answers)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.answers)
}

// SetCredentials changes what the server accepts.
func (s *Server) SetCredentials(apiKey, bearerToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.APIKey, s.options.BearerToken = apiKey, bearerToken
}

// Requests returns what the server was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.options.Clock()
	index, fault, answers := s.receive(r, now)
	status, rows := http.StatusOK, 0
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests[index].Status, s.requests[index].Rows = status, rows
	}()
	s.date(w, now, answers)
	if !pause(r, answers.Latency) {
		status = 0
		return
	}
	if fault.refuses() {
		status = fault.refuse(w, r)
		return
	}
	refused, events := s.find(r, now, answers)
	if refused != nil {
		status = refused.status
		refused.write(w, answers)
		return
	}
	rows = len(events)
	s.send(fault.wrap(w), r, events, answers)
}

// receive records a request and says what is to go wrong with it.
func (s *Server) receive(r *http.Request, now time.Time) (index int, fault Fault, answers Answers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.faults) > 0:
		fault, s.faults = s.faults[0], s.faults[1:]
	case s.chaos != nil:
		fault = s.chaos.draw()
	}
	query := r.URL.Query()
	start, _ := parseTime(query.Get("startTime"))
	end, _ := parseTime(query.Get("endTime"))
	s.requests = append(s.requests, Request{
		At: now, Start: start, End: end, SearchTerm: query.Get("searchTerm"), UserAgent: r.UserAgent(),
		AcceptEncoding: r.Header.Get("Accept-Encoding"), Credential: credential(r), Fault: fault.String(),
	})
	return len(s.requests) - 1, fault, s.answers
}

func credential(r *http.Request) string {
	for _, name := range []string{"X-API-Key", "Authorization"} {
		if r.Header.Get(name) != "" {
			return name
		}
	}
	return ""
}

func (s *Server) date(w http.ResponseWriter, now time.Time, answers Answers) {
	if answers.NoDate {
		w.Header()["Date"] = nil
		return
	}
	w.Header().Set("Date", now.Add(answers.DateOffset).UTC().Format(http.TimeFormat))
}

// find returns the events that a request asks for, or why it gets none.
func (s *Server) find(r *http.Request, now time.Time, answers Answers) (*refusal, []Event) {
	if refused := s.admit(r); refused != nil {
		return refused, nil
	}
	query := r.URL.Query()
	start, startOK := parseTime(query.Get("startTime"))
	end, endOK := parseTime(query.Get("endTime"))
	if !startOK || !endOK {
		return &refusal{http.StatusUnprocessableEntity, "INVALID_INPUT_ERROR", "startTime and endTime must be ISO 8601 with an offset"}, nil
	}
	if end.IsZero() {
		end = now
	}
	events := s.between(later(start, now.Add(-Retention)), end, now, query.Get("searchTerm"))
	if answers.RowLimit > 0 && len(events) > answers.RowLimit && end.Sub(start) > answers.RowLimitAbove {
		return answers.tooMany(), nil
	}
	order(events, answers.Order, s.options.Seed)
	return nil, events
}

func (s *Server) admit(r *http.Request) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.URL.Path != Path:
		return &refusal{http.StatusNotFound, "NOT_FOUND_ERROR", "no such path"}
	case r.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, "BAD_REQUEST_ERROR", "only GET"}
	case s.options.APIKey != "" && r.Header.Get("X-API-Key") == s.options.APIKey:
	case s.options.BearerToken != "" && r.Header.Get("Authorization") == "Bearer "+s.options.BearerToken:
	default:
		return &refusal{http.StatusUnauthorized, "UNAUTHORIZED_ERROR", "the credential is missing, wrong or expired"}
	}
	return nil
}

// between returns copies of the visible events of a window; both ends are inclusive.
func (s *Server) between(start, end, now time.Time, term string) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sort()
	from := sort.Search(len(s.events), func(i int) bool { return !s.events[i].Time.Before(start) })
	to := sort.Search(len(s.events), func(i int) bool { return s.events[i].Time.After(end) })
	out := make([]Event, 0, max(0, to-from))
	for _, e := range s.events[from:max(from, to)] {
		if !e.appears().After(now) && e.matches(term) {
			out = append(out, e)
		}
	}
	return out
}

// send writes the rows as the switches say.
func (s *Server) send(w http.ResponseWriter, r *http.Request, events []Event, answers Answers) {
	w.Header().Set("Content-Type", answers.contentType())
	var out io.Writer = w
	if answers.Gzip == GzipAlways || answers.Gzip == GzipIfAccepted && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		defer compressed.Close()
		out = compressed
	}
	if answers.JSONString {
		quoted := &jsonWriter{w: out}
		defer quoted.close()
		out = quoted
	}
	writeCSV(out, events, answers, func() bool { return pause(r, answers.RowLatency) })
}

// pause waits; false means that the client has gone.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

func parseTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func itoa(n int) string { return strconv.Itoa(n) }
