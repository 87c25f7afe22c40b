package handover

import (
	"bytes"
	"encoding/json"
	"errors"
)

// metricsV1 is what is read of /api/v1/metrics, which is the same in 3.2 and 5.1. The order of inputs tells which are
// emitters.
type metricsV1 struct {
	Input ordered[struct {
		Records int64 `json:"records"`
	}] `json:"input"`
	Filter ordered[struct {
		Records int64  `json:"records"`
		Dropped int64  `json:"drop_records"`
		Added   int64  `json:"add_records"`
		Emitted *int64 `json:"emit_records"`
	}] `json:"filter"`
	Output ordered[struct {
		Processed     int64 `json:"proc_records"`
		Errors        int64 `json:"errors"`
		Retries       int64 `json:"retries"`
		RetriesFailed int64 `json:"retries_failed"`
		Dropped       int64 `json:"dropped_records"`
	}] `json:"output"`
}

// storageV1 is what is read of /api/v1/storage.
type storageV1 struct {
	InputChunks map[string]struct {
		Chunks struct {
			Total *int64 `json:"total"`
		} `json:"chunks"`
	} `json:"input_chunks"`
}

// snapshot puts both together.
func (m *metricsV1) snapshot(storage *storageV1) *snapshot {
	s := newSnapshot()
	for _, i := range m.Input.list {
		in := inputFigures{name: i.name, records: i.value.Records, chunks: unknown}
		if chunks, ok := storage.InputChunks[i.name]; ok && chunks.Chunks.Total != nil {
			in.chunks = *chunks.Chunks.Total
		}
		s.inputs = append(s.inputs, in)
	}
	for _, f := range m.Filter.list {
		figures := filterFigures{name: f.name, records: f.value.Records, dropped: f.value.Dropped, added: f.value.Added}
		if f.value.Emitted != nil {
			figures.emits, figures.emitted = true, *f.value.Emitted
		}
		s.filters = append(s.filters, figures)
	}
	for _, o := range m.Output.list {
		s.outputs = append(s.outputs, outputFigures{
			name: o.name, processed: o.value.Processed, dropped: o.value.Dropped,
			failures: o.value.Errors + o.value.RetriesFailed, retries: o.value.Retries,
		})
	}
	return s
}

// ordered is a JSON object whose members' order matters.
type ordered[T any] struct{ list []member[T] }

type member[T any] struct {
	name  string
	value T
}

// UnmarshalJSON keeps the order that a map would lose.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.Join(err, errors.New("an object is expected"))
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		var value T
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		name, _ := token.(string)
		o.list = append(o.list, member[T]{name, value})
	}
	return nil
}
