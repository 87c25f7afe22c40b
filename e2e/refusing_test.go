package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
)

// refusingSink is a destination over HTTP that answers a share of the deliveries
// with 503 and appends the others to the rig's output file. It outlives the host,
// as a destination does.
type refusingSink struct {
	url   string
	share float64

	mu      sync.Mutex
	out     string
	refused int
}

func newRefusingSink(t *testing.T, share float64) *refusingSink {
	t.Helper()
	s := &refusingSink{share: share}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

func (s *refusingSink) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || rand.Float64() < s.share {
		s.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	file, err := os.OpenFile(s.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.Write(append(bytes.TrimSuffix(body, []byte("\n")), '\n'))
		file.Close()
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// setShare changes the share of deliveries that it refuses.
func (s *refusingSink) setShare(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share = share
}

// writeTo names the file that the deliveries are appended to.
func (s *refusingSink) writeTo(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = path
}

func (s *refusingSink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// parseBody reads a line of the engine's json_lines, whose date is left out: it
// has fewer digits than the record.
func parseBody(line []byte) (record, error) {
	var r record
	err := json.Unmarshal(line, &r.fields)
	delete(r.fields, "date")
	return r, err
}
