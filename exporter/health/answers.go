package health

import (
	"encoding/json"
	"net/http"

	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+LivePath, func(w http.ResponseWriter, _ *http.Request) {
		report := s.report()
		write(w, report.Alive, shortly(report, "alive", report.Alive))
	})
	mux.HandleFunc("GET "+ReadyPath, func(w http.ResponseWriter, _ *http.Request) {
		report := s.report()
		write(w, report.Ready, shortly(report, "ready", report.Ready))
	})
	mux.HandleFunc("GET "+StatusPath, func(w http.ResponseWriter, _ *http.Request) { write(w, true, s.report()) })
	mux.HandleFunc("GET "+MetricsPath, s.metrics)
	return mux
}

// report asks every instance.
func (s *server) report() Report {
	report := Report{Alive: true, Ready: true}
	names := map[string]int{}
	for _, m := range s.all() {
		in := m.Instance()
		in.Name = unique(names, in.Name)
		report.Alive, report.Ready = report.Alive && in.Alive, report.Ready && in.Ready
		report.Instances = append(report.Instances, in)
		report.Version = m.Stats().Version
	}
	return report
}

// shortly is what an orchestrator needs, and shows a person who asks.
func shortly(report Report, word string, holds bool) map[string]any {
	type line struct {
		Name   string `json:"name"`
		Alive  bool   `json:"alive"`
		Ready  bool   `json:"ready"`
		Reason string `json:"reason,omitempty"`
	}
	lines := make([]line, 0, len(report.Instances))
	for _, in := range report.Instances {
		lines = append(lines, line{in.Name, in.Alive, in.Ready, in.Reason})
	}
	return map[string]any{word: holds, "instances": lines}
}

func write(w http.ResponseWriter, good bool, answer any) {
	text, err := json.MarshalIndent(answer, "", "  ")
	if err != nil { // a ratio that is no number, say
		http.Error(w, "no answer can be made", http.StatusInternalServerError)
		return
	}
	header(w, "application/json")
	if !good {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(text, '\n')) // who asked has gone
}

func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	var instances []figures.Instance
	names := map[string]int{}
	for _, m := range s.all() {
		labels := append([]figures.Label{{Name: "name", Value: unique(names, m.Instance().Name)}}, m.Labels...)
		instances = append(instances, figures.Instance{Labels: labels, Stats: m.Stats()})
	}
	header(w, figures.ContentType)
	_ = figures.Write(w, instances) // likewise
}

func header(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
