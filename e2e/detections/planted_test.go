package detections

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/sigma"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// planted is an event, or what the plugin says of itself, with its records in every schema.
type planted struct {
	id      string
	records map[schema.Name]map[string]any
}

// raw is what the rules are written to.
func (p planted) raw() map[string]any { return p.records[schema.Raw] }

// plant makes every operation of the vendor in every spelling, at night and by day, from within and without; some
// deletions by somebody who deletes little; and every kind of status event.
func plant(t *testing.T) (all []planted) {
	t.Helper()
	add := func(action, user, address string, hour int) {
		all = append(all, plantEvent(t, "planted-"+strconv.Itoa(len(all)), action, user, address, hour))
	}
	for _, o := range operations.Read(t, filepath.Join(root, "exporter", "action", "testdata", "operations.tsv")) {
		for _, name := range o.Spellings(t) {
			add(name, "u-17", "203.0.113.7", 3)
		}
		add(o.Name, "u-17", "10.1.2.3", 12)
		add(o.Name, "u-17", "2001:db8::7", 20)
		add(o.Name, "u-17", "fd00::7", 6)
	}
	for range 9 {
		add("file_deleted", "u-18", "203.0.113.8", 12)
	}
	text, err := os.ReadFile(filepath.Join(root, "exporter", "schema", "status.go"))
	require.NoError(t, err)
	kinds := regexp.MustCompile(`Kind += "(\w+)"`).FindAllSubmatch(text, -1)
	require.Greater(t, len(kinds), 10)
	for _, kind := range kinds {
		status := schema.Status{
			Kind: schema.Kind(kind[1]), Time: time.Now(), Message: "something about the collection", Version: "1.2.3",
		}
		all = append(all, planted{status.ID(), inEverySchema(t, func(name schema.Name) []byte {
			return schema.AppendStatus(nil, name, status)
		})})
	}
	return all
}

// plantEvent is an event that arrives now; its own time matters to rules that look at the hour.
func plantEvent(t *testing.T, id, action, user, address string, hour int) planted {
	t.Helper()
	values := map[string]string{
		"event_id": id, "action_name": action, "user_id": user, "user_name": user + "@example.com", "source_ip": address,
		"event_time": time.Date(2026, 3, 4, hour, 20, 30, 0, time.UTC).Format(time.RFC3339Nano),
	}
	var header []string
	var fields [][]byte
	for _, name := range slices.Sorted(maps.Keys(values)) {
		header, fields = append(header, name), append(fields, []byte(values[name]))
	}
	columns, ok := event.NewColumns(header)
	require.True(t, ok)
	row := &event.Row{Columns: columns, Fields: fields, Time: time.Now()}
	return planted{id, inEverySchema(t, func(name schema.Name) []byte {
		return schema.New(name, columns).Append(nil, row)
	})}
}

func inEverySchema(t *testing.T, encode func(schema.Name) []byte) map[schema.Name]map[string]any {
	t.Helper()
	all := make(map[schema.Name]map[string]any)
	for _, name := range []schema.Name{schema.Raw, schema.ECS, schema.OCSF, schema.OCSFFine} {
		all[name] = records.Record(t, encode(name))
	}
	return all
}

// meant are the ids that a rule is to find: of a correlation, those that it counts.
func meant(t *testing.T, file string, all []planted) (ids []string) {
	t.Helper()
	rule := sigma.Read(t, conf("sigma", file))[0]
	for _, p := range all {
		isStatus := p.raw()["record_type"] != nil
		if isStatus == (rule.Logsource.Service == "status") && rule.Fires(t, p.raw()) {
			ids = append(ids, p.id)
		}
	}
	require.NotEmpty(t, ids, file)
	require.Less(t, len(ids), len(all), file)
	return ids
}
