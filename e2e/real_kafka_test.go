package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// beyondPropagation is longer than librdkafka waits for a topic by default, counted from its start.
const beyondPropagation = 32 * time.Second

// TestRealKafka starts the engine while the broker is away for so long that librdkafka would by default drop all that
// waits for a topic which the broker has yet to make. It kills the engine when all has arrived, and takes its disk
// away: everything is sent again, and the copies of an event have one key, the event's id, and one partition, so that
// consumers and compaction know them.
func TestRealKafka(t *testing.T) {
	t.Parallel()
	k := store(t, siem.NewKafka)
	events := lastDay(3_000)
	const topic = "wherobots.audit"
	c := realRun(t, "kafka.yaml", events, "KAFKA_BROKERS="+k.Address, fromLastDay)
	count := func() int {
		n, err := k.Count(topic)
		require.NoError(t, err)
		return n
	}
	caughtUp := c.caughtUp()
	p := c.start()
	begun := time.Now()
	p.until(c.patience, "a handover without a broker", caughtUp)
	time.Sleep(time.Until(begun.Add(beyondPropagation)))
	require.NoError(t, k.Start())
	p.until(c.patience, "all messages", func() bool { return count() >= len(events) })
	p.kill()
	require.NotContains(t, c.rig.log(t), "message delivery failed")
	c.loseDisk()

	caughtUp = c.caughtUp()
	p = c.start()
	p.until(c.patience, "all messages again", func() bool { return count() >= 2*len(events) })
	p.until(c.patience, "a commit of everything", caughtUp)
	p.stop()
	messages, err := k.Consume(topic, count())
	require.NoError(t, err)
	requireMessages(t, messages, events)
}

// requireMessages requires that every event has come at least twice, each copy whole, with its key and in the key's
// partition.
func requireMessages(t *testing.T, messages []siem.Message, events []exportertest.Event) {
	t.Helper()
	partitions, times := map[string]string{}, map[string]int{}
	var records []record
	for _, m := range messages {
		var r record
		require.NoError(t, json.Unmarshal([]byte(m.Value), &r.fields), m.Value)
		require.Equal(t, r.id(), m.Key)
		if partition, there := partitions[m.Key]; there {
			require.Equal(t, partition, m.Partition, m.Key)
		}
		partitions[m.Key] = m.Partition
		times[m.Key]++
		if strings.HasPrefix(m.Key, "status-") {
			continue
		}
		stamp, err := time.Parse(time.RFC3339Nano, r.fields["date"].(string))
		require.NoError(t, err)
		r.time = stamp
		delete(r.fields, "date")
		records = append(records, r)
	}
	for _, e := range events {
		require.GreaterOrEqual(t, times[e.ID], 2, e.ID)
	}
	requireEqual(t, events, records)
}
