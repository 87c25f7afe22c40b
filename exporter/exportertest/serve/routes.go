package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// routes adds what a test wants to know: the visible events, and what was asked. Both are for whoever reaches
// the port.
func routes(server *exportertest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("GET /_truth", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		encoder := json.NewEncoder(w)
		for _, event := range server.Visible() {
			_ = encoder.Encode(event)
		}
	})
	mux.HandleFunc("GET /_requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(summarize(server.Requests()))
	})
	return mux
}

// summary is what /_requests answers.
type summary struct {
	Count    int                    `json:"count"`
	Outcomes map[string]int         `json:"outcomes"` // by status and fault, such as "200", "200 cut", "0 hang"
	Requests []exportertest.Request `json:"requests"`
}

func summarize(requests []exportertest.Request) summary {
	s := summary{Count: len(requests), Outcomes: map[string]int{}, Requests: requests}
	for _, r := range requests {
		outcome := strconv.Itoa(r.Status)
		if r.Fault != "" && r.Fault != outcome {
			outcome += " " + r.Fault
		}
		s.Outcomes[outcome]++
	}
	return s
}

// writeTruth appends events to a file as they become visible, until ctx ends.
func writeTruth(ctx context.Context, server *exportertest.Server, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("-truth: %w", err)
	}
	defer file.Close()
	return server.Follow(ctx, func(event exportertest.Event) error {
		line, err := json.Marshal(event)
		if err != nil {
			return err
		}
		_, err = file.Write(append(line, '\n'))
		return err
	})
}
