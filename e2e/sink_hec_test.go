package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
)

// hecFault is what the collector does to one request.
type hecFault int

const (
	hecBusy     hecFault = iota + 1 // 503, code 9
	hecThrottle                     // 429
	hecDisabled                     // 403, code 1: the engine drops the chunk
	hecPartial                      // 400, code 7, halfway: what stands before is indexed, and the engine drops the chunk
	hecLost                         // everything is indexed, but the answer does not arrive
)

// hecSink is Splunk's HTTP Event Collector with a token that has indexer acknowledgement on. What breaks the
// protocol is kept in problems.
type hecSink struct {
	token  string
	poison string // event_id: each post that has it is answered 400, and nothing of it is indexed

	mu       sync.Mutex
	faults   []hecFault // of the next requests
	events   []hecEvent // as indexed: Splunk has no ids
	acks     int
	posted   int // events in proper requests
	problems []string
}

// hecEvent is the envelope; other keys are a mistake.
type hecEvent struct {
	Time       *json.Number      `json:"time"`
	Host       string            `json:"host"`
	Source     string            `json:"source"`
	Sourcetype string            `json:"sourcetype"`
	Index      string            `json:"index"`
	Event      map[string]any    `json:"event"`
	Fields     map[string]string `json:"fields"`
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (s *hecSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, status, code, err := s.check(r)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		answerHEC(w, status, code, err.Error())
		return
	}
	s.posted += len(events)
	if s.poison != "" && slices.ContainsFunc(events, func(e hecEvent) bool { return e.Event["event_id"] == s.poison }) {
		answerHEC(w, http.StatusBadRequest, 6, "Invalid data format")
		return
	}
	var fault hecFault
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	switch fault {
	case hecBusy:
		answerHEC(w, http.StatusServiceUnavailable, 9, "Server is busy")
		return
	case hecThrottle:
		answerHEC(w, http.StatusTooManyRequests, 9, "Too many requests")
		return
	case hecDisabled:
		answerHEC(w, http.StatusForbidden, 1, "Token disabled")
		return
	case hecPartial:
		s.events = append(s.events, events[:len(events)/2]...)
		answerHEC(w, http.StatusBadRequest, 7, "Incorrect index")
		return
	}
	s.events = append(s.events, events...)
	if fault == hecLost {
		panic(http.ErrAbortHandler)
	}
	s.acks++
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"text": "Success", "code": 0, "ackId": s.acks})
}

// answerHEC writes {"text":…,"code":…}.
func answerHEC(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"text": text, "code": code})
}

// check reads a request, or says with which status and code the collector refuses it.
func (s *hecSink) check(r *http.Request) (events []hecEvent, status, code int, err error) {
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/services/collector/event" || r.URL.RawQuery != "":
		return nil, http.StatusNotFound, 404, fmt.Errorf("%s %s is not the event endpoint", r.Method, r.URL)
	case r.Header.Get("Authorization") == "":
		return nil, http.StatusUnauthorized, 2, errors.New("Token is required")
	case r.Header.Get("Authorization") != "Splunk "+s.token:
		return nil, http.StatusForbidden, 4, errors.New("Invalid token")
	case r.Header.Get("X-Splunk-Request-Channel") == "":
		return nil, http.StatusBadRequest, 10, errors.New("Data channel is missing")
	case !guid.MatchString(r.Header.Get("X-Splunk-Request-Channel")):
		return nil, http.StatusBadRequest, 11, errors.New("Invalid data channel")
	}
	body, err := readGzip(r)
	if err != nil {
		return nil, http.StatusBadRequest, 6, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	for {
		var e hecEvent
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		switch {
		case err != nil:
			return nil, http.StatusBadRequest, 6, fmt.Errorf("Invalid data format: %w", err)
		case len(e.Event) == 0:
			return nil, http.StatusBadRequest, 12, errors.New("Event field is required")
		case e.Time == nil || e.Sourcetype != "wherobots:audit" || e.Source != "wherobots_audit":
			return nil, http.StatusBadRequest, 6, fmt.Errorf("envelope %+v", e)
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, http.StatusBadRequest, 5, errors.New("No data")
	}
	return events, 0, 0, nil
}

// indexed returns what Splunk shows after `dedup event_id`, and how many events it holds.
func (s *hecSink) indexed() (byID map[string]hecEvent, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byID = make(map[string]hecEvent)
	for _, e := range s.events {
		id, _ := e.Event["event_id"].(string)
		byID[id] = e
	}
	return byID, len(s.events)
}

// fail says what happens to the next requests.
func (s *hecSink) fail(faults ...hecFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// calm reports whether all faults have happened.
func (s *hecSink) calm() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults) == 0
}

func (s *hecSink) complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.problems...)
}

// refuseOnly makes the collector refuse each post with this event; "" = none.
func (s *hecSink) refuseOnly(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poison = id
}

// received is how many events were in requests so far, refused ones too.
func (s *hecSink) received() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posted
}
