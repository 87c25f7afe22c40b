package main

import (
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
)

// shownKeys are the settings that go into a diagnosis, of plugins that are not this one: how the engine carries events,
// and nothing that could be a name, an address or a secret of somebody.
var shownKeys = []string{
	"name", "alias", "tag", "match", "match_regex", "retry_limit", "workers", "format", "compress", "tls", "tls.verify",
	"require_ack_response", "mem_buf_limit", "threaded", "emitter_storage.type", "emitter_mem_buf_limit",
	"flush", "grace", "daemon", "log_level", "hot_reload", "http_server", "http_listen", "http_port", "health_check",
	"scheduler.base", "scheduler.cap",
}

// shownSection is what is told of a section.
type shownSection struct {
	Kind     string            `json:"kind"`
	Settings map[string]string `json:"settings"`
	Others   []string          `json:"others,omitempty"` // keys whose values are not told
}

func shown(s fluentconf.Section) shownSection {
	out := shownSection{Kind: s.Kind, Settings: make(map[string]string)}
	for _, p := range s.Properties {
		if slices.Contains(shownKeys, p.Key) || strings.HasPrefix(p.Key, "storage.") {
			out.Settings[p.Key] = p.Value
			continue
		}
		out.Others = append(out.Others, p.Key)
	}
	return out
}

// settings are those of the service, the pipeline, and this plugin's inputs, secrets as ***.
func (d *diagnosis) settings() any {
	service := shown(d.read.Service)
	service.Kind = "service"
	pipeline := []shownSection{}
	for _, s := range d.read.Sections {
		pipeline = append(pipeline, shown(s))
	}
	inputs := []checkedInput{}
	for _, in := range d.inputs {
		inputs = append(inputs, describe(in))
	}
	return map[string]any{"files": d.read.Files, "service": service, "pipeline": pipeline, "inputs": inputs}
}

// shownState is a checkpoint without its key and without identities.
type shownState struct {
	Path       string            `json:"path"`
	Endpoint   string            `json:"endpoint"`
	Holder     string            `json:"used_by,omitempty"`
	From       time.Time         `json:"from"`
	Through    time.Time         `json:"through"`
	Reconciled time.Time         `json:"reconciled"`
	Deep       time.Time         `json:"deep"`
	Unsure     time.Time         `json:"unsure"`
	Behind     string            `json:"behind"`
	Floor      time.Time         `json:"floor"`
	Overlap    string            `json:"overlap"`
	Start      string            `json:"start"`
	Columns    []string          `json:"columns"`
	Volatile   []string          `json:"volatile"`
	RowLimit   int               `json:"row_limit"`
	Moves      []checkpoint.Move `json:"moves"`
	Bytes      map[string]int    `json:"bytes"`
}

// readState reads an input's checkpoint beside whoever uses it.
func readState(in *rules.Input) (state checkpoint.State, shown shownState, err error) {
	origin, state, holder, err := checkpoint.ReadExisting(in.Config.CheckpointPath)
	if err != nil {
		return state, shown, err
	}
	shown = shownState{
		Path: in.Config.CheckpointPath, Endpoint: origin.Endpoint, Holder: holder,
		From: state.From, Through: state.Through, Reconciled: state.Reconciled, Deep: state.Deep,
		Unsure: state.Unsure, Behind: state.Behind.String(),
		Floor: state.Floor, Overlap: state.Overlap.String(), Start: state.Start,
		Columns: state.Columns, Volatile: state.Volatile, RowLimit: state.RowLimit, Moves: state.Moves,
		Bytes: map[string]int{
			"seen": len(state.Seen), "strays": len(state.Strays), "minutes": len(state.Minutes), "hours": len(state.Hours),
			"shared_ids": len(state.SharedIDs),
		},
	}
	return state, shown, nil
}

func (d *diagnosis) checkpoint(in *rules.Input) {
	name := "checkpoint-" + fileSafe(in.Name) + ".json"
	_, state, err := readState(in)
	if err != nil {
		d.failed(name, err.Error(), "")
		return
	}
	d.json(name, state)
}

// fileSafe spells an input's name so that it can be a file's.
func fileSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
}
