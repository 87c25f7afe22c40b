package e2e

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// victoriaWay is one of the ways into VictoriaLogs, each with the file that goes it.
type victoriaWay struct {
	file, prefix string
	env          []string
	id           string // name of the event's id
	fields       func(exportertest.Event) map[string]string
}

var victoriaWays = map[string]victoriaWay{
	"JSON lines": {"victorialogs.yaml", "VICTORIALOGS", nil, "event_id", fields},
	"JSON lines by http": {
		"http.yaml", "HTTP", []string{"HTTP_TOKEN=t", "HTTP_URI=/insert/jsonline?_time_field=date"}, "event_id", fields,
	},
	"Loki": {"loki.yaml", "LOKI", []string{"LOKI_URI=/insert/loki/api/v1/push"}, "event_id", fields},
	"Elasticsearch bulk": {
		"elasticsearch.yaml", "ELASTIC", []string{
			"ELASTIC_API_KEY=a2V5", "ELASTIC_PATH=/insert/elasticsearch", "ELASTIC_QUERY=&_time_field=@timestamp",
		}, "event.id", ecsFields,
	},
}

// ecsFields are some of those that ECS gives an event, flattened.
func ecsFields(e exportertest.Event) map[string]string {
	all := map[string]string{
		"event.id": e.ID, "event.action": e.Action, "event.dataset": "wherobots.audit", "user.id": e.UserID,
		"source.address": e.SourceIP, "user_agent.original": e.UserAgent, "cloud.region": e.ComputeRegion,
		"wherobots.audit.resource_name": e.ResourceName, "wherobots.audit.client_chain": e.ClientChain,
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// TestRealVictoriaLogs kills the engine while events arrive, and when all have, and takes its disk away, so that
// everything is sent again: each event is there, whole, and once by its id.
func TestRealVictoriaLogs(t *testing.T) {
	sideBySide(t, victoriaWays, func(t *testing.T, way victoriaWay) {
		v := store(t, startVictoriaLogs)
		events := lastDay(2_000)
		env := append(at(way.prefix, v.Server), fromLastDay)
		c := realRun(t, way.file, events, append(env, way.env...)...)
		distinct := fmt.Sprintf(`%q:* !%q:"status-"* | stats count_uniq(%q) n`, way.id, way.id, way.id)
		c.killWhen("half of the events stored", func() bool { return number(t, v, distinct) >= len(events)/2 })
		c.killWhen("all events stored", func() bool { return number(t, v, distinct) == len(events) })
		c.loseDisk()
		c.deliverAll()
		requireStored(t, v, way, events)
		all := number(t, v, fmt.Sprintf(`%q:* !%q:"status-"* | stats count() n`, way.id, way.id))
		assert.GreaterOrEqual(t, all, 2*len(events), "not all was sent again")
	})
}

// number is the n of a query's only row.
func number(t *testing.T, v *siem.VictoriaLogs, logsQL string) int {
	t.Helper()
	rows, err := v.Query(logsQL)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	n, err := strconv.Atoi(rows[0]["n"])
	require.NoError(t, err)
	return n
}

// requireStored requires that every event is there, each copy whole, and nothing else.
func requireStored(t *testing.T, v *siem.VictoriaLogs, way victoriaWay, events []exportertest.Event) {
	t.Helper()
	rows, err := v.Query(fmt.Sprintf(`%q:* !%q:"status-"*`, way.id, way.id))
	require.NoError(t, err)
	byID := make(map[string]exportertest.Event, len(events))
	for _, e := range events {
		byID[e.ID] = e
	}
	found := map[string]bool{}
	for _, row := range rows {
		e, known := byID[row[way.id]]
		require.True(t, known, "%v is no event", row)
		found[e.ID] = true
		for name, value := range way.fields(e) {
			require.Equal(t, value, row[name], "%s of %v", name, row)
		}
		stamp, err := time.Parse(time.RFC3339Nano, row["_time"])
		require.NoError(t, err)
		require.WithinDuration(t, e.Time, stamp, time.Microsecond, "%v", row)
	}
	require.Len(t, found, len(events))
}

// TestRealVictoriaLogsHoursThatDiffer runs the search of docs/proof.md: it finds nothing while all is there, and the
// hour that has an event too many.
func TestRealVictoriaLogsHoursThatDiffer(t *testing.T) {
	t.Parallel()
	v := store(t, startVictoriaLogs)
	events := lastDay(500)
	c := realRun(t, "victorialogs.yaml", events, append(at("VICTORIALOGS", v.Server), fromLastDay)...)
	p := c.start()
	p.until(c.patience, "all hours told", func() bool {
		return number(t, v, `record_type:="wherobots_audit_status" status:="hour" | stats count() n`) >= closedHours(events)-1
	})
	p.stop()
	search := documented(t, "docs/proof.md", "VictoriaLogs, LogsQL")
	rows, err := v.Query(search)
	require.NoError(t, err)
	require.Empty(t, rows)

	e := events[len(events)/2]
	extra := fmt.Sprintf(`{"event_id":"extra","_time":%q}`+"\n", e.Time.Format(time.RFC3339Nano))
	require.NoError(t, v.Insert("", []byte(extra)))
	rows, err = v.Query(search)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, e.Time.Truncate(time.Hour).Format(time.RFC3339), rows[0]["from"])
}

// TestRealVictoriaLogsFromBundledHost is for machines without an engine.
func TestRealVictoriaLogsFromBundledHost(t *testing.T) {
	t.Parallel()
	v := store(t, startVictoriaLogs)
	events := lastDay(2_000)
	var all bytes.Buffer
	for _, line := range printed(t, events, 0) {
		_, text := stamped(t, line, "_time")
		all.Write(append(text, '\n'))
	}
	require.NoError(t, v.Insert(query("_stream_fields", "compute_region"), all.Bytes()))
	requireStored(t, v, victoriaWay{id: "event_id", fields: fields}, events)
	require.Equal(t, len(events), number(t, v, "* | stats count() n"))
}
