package schema

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

// TestSchemasKeepEveryValue: whatever the source sent is somewhere in the record, in every schema.
func TestSchemasKeepEveryValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := anyRow(rt)
		r := c.row(t)
		for _, schema := range allSchemas {
			written := map[any]bool{}
			for _, values := range leaves(c.record(t, schema)) {
				for _, value := range values {
					written[value] = true
				}
			}
			for place, value := range c.fields {
				inHeader := place < len(r.Columns.Names)
				if value == "" || !inHeader || c.bad != "" && shadowed(r.Columns.Names[place]) {
					continue
				}
				require.True(t, written[cleaned(value)], "%s: %q of %s is lost", schema, value, r.Columns.Names[place])
			}
			if c.bad != "" {
				require.True(t, written[c.bad], "%s: the reason is lost", schema)
				require.True(t, c.raw == "" || written[cleaned(c.raw)], "%s: the text is lost", schema)
			}
		}
	})
}

func shadowed(name string) bool { return name == fieldReason || name == fieldRawLine }

// cleaned replaces each byte that is no UTF-8, as records do.
func cleaned(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

// TestRawRow pins schema raw to its promise: the columns' names, strings, nothing for what is empty, nothing
// of the plugin's own.
func TestRawRow(t *testing.T) {
	c := schemaCase{
		header: []string{"Event Time", "actionName", "NEW-Column", "new column"},
		fields: []string{"2026-03-04T05:06:07Z", "x", "", "y", "beyond the header"},
	}
	require.Equal(
		t, map[string]any{"event_time": "2026-03-04T05:06:07Z", "action_name": "x", "new_column_2": "y"},
		c.record(t, Raw),
	)
	c.bad, c.raw = "5 fields, the header has 4", "the text"
	record := c.record(t, Raw)
	require.Equal(t, "5 fields, the header has 4", record["parse_error"])
	require.Equal(t, "the text", record["raw_line"])
	require.Len(t, record, 5)
}

// Maps that nothing goes to are left out, also when the response has no column for them.
func TestNoMapIsEmpty(t *testing.T) {
	for _, schema := range allSchemas {
		c := schemaCase{header: []string{"event_time", "action_name"}, fields: []string{"2026-03-04T05:06:07Z", "x"}}
		for _, bad := range []string{"", "a reason"} {
			c.bad = bad
			var walk func(path string, value any)
			walk = func(path string, value any) {
				inner, isMap := value.(map[string]any)
				require.False(t, isMap && len(inner) == 0, "%s: %s is empty", schema, path)
				for key, value := range inner {
					walk(path+"."+key, value)
				}
			}
			walk("", c.record(t, schema))
		}
	}
}

// TestTableHasEveryKnownColumn: none goes to the rest because it was forgotten.
func TestTableHasEveryKnownColumn(t *testing.T) {
	var names []string
	for _, f := range auditFields {
		names = append(names, f.name)
	}
	require.Subset(t, names, event.ColumnNames[:])
}

// TestManyColumns crosses the limits at which msgpack's map headers grow.
func TestManyColumns(t *testing.T) {
	for _, more := range []int{13, 14, 253, 254, 65533, 65534} {
		c := schemaCase{header: []string{"event_time", "action_name"}, fields: []string{"t", "a"}}
		for i := range more {
			c.header = append(c.header, fmt.Sprintf("c%d", i))
			c.fields = append(c.fields, "v")
		}
		r := c.row(t)
		require.Len(t, records.Record(t, newRawShape(r.Columns).Append(nil, r)), more+2)
		ecs := records.Record(t, newECSShape(r.Columns).Append(nil, r))
		require.Len(t, ecs["wherobots"].(map[string]any)["audit"], more+1)
		r.Columns.Names[2] = strings.Repeat("long", 20)
		require.Len(t, records.Record(t, newRawShape(r.Columns).Append(nil, r)), more+2)
	}
}

// TestShapesAllocateNothing pins the hot path. Bytes that are no UTF-8 and names that the action cache has no
// room for are no exception.
func TestShapesAllocateNothing(t *testing.T) {
	for _, schema := range allSchemas {
		for _, c := range schemaCases {
			if c.status != nil || c.bad != "" {
				continue
			}
			r := c.row(t)
			shape := New(schema, r.Columns)
			buffer := make([]byte, 0, 1<<16)
			require.Zero(
				t, testing.AllocsPerRun(100, func() { buffer = shape.Append(buffer[:0], r) }), "%s, %s",
				schema, c.name,
			)
		}
		c := schemaCases[0]
		r := c.row(t)
		shape := New(schema, r.Columns)
		buffer := make([]byte, 0, 1<<16)
		name := []byte("action_0000_created")
		r.Fields[event.ActionName] = name
		next := func() {
			for i := 7; i < 11; i++ {
				if name[i]++; name[i] <= '9' {
					break
				}
				name[i] = '0'
			}
			buffer = shape.Append(buffer[:0], r)
		}
		for range maxCachedActions + 10 {
			next()
		}
		require.Zero(t, testing.AllocsPerRun(100, next), "%s with more actions than are remembered", schema)
	}
}

// What the source sends must not decide how much memory remembered actions take.
func TestLongActionsAreNotRemembered(t *testing.T) {
	c := newActionCache(ecsAction)
	for n := range maxCachedActionName + 100 {
		c.append(nil, bytes.Repeat([]byte("x"), n))
	}
	require.Len(t, c.encoded, maxCachedActionName+1)
}
