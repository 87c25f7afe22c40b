package e2e

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// testKey is the credential of the simulated endpoint. No log and no file but
// the configuration may hold it.
const testKey = "wbk-e2e-secret-0123456789abcdef"

// source is the simulated endpoint on loopback.
type source struct {
	*exportertest.Server
	url string
}

func newSource(t *testing.T, events ...exportertest.Event) *source {
	t.Helper()
	s := exportertest.New(exportertest.Options{APIKey: testKey, Seed: 1})
	s.Add(events...)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.CloseClientConnections() // a hanging answer must not hang the test
		web.Close()
	})
	return &source{Server: s, url: web.URL}
}

// past returns n events of the last few hours, the newest a minute old.
func past(n int) []exportertest.Event {
	now := time.Now().UTC().Truncate(time.Second)
	return exportertest.Generate(1, n, now.Add(-6*time.Hour), now.Add(-time.Minute))
}

// live adds 20 events a second as time goes on, every fifth one as late as late
// says, until the returned function is called.
func (s *source) live(t *testing.T, late time.Duration) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	liveness := exportertest.Liveness{Seed: 2, Anchor: time.Now(), Rate: 20}
	if late > 0 {
		liveness.Late, liveness.LateBy = 0.2, late
	}
	var running sync.WaitGroup
	running.Go(func() { s.Live(ctx, liveness) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// fields is what the record of an event must hold, schema raw.
func fields(e exportertest.Event) map[string]string {
	all := map[string]string{
		"event_id": e.ID, "action_name": e.Action, "user_id": e.UserID, "user_name": e.UserName, "user_agent": e.UserAgent,
		"source_ip": e.SourceIP, "resource_name": e.ResourceName, "resource_id": e.ResourceID,
		"compute_region": e.ComputeRegion,
		"client_chain":   e.ClientChain, "source_client": e.SourceClient,
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// requireEach requires that every event arrived, none more than once, and that
// each is equal to its source in every field and, to the microsecond, in time.
func requireEach(t *testing.T, events []exportertest.Event, records []record) {
	t.Helper()
	missing, twice := compare(events, records)
	require.Empty(t, sample(missing), "%d events missing", len(missing))
	require.Empty(t, sample(twice), "%d events more than once", len(twice))
	require.Len(t, records, len(events), "records of no event")
	requireEqual(t, events, records)
}

// requireEqual requires that every record is equal to its event.
func requireEqual(t *testing.T, events []exportertest.Event, records []record) {
	t.Helper()
	byID := make(map[string]exportertest.Event, len(events))
	for _, e := range events {
		byID[e.ID] = e
	}
	wrong := 0
	for _, r := range records {
		if problem := difference(byID[r.id()], r); problem != "" {
			if wrong++; wrong <= 5 {
				assert.Fail(t, "record differs from its event", "%s: %s", r.id(), problem)
			}
		}
	}
	require.Zero(t, wrong, "records that differ from their event")
}

// difference says how a record differs from its event; empty if not at all.
func difference(e exportertest.Event, r record) string {
	if want := e.Time.Truncate(time.Microsecond); !r.time.Truncate(time.Microsecond).Equal(want) {
		return fmt.Sprintf("timestamp %s, want %s", r.time, want)
	}
	text, _ := r.fields["event_time"].(string)
	if read, err := time.Parse(time.RFC3339Nano, text); err != nil || !read.Equal(e.Time.Truncate(time.Microsecond)) {
		return fmt.Sprintf("event_time %q, want %s", text, e.Time)
	}
	want := fields(e)
	for name, value := range want {
		if got := r.fields[name]; got != value {
			return fmt.Sprintf("%s is %q, want %q", name, got, value)
		}
	}
	if len(r.fields) != len(want)+1 {
		return fmt.Sprintf("fields %v, want %v and event_time", r.fields, want)
	}
	return ""
}

// compare lists the ids of events that did not arrive, and of those that arrived
// more than once.
func compare(events []exportertest.Event, records []record) (missing, twice []string) {
	times := tally(records)
	for _, e := range events {
		switch n := times[e.ID]; {
		case n == 0:
			missing = append(missing, e.ID)
		case n > 1:
			twice = append(twice, e.ID)
		}
	}
	return missing, twice
}

func sample(ids []string) []string { return ids[:min(len(ids), 10)] }
