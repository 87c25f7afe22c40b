package e2e

import (
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// TestSplunk sends all events twice to a collector that is busy, throttles, drops answers and refuses with
// the 4xx that make the engine throw a chunk away. None is lost, and each is there once after what the
// add-on's macro does: dedup event_id.
func TestSplunk(t *testing.T) {
	t.Parallel()
	events := lastHour(300)
	source := newSource(t, events...)
	sink := &hecSink{token: "11111111-2222-3333-4444-555555555555"}
	server := httptest.NewServer(sink)
	t.Cleanup(server.Close)
	c := newConfRun(
		t, "splunk.yaml", source.url,
		append(hostPort(t, "SPLUNK", server), "SPLUNK_HEC_TOKEN="+sink.token)...,
	)

	sink.fail(hecBusy, hecThrottle, hecLost)
	c.crashOnce("all events indexed", func() bool {
		indexed, _ := sink.indexed()
		return len(auditIDs(indexed)) == len(events) && sink.calm()
	})
	requireIndexed(t, sink, events)
	_, before := sink.indexed()
	sink.fail(hecPartial, hecDisabled)
	c.deliverAll()
	requireIndexed(t, sink, events)

	_, total := sink.indexed()
	assert.GreaterOrEqual(t, total, before+len(events), "the events were not sent again")
	assert.True(t, sink.calm(), "faults that never happened")
	assert.Empty(t, sink.complaints())
}

func requireIndexed(t *testing.T, sink *hecSink, events []exportertest.Event) {
	t.Helper()
	indexed, _ := sink.indexed()
	require.ElementsMatch(t, eventIDs(events), auditIDs(indexed))
	for _, e := range events {
		got := indexed[e.ID]
		for name, value := range fields(e) {
			require.Equal(t, value, got.Event[name], "%s: %s", e.ID, name)
		}
		seconds, err := strconv.ParseFloat(got.Time.String(), 64)
		require.NoError(t, err)
		require.InDelta(t, float64(e.Time.UnixMicro())/1e6, seconds, float64(time.Microsecond)/1e9, e.ID)
	}
}
