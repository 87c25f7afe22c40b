package exporter

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// refusals keeps the events that an output refuses for good in a file beside the checkpoint, and has them
// tried again. It is the watch's Keeper. Its methods may be called from any goroutine.
type refusals struct {
	file  *checkpoint.Aside
	log   *logline.Queue
	stats *stats

	mu    sync.Mutex
	tried map[*checkpoint.Refused]time.Time // in this run
	last  time.Time                         // that one was tried
	told  []schema.Status                   // on their way to the collector
}

const (
	trialInterval = 6 * time.Hour    // between trials of one event; a start tries each
	trialGap      = 30 * time.Second // between trials of two, since others wait while one is tried
)

func newRefusals(file *checkpoint.Aside, log *logline.Queue, stats *stats) *refusals {
	if n := len(file.Events()); n > 0 {
		log.Warnf("%d events that an output refused for good are kept in %s: each is sent again now and every %s",
			n, file.Path(), logline.Duration(trialInterval))
	}
	return &refusals{file: file, log: log, stats: stats, tried: make(map[*checkpoint.Refused]time.Time)}
}

// Keep puts an event on disk.
func (r *refusals) Keep(record []byte, reason string) error {
	event := describe(record)
	event.SetAside, event.Reason = time.Now().UTC(), reason
	fresh, err := r.file.Keep(event)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kept := range r.file.Events() {
		if bytes.Equal(kept.Msgpack, record) {
			r.tried[kept] = time.Now()
		}
	}
	if !fresh {
		return nil
	}
	r.stats.setAside.Add(1)
	id := logline.Quoted(r.log.Redact(event.EventID))
	r.log.Errorf("event %s is refused for good by an output: it is kept in %s, and the checkpoint passes it. "+
		"The output's own log lines say why; the event is sent again every %s and at each start",
		id, r.file.Path(), logline.Duration(trialInterval))
	r.told = append(r.told, schema.Status{
		Kind: schema.StatusSetAside, From: event.Time, To: event.Time, Count: 1,
		Message: "an output refuses an event for good; it is kept in a file beside the checkpoint and sent again later",
		Detail:  "event_id " + event.EventID + ", file " + r.file.Path(),
	})
	if len(r.told) > maxStatuses {
		r.told = r.told[1:]
	}
	return nil
}

// tell returns the status events since the last call.
func (r *refusals) tell() []schema.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	return told
}

// Due returns the record of an event that is to be tried now, nil if there is none.
func (r *refusals) Due() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.last) < trialGap {
		return nil
	}
	for _, event := range r.file.Events() {
		if last, tried := r.tried[event]; !tried || now.Sub(last) >= trialInterval {
			r.tried[event], r.last = now, now
			return bytes.Clone(event.Msgpack)
		}
	}
	return nil
}

// Tried takes out an event that was delivered.
func (r *refusals) Tried(record []byte, delivered bool) {
	if !delivered {
		return
	}
	for _, event := range r.file.Events() {
		if !bytes.Equal(event.Msgpack, record) {
			continue
		}
		id := logline.Quoted(r.log.Redact(event.EventID))
		if err := r.file.Remove(event); err != nil {
			r.log.Errorf("event %s, which had been refused, is delivered, but cannot be taken out of its file: %v", id, err)
			return
		}
		r.log.Infof("event %s, which had been refused, is delivered; it is taken out of %s", id, r.file.Path())
		r.mu.Lock()
		delete(r.tried, event)
		r.mu.Unlock()
	}
}

// describe says what a record is for a person. One that cannot be read is kept all the same.
func describe(record []byte) checkpoint.Refused {
	event := checkpoint.Refused{Msgpack: bytes.Clone(record), Record: json.RawMessage("null")}
	parts, err := msgpack.Elements(record)
	if err != nil || len(parts) != 2 {
		return event
	}
	if at := parts[0]; len(at) == 10 { // see schema.AppendEventHeader
		event.Time = time.Unix(int64(binary.BigEndian.Uint32(at[2:])), int64(binary.BigEndian.Uint32(at[6:]))).UTC()
	}
	text, err := msgpack.JSON(parts[1])
	if err != nil || !json.Valid(text) {
		return event
	}
	event.Record = text
	var fields map[string]any
	if json.Unmarshal(text, &fields) == nil {
		event.EventID = idOf(fields)
	}
	return event
}

// idOf finds the event_id where one of the schemas puts it.
func idOf(fields map[string]any) string {
	for _, place := range []string{"event_id", "event.id", "metadata.uid"} {
		at := fields
		names := strings.Split(place, ".")
		for _, name := range names[:len(names)-1] {
			at, _ = at[name].(map[string]any)
		}
		if id, ok := at[names[len(names)-1]].(string); ok {
			return id
		}
	}
	return ""
}
