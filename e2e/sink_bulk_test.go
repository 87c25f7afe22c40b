package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// bulkFault is what the sink does to one request.
type bulkFault int

const (
	bulkBusy    bulkFault = iota + 1 // 429 to the whole request
	bulkDown                         // 503 to the whole request
	bulkPartial                      // every third item is refused with 429, the others are stored
	bulkLost                         // everything is stored, but the answer does not arrive
)

// bulkSink is as much of Elasticsearch and OpenSearch as a forwarder sees: the bulk API, strictly. What
// breaks the protocol is answered with 400 and kept in problems.
type bulkSink struct {
	authorization string         // what every request must have
	indices       *regexp.Regexp // names of the indices that may be written
	operation     string         // the only one that is allowed, as in a data stream

	mu        sync.Mutex
	faults    []bulkFault // of the next requests
	documents map[string]map[string]json.RawMessage
	writes    map[string]int // how often each id was sent
	conflicts int
	problems  []string
}

func newBulkSink(authorization, indices, operation string) *bulkSink {
	return &bulkSink{
		authorization: authorization, indices: regexp.MustCompile("^" + indices + "$"), operation: operation,
		documents: make(map[string]map[string]json.RawMessage), writes: make(map[string]int),
	}
}

func (s *bulkSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := s.check(r)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var fault bulkFault
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	switch fault {
	case bulkBusy:
		http.Error(w, `{"error":{"type":"es_rejected_execution_exception"},"status":429}`, http.StatusTooManyRequests)
		return
	case bulkDown:
		http.Error(w, `{"error":"no master"}`, http.StatusServiceUnavailable)
		return
	}
	answer, err := s.store(body, fault == bulkPartial)
	switch {
	case err != nil:
		s.problems = append(s.problems, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
	case fault == bulkLost:
		panic(http.ErrAbortHandler)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer.filtered(r.URL.Query().Get("filter_path")))
	}
}

// check is everything about a request but its lines.
func (s *bulkSink) check(r *http.Request) ([]byte, error) {
	switch {
	case r.Method != http.MethodPost || strings.TrimSuffix(r.URL.Path, "/") != "/_bulk":
		return nil, fmt.Errorf("%s %s is not the bulk API", r.Method, r.URL.Path)
	case r.Header.Get("Content-Type") != "application/x-ndjson":
		return nil, fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	case r.Header.Get("Authorization") != s.authorization:
		return nil, errors.New("wrong credential")
	}
	for name, values := range r.URL.Query() {
		if name != "filter_path" && (name != "pipeline" || values[0] != "_none") {
			return nil, fmt.Errorf("parameter %s=%s", name, values)
		}
	}
	return readGzip(r)
}

// readGzip insists on compression: the configurations that it serves have it on.
func readGzip(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return nil, fmt.Errorf("content encoding %q", r.Header.Get("Content-Encoding"))
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

// bulkAnswer is the bulk API's.
type bulkAnswer struct {
	Took   int                   `json:"took"`
	Errors bool                  `json:"errors"`
	Items  []map[string]bulkItem `json:"items"`
}

type bulkItem struct {
	Index  string         `json:"_index,omitempty"`
	ID     string         `json:"_id,omitempty"`
	Status int            `json:"status,omitempty"`
	Error  map[string]any `json:"error,omitempty"`
}

// filtered does what the servers do for the one filter_path that the configurations use.
func (a bulkAnswer) filtered(path string) any {
	if path == "" {
		return a
	}
	if path != "errors,items.*.error" {
		return map[string]any{"errors": true, "unknown filter_path": path}
	}
	slim := map[string]any{"errors": a.Errors}
	var items []map[string]bulkItem
	for _, item := range a.Items {
		for operation, result := range item {
			if result.Error != nil {
				items = append(items, map[string]bulkItem{operation: {Error: result.Error}})
			}
		}
	}
	if items != nil {
		slim["items"] = items
	}
	return slim
}

// store reads pairs of action and document.
func (s *bulkSink) store(body []byte, partial bool) (bulkAnswer, error) {
	var answer bulkAnswer
	if !bytes.HasSuffix(body, []byte("\n")) {
		return answer, errors.New("the body does not end in a line break")
	}
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, len(body)+1)
	for n := 0; lines.Scan(); n++ {
		var action map[string]struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		}
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&action); err != nil || len(action) != 1 {
			return answer, fmt.Errorf("action line %s: %v", lines.Bytes(), err)
		}
		to, ok := action[s.operation]
		if !ok || to.ID == "" || !s.indices.MatchString(to.Index) {
			return answer, fmt.Errorf("action line %s", lines.Bytes())
		}
		var document struct {
			Timestamp string `json:"@timestamp"`
		}
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &document) != nil || document.Timestamp == "" {
			return answer, fmt.Errorf("document of %s: %s", to.ID, lines.Bytes())
		}
		item := bulkItem{Index: to.Index, ID: to.ID}
		s.write(&item, append(json.RawMessage{}, lines.Bytes()...), partial && n%3 == 0)
		answer.Errors = answer.Errors || item.Error != nil
		answer.Items = append(answer.Items, map[string]bulkItem{s.operation: item})
	}
	return answer, nil
}

func (s *bulkSink) write(item *bulkItem, document json.RawMessage, refuse bool) {
	s.writes[item.ID]++
	index := s.documents[item.Index]
	if index == nil {
		index = make(map[string]json.RawMessage)
		s.documents[item.Index] = index
	}
	_, there := index[item.ID]
	switch {
	case refuse:
		item.Status, item.Error = http.StatusTooManyRequests, map[string]any{"type": "es_rejected_execution_exception"}
	case there && s.operation == "create":
		s.conflicts++
		item.Status, item.Error = http.StatusConflict, map[string]any{"type": "version_conflict_engine_exception"}
	case there:
		index[item.ID] = document
		item.Status = http.StatusOK
	default:
		index[item.ID] = document
		item.Status = http.StatusCreated
	}
}

// stored returns the documents of all indices by id. An id in two indices is a document stored twice.
func (s *bulkSink) stored() (documents map[string]json.RawMessage, twice []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	documents = make(map[string]json.RawMessage)
	for _, index := range s.documents {
		for id, document := range index {
			if _, there := documents[id]; there {
				twice = append(twice, id)
			}
			documents[id] = document
		}
	}
	return documents, twice
}

// fail says what happens to the next requests.
func (s *bulkSink) fail(faults ...bulkFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// calm reports whether all faults have happened.
func (s *bulkSink) calm() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults) == 0
}

func (s *bulkSink) snapshot() (conflicts int, problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conflicts, append([]string(nil), s.problems...)
}

// sent says how often an id was sent.
func (s *bulkSink) sent(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes[id]
}
