// Package exportertest is a simulated export endpoint of Wherobots Cloud, for tests, benchmarks and `make run`.
//
// It follows the published OpenAPI text: inclusive ends, substring search, both credentials, ErrorBody. What
// nobody has documented (the header's spelling, the order of rows, compression, …) is a field of Answers, so
// that tests can show that the plugin depends on none of it. What can go wrong on the way is a Fault.
package exportertest

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Path of the export below the endpoint's base URL.
const Path = "/audit-log/export"

// Retention is how long the endpoint keeps events, unless Answers says otherwise.
const Retention = 90 * 24 * time.Hour

// Options of a new Server. Without credentials nobody gets in.
type Options struct {
	APIKey      string
	BearerToken string
	Clock       func() time.Time // the server's clock; nil = time.Now
	Answers     Answers
	Seed        int64 // of shuffled rows and columns
}

// Server is the endpoint: an http.Handler that is safe for concurrent use.
type Server struct {
	options Options // never changed

	mu          sync.Mutex
	apiKey      string
	bearerToken string
	answers     Answers
	events      []*Event // by time, unless unsorted; what they point to is never changed
	unsorted    bool
	added       []*Event // the same, as they were added
	forgotten   []*Event
	faults      []Fault
	countFaults []Fault   // of the sister operation
	episodes    []episode // those that are over included, since the clock may step back
	chaos       *chaos
	requests    []Request
}

// Request is one that the server got.
type Request struct {
	ID             string    // requestId of an ErrorBody
	At             time.Time // by the server's clock
	Method         string
	Host           string
	Path           string
	Start, End     time.Time // zero = not given, or no time
	Query          string    // as it was sent
	UserAgent      string
	AcceptEncoding string
	Credential     string // "X-API-Key", "Authorization" or ""
	SearchTerm     string
	Status         int    // answered; 0 = not answered, or not yet
	Rows           int    // that were sent; the last of a cut answer may be less than whole
	Complete       bool   // the whole answer was written; the client may have gone all the same
	Fault          string // that was injected
}

// New returns a server without events.
func New(options Options) *Server {
	if options.Clock == nil {
		options.Clock = time.Now
	}
	return &Server{options: options, apiKey: options.APIKey, bearerToken: options.BearerToken, answers: options.Answers}
}

// SetAnswers changes how the server answers from now on. Slices must be replaced, not changed: answers on
// their way use them.
func (s *Server) SetAnswers(change func(*Answers)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.answers)
}

// SetCredentials changes what the server accepts; "" = not this kind.
func (s *Server) SetCredentials(apiKey, bearerToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKey, s.bearerToken = apiKey, bearerToken
}

// Requests returns what the server was asked so far, in the order of arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.receive(w, r).serve() }

// RoundTrip is a transport without a network, for fake time.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// WriteCA writes the certificate of httptest's servers.
func WriteCA(t testing.TB, dir string) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file := filepath.Join(dir, "ca.pem")
	require.NoError(
		t,
		os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600),
	)
	return file
}
