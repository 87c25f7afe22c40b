package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

type bulkDestination struct {
	file, variable, prefix string
	sink                   *bulkSink
}

// TestBulkDestinations sends all events twice to a destination that refuses, breaks off and stores halves,
// through the shipped configuration and the engine's own output: at the end there is one document an event,
// under the event's id.
func TestBulkDestinations(t *testing.T) {
	const monthly = `wherobots-audit-\d{4}\.\d\d`
	destinations := make(map[string]bulkDestination)
	for _, d := range []bulkDestination{
		{
			"elasticsearch.yaml", "ELASTIC_API_KEY=a2V5OnNlY3JldA==", "ELASTIC",
			newBulkSink("ApiKey a2V5OnNlY3JldA==", monthly, "index"),
		},
		{
			"opensearch.yaml", "OPENSEARCH_PASSWORD=secret", "OPENSEARCH",
			newBulkSink(basic("admin", "secret"), monthly, "index"),
		},
		{
			"elasticsearch-data-stream.yaml", "ELASTIC_PASSWORD=secret", "ELASTIC",
			newBulkSink(basic("elastic", "secret"), `logs-wherobots\.audit-default`, "create"),
		},
	} {
		destinations[d.file] = d
	}
	sideBySide(t, destinations, sendTwice)
}

func sendTwice(t *testing.T, d bulkDestination) {
	events := lastHour(300)
	source := newSource(t, events...)
	server := httptest.NewServer(d.sink)
	t.Cleanup(server.Close)
	c := newConfRun(t, d.file, source.url, append(hostPort(t, d.prefix, server), d.variable)...)

	d.sink.fail(bulkPartial, bulkBusy, bulkDown, bulkLost)
	c.crashOnce("all events stored", func() bool {
		documents, _ := d.sink.stored()
		return len(auditIDs(documents)) == len(events) && d.sink.calm()
	})
	requireDocuments(t, d.sink, events)
	d.sink.fail(bulkPartial)
	c.deliverAll()
	requireDocuments(t, d.sink, events)

	conflicts, problems := d.sink.snapshot()
	assert.True(t, d.sink.calm(), "faults that never happened")
	assert.Empty(t, problems)
	for _, e := range events {
		require.GreaterOrEqual(t, d.sink.sent(e.ID), 3, "%s was not sent again", e.ID)
	}
	if d.sink.operation == "create" {
		assert.GreaterOrEqual(t, conflicts, len(events), "events that came again must have been refused")
	}
}

// requireDocuments requires one document for each event, with the event's id and time.
func requireDocuments(t *testing.T, sink *bulkSink, events []exportertest.Event) {
	t.Helper()
	documents, twice := sink.stored()
	require.Empty(t, twice)
	require.ElementsMatch(t, eventIDs(events), auditIDs(documents))
	for _, e := range events {
		var document struct {
			Timestamp time.Time `json:"@timestamp"`
			Event     struct{ ID, Action, Dataset string }
			User      struct{ ID string }
		}
		require.NoError(t, json.Unmarshal(documents[e.ID], &document))
		require.Equal(t, e.ID, document.Event.ID)
		require.Equal(t, e.Action, document.Event.Action)
		require.Equal(t, e.UserID, document.User.ID)
		require.Equal(t, "wherobots.audit", document.Event.Dataset)
		require.True(
			t, e.Time.Truncate(time.Microsecond).Equal(document.Timestamp), "%s: %s, want %s", e.ID,
			document.Timestamp, e.Time,
		)
	}
}
