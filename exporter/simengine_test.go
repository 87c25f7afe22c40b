package exporter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

// simEngine is what lies behind simHost's ring when an output takes its time: chunks in memory, and the
// monitoring API with the ages that its figures have in the real engine: chunks 5 s, counters 2 s, and 404
// until there are any. A stop loses the chunks, as memory storage does.
type simEngine struct {
	h    *simHost
	name string // of the input

	mu      sync.Mutex
	latency time.Duration            // from chunk to delivery
	vary    func() time.Duration     // of each chunk, if that is more
	stuck   bool                     // the output delivers, but one chunk of another output stays
	swallow int                      // batches that vanish before they are counted
	drop    int                      // chunks that the output drops
	reject  func(records.Event) bool // events for which the output drops their chunk
	lossy   bool                     // a processor drops a record of every batch
	extra   int64                    // records that the engine counts and nobody handed over
	away    bool                     // the API refuses connections
	inputs  map[string]int64

	chunks  []simChunk
	records int64
	drops   int64
	done    int64  // records that the output processed
	storage []byte // as published; nil = 404
	metrics []byte
	modern  bool // it has version 2 of the API
	figures []byte
	asked   int
	sent    int // records that the output tried to deliver
}

type simChunk struct {
	at      time.Time
	latency time.Duration
	events  []records.Event
}

const (
	simChunkAge   = 5 * time.Second
	simCounterAge = 2 * time.Second
)

// newSimEngine puts an engine behind h's ring, with commit_on delivery.
func newSimEngine(h *simHost) *simEngine {
	s := &simEngine{
		h: h, name: "wherobots_audit.0", latency: 1500 * time.Millisecond,
		inputs: map[string]int64{"cpu.1": 77},
	}
	h.settings["commit_on"] = "delivery"
	h.engine, h.take, h.live = s, s.take, s.run
	return s
}

// set changes the engine's behaviour while it runs.
func (s *simEngine) set(change func(s *simEngine)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *simEngine) take(events []records.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.swallow > 0 {
		s.swallow--
		return
	}
	if s.lossy {
		events = events[1:]
	}
	s.records += int64(len(events))
	latency := time.Duration(0)
	if s.vary != nil {
		latency = s.vary()
	}
	s.chunks = append(s.chunks, simChunk{time.Now(), latency, events})
}

// run is one life of the engine.
func (s *simEngine) run(stop <-chan struct{}) {
	s.set(func(s *simEngine) {
		s.chunks, s.records, s.drops, s.done, s.storage, s.metrics = nil, 0, 0, 0, nil, nil
		s.figures = nil
	})
	time.Sleep(enginePhase)
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for tick := 1; ; tick++ {
		select {
		case <-stop:
			return
		case <-ticker.C:
			s.h.deliver(s.flush())
			s.publish(time.Duration(tick) * 250 * time.Millisecond)
		}
	}
}

// flush returns what is delivered now.
func (s *simEngine) flush() (events []records.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.chunks[:0]
	for _, chunk := range s.chunks {
		switch {
		case time.Since(chunk.at) < max(s.latency, chunk.latency):
			left = append(left, chunk)
		case s.drop > 0 || s.rejects(chunk):
			s.drop = max(s.drop-1, 0)
			s.drops += int64(len(chunk.events))
		default:
			events = append(events, chunk.events...)
			s.done += int64(len(chunk.events))
		}
	}
	s.chunks = left
	return events
}

// rejects reports whether the output refuses the chunk for good.
func (s *simEngine) rejects(chunk simChunk) bool {
	s.sent += len(chunk.events)
	return s.reject != nil && slices.ContainsFunc(chunk.events, s.reject)
}

// publish renews the figures that are due after so long a life.
func (s *simEngine) publish(age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age%simChunkAge == 0 {
		total := len(s.chunks)
		if s.stuck {
			total++
		}
		chunks := map[string]any{"chunks": map[string]any{"total": total}}
		s.storage = encodeJSON(map[string]any{"input_chunks": map[string]any{s.name: chunks}})
	}
	if s.modern && age%time.Second == 250*time.Millisecond {
		s.figures = s.prometheus(age)
	}
	if age%simCounterAge == 0 {
		inputs := map[string]any{s.name: map[string]any{"records": s.records + s.extra}}
		done := s.done + s.extra
		for name, records := range s.inputs {
			inputs[name] = map[string]any{"records": records}
			done += records
		}
		s.metrics = encodeJSON(map[string]any{
			"input": inputs,
			"output": map[string]any{"stdout.0": map[string]any{
				"errors": 0, "retries_failed": 0, "dropped_records": s.drops, "proc_records": done,
			}},
		})
	}
}

// prometheus is version 2 of the API: all figures of one moment.
func (s *simEngine) prometheus(age time.Duration) []byte {
	text := fmt.Appendf(nil, "fluentbit_uptime %d\nfluentbit_build_info{version=\"5.1.1\"} 1\n", int(age.Seconds()))
	done := s.done
	for name, n := range s.inputs {
		text = fmt.Appendf(text, "fluentbit_input_records_total{name=%q} %d\n", name, n)
		done += n
	}
	chunks := len(s.chunks)
	if s.stuck {
		chunks++
	}
	text = fmt.Appendf(text, "fluentbit_input_records_total{name=%q} %d\n", s.name, s.records)
	text = fmt.Appendf(text, "fluentbit_output_proc_records_total{name=\"stdout.0\"} %d\n", done)
	text = fmt.Appendf(text, "fluentbit_output_dropped_records_total{name=\"stdout.0\"} %d\n", s.drops)
	return fmt.Appendf(text, "fluentbit_storage_chunks %d\n", chunks)
}

func encodeJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// RoundTrip is the monitoring API.
func (s *simEngine) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	body := map[string][]byte{
		"/api/v1/storage": s.storage, "/api/v1/metrics": s.metrics, "/api/v2/metrics/prometheus": s.figures,
	}[r.URL.Path]
	if s.away {
		return nil, errors.New("connection refused")
	}
	status := http.StatusOK
	if body == nil {
		status = http.StatusNotFound
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Request: r, Header: make(http.Header),
		Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}
