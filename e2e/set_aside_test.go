package e2e

import (
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// requireAside checks that the file has one event, and which.
func requireAside(t *testing.T, path, id string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"), string(text))
	require.Contains(t, string(text), `"event_id":"`+id+`","event_time":"`)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

// TestAnEventThatTheDestinationRefusesStopsNothing: of a chunk that is refused for good because of one event,
// all others arrive, and so does what happens later.
func TestAnEventThatTheDestinationRefusesStopsNothing(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(50)...)
	bad := s.Events()[7].ID
	r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", "delivery")
	r.port = freePort(t)
	r.set("engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
	r.flags = []string{"--reject", bad}
	p := r.start(t)
	time.Sleep(5 * time.Second)
	s.Add(late(s, 51)...)
	p.until(4*time.Minute, "the other 100 events", func() bool { return len(tally(r.records(t, 0))) >= 100 })
	p.until(4*time.Minute, "the event to be kept aside", func() bool {
		_, err := os.Stat(r.path("audit.json.refused.jsonl"))
		return err == nil
	})
	p.stop()
	requireAside(t, r.path("audit.json.refused.jsonl"), bad)
	times := tally(r.records(t, 0))
	require.Zero(t, times[bad])
	total := 0
	for _, e := range s.Events() {
		if e.ID != bad {
			require.NotZero(t, times[e.ID], e.ID)
			total += times[e.ID]
		}
	}
	require.Less(t, total, 250, "copies")

	// A start tries it again, and what is delivered is not kept.
	r.flags = nil
	p = r.start(t)
	p.until(2*time.Minute, "the event that was refused", func() bool { return tally(r.records(t, 0))[bad] == 1 })
	p.until(time.Minute, "it is taken out", p.logged("which had been refused, is delivered; it is taken out of "))
	p.stop()
	require.NoFileExists(t, r.path("audit.json.refused.jsonl"))
}

// TestSplunkThatRefusesOneEvent is the same in Fluent Bit with the shipped configuration: HEC answers 400 to each
// post that has one certain event.
func TestSplunkThatRefusesOneEvent(t *testing.T) {
	t.Parallel()
	events := lastHour(300)
	source := newSource(t, events...)
	sink := &hecSink{token: "11111111-2222-3333-4444-555555555555"}
	server := httptest.NewServer(sink)
	t.Cleanup(server.Close)
	sink.refuseOnly(events[123].ID)
	c := newConfRun(
		t, "splunk.yaml", source.url,
		append(hostPort(t, "SPLUNK", server), "SPLUNK_HEC_TOKEN="+sink.token)...,
	)
	p := c.start()
	p.until(time.Minute, "a post", func() bool { return sink.received() >= len(events) })
	fresh := exportertest.Generate(77, 51, time.Now().Add(-time.Second), time.Now())
	source.Add(fresh...)
	p.until(8*time.Minute, "the others", func() bool {
		indexed, _ := sink.indexed()
		return len(auditIDs(indexed)) == len(events)-1+len(fresh)
	})
	path := c.checkpoint() + ".refused.jsonl"
	p.until(8*time.Minute, "the event to be kept aside", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	requireAside(t, path, events[123].ID)
	require.Less(t, sink.received(), 4*(len(events)+len(fresh)), "events posted")
	p.until(3*time.Minute, "the status event", func() bool {
		indexed, _ := sink.indexed()
		for id := range indexed {
			if strings.HasPrefix(id, "status-event_set_aside-") {
				return true
			}
		}
		return false
	})
	p.until(2*time.Minute, "the checkpoint behind it", func() bool { return c.through().After(fresh[50].Time) })
	p.stop()
	sink.refuseOnly("")
	p = c.start()
	p.until(2*time.Minute, "the event that was refused", func() bool {
		indexed, _ := sink.indexed()
		return len(auditIDs(indexed)) == len(events)+len(fresh)
	})
	p.until(time.Minute, "it is taken out", func() bool {
		_, err := os.Stat(path)
		return os.IsNotExist(err)
	})
	p.stop()
}
