package main

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fluent/fluent-bit-go/input"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// This file holds the ways in which an export can become records: the limit, production's, and two that are
// easier to write.

// copyBody is the limit: nobody can do anything with a body for less than copying it costs.
func copyBody(t task) (outcome, error) {
	body, err := get(t)
	if err != nil {
		return outcome{}, err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return outcome{Rows: t.rows}, err
}

func get(t task) (io.ReadCloser, error) {
	answer, err := http.Get(t.endpoint + "/audit-log/export")
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, errors.New(answer.Status)
	}
	return answer.Body, nil
}

// commitPatience is how long a run waits for its last commit once all was handed over.
const commitPatience = 30 * time.Second

// The engine asks once a second. Here it asks again soon while there is something, so that the run does not
// take a minute, and twice as late each time that there is nothing, as when the last commit waits for its
// second: each time it asks, the process is woken.
const (
	askSoon = 5 * time.Millisecond
	askLate = 200 * time.Millisecond
)

// runPipeline is production: everything but the engine, down to the last commit.
func runPipeline(t task) (outcome, error) {
	end := t.anchor.Add(span)
	dir, err := os.MkdirTemp(t.dir, "pipeline-")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(dir)
	e, err := newExporter(t, filepath.Join(dir, "checkpoint.json"), map[string]string{
		"start_time": t.anchor.Format(time.RFC3339), "end_time": end.Format(time.RFC3339), "max_window": "90d",
		"schema": t.schema,
	})
	if err != nil {
		return outcome{}, err
	}
	e.Start()
	result, pause := outcome{}, askSoon
	for handed := time.Now(); e.Stats().ThroughSeconds < float64(end.Unix()); {
		if data := e.Next(); len(data) > 0 {
			result.Bytes += len(data)
			e.Accepted()
			handed, pause = time.Now(), askSoon
			continue
		}
		if time.Since(handed) > commitPatience {
			return result, errors.Join(fmt.Errorf("nothing came for %s: %v", commitPatience, e.Lines()), e.Close())
		}
		time.Sleep(pause)
		pause = min(2*pause, askLate)
	}
	result.Rows = int(e.Stats().Records)
	if result.Rows != t.rows {
		return result, errors.Join(fmt.Errorf("%d records came of %d rows: %v", result.Rows, t.rows, e.Lines()), e.Close())
	}
	return result, e.Close()
}

// newExporter makes an exporter for the task's endpoint.
func newExporter(t task, checkpoint string, settings map[string]string) (*exporter.Exporter, error) {
	cfg, err := exporter.ParseConfig(func(key string) string {
		switch key {
		case "endpoint":
			return t.endpoint
		case "api_key":
			return "bench"
		case "checkpoint_path":
			return checkpoint
		}
		return settings[key]
	})
	if err != nil {
		return nil, err
	}
	return exporter.NewWithoutEngine(cfg)
}

// batchBytes is the default of batch_bytes.
const batchBytes = 11_000_000

// runReuse is the standard library used with care: encoding/csv with one record for all rows, msgpack
// appended to a buffer.
func runReuse(t task) (outcome, error) {
	body, err := get(t)
	if err != nil {
		return outcome{}, err
	}
	defer body.Close()
	reader := csv.NewReader(body)
	reader.ReuseRecord = true
	first, err := reader.Read()
	if err != nil {
		return outcome{}, err
	}
	names := append([]string(nil), first...)
	var result outcome
	var batch []byte
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			result.Bytes += len(batch)
			return result, nil
		}
		if err != nil {
			return result, err
		}
		at, err := time.Parse(time.RFC3339Nano, fields[1])
		if err != nil {
			return result, err
		}
		batch = appendRecord(batch, at, names, fields)
		result.Rows++
		if len(batch) > batchBytes {
			result.Bytes += len(batch)
			batch = batch[:0]
		}
	}
}

func appendRecord(dst []byte, at time.Time, names, fields []string) []byte {
	dst = append(dst, 0x92, 0xd7, 0x00)
	dst = binary.BigEndian.AppendUint32(dst, uint32(at.Unix()))
	dst = binary.BigEndian.AppendUint32(dst, uint32(at.Nanosecond()))
	header := len(dst)
	dst = append(dst, 0x80)
	for i, field := range fields {
		if field != "" {
			dst = appendText(appendText(dst, names[i]), field)
			dst[header]++
		}
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	switch n := len(text); {
	case n < 32:
		dst = append(dst, 0xa0|byte(n))
	case n < 256:
		dst = append(dst, 0xd9, byte(n))
	default:
		dst = append(dst, 0xdb, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, text...)
}

// runObvious is the plugin that one would write first: encoding/csv, a map for each row, fluent-bit-go's encoder.
func runObvious(t task) (outcome, error) {
	body, err := get(t)
	if err != nil {
		return outcome{}, err
	}
	defer body.Close()
	reader := csv.NewReader(body)
	names, err := reader.Read()
	if err != nil {
		return outcome{}, err
	}
	encoder := input.NewEncoder()
	var result outcome
	var batch []byte
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			result.Bytes += len(batch)
			return result, nil
		}
		if err != nil {
			return result, err
		}
		record := make(map[string]any)
		for i, field := range fields {
			if field != "" {
				record[strings.ToLower(names[i])] = field
			}
		}
		at, err := time.Parse(time.RFC3339, record["event_time"].(string))
		if err != nil {
			return result, err
		}
		packed, err := encoder.Encode([]any{input.FLBTime{Time: at}, record})
		if err != nil {
			return result, err
		}
		batch = append(batch, packed...)
		result.Rows++
		if len(batch) > batchBytes {
			result.Bytes += len(batch)
			batch = batch[:0]
		}
	}
}
