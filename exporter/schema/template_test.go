package schema

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// A template must be right for every row that it is taken for, whatever was in the row that it was made of.
func TestTemplatesWriteWhatStepsWrite(t *testing.T) {
	value := rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "", "10.1.2.3", "::1", "1.2.3", "a@b.c", "ada@example.com", "job_run_started", "delete_db", "Access Denied",
			"Frobnicate", "\xff", "é",
		}),
		rapid.StringN(25, 140, 300),
	)
	rapid.Check(t, func(rt *rapid.T) {
		header := append(
			event.ColumnNames[:len(event.ColumnNames):len(event.ColumnNames)], "one more",
			strings.Repeat("long", 9),
		)
		columns, ok := event.NewColumns(rapid.Permutation(header).Draw(rt, "order"))
		require.True(t, ok)
		schema := rapid.SampledFrom(allSchemas).Draw(rt, "schema")
		shape := New(schema, columns)
		usual := rapid.SliceOfN(value, len(header), len(header)).Draw(rt, "usual")
		for i := range 20 {
			fields := make([][]byte, len(header))
			for place := range fields {
				if text := usual[place]; rapid.IntRange(0, 2).Draw(rt, "own") > 0 {
					fields[place] = []byte(text)
				} else {
					fields[place] = []byte(value.Draw(rt, "value"))
				}
			}
			r := &event.Row{
				Columns: columns, Fields: fields, Time: caseTime.AddDate(-10*i, 0, i),
				ASCII: event.IsASCII(bytes.Join(fields, nil)),
			}
			if rapid.IntRange(0, 9).Draw(rt, "ragged") == 0 {
				r.Fields = fields[:rapid.IntRange(0, len(fields)).Draw(rt, "fields")]
			}
			steps := shape
			if shape.fine != nil {
				steps = shape.fine.encoder(r) // of the action's class
			}
			want := write(nil, r, steps.good, nil)
			require.Equal(t, want, shape.Append(nil, r), "%s, to no room: %q", schema, fields)
			require.Equal(t, want, shape.Append(make([]byte, 0, 16<<10), r), "%s: %q", schema, fields)
		}
	})
}

// Rows for which there is no template any more are written all the same.
func TestMoreTemplatesThanAreKept(t *testing.T) {
	for _, schema := range []Name{ECS, OCSF} {
		columns, _ := event.NewColumns(knownHeader)
		shape := New(schema, columns)
		for bits := range 1 << event.NumColumns {
			r := schemaCase{fields: make([]string, event.NumColumns)}.row(t)
			for i := range event.NumColumns {
				if bits>>i&1 > 0 {
					r.Fields[i] = []byte("x")
				}
			}
			require.Equal(t, write(nil, r, shape.good, nil), shape.Append(nil, r))
		}
		require.LessOrEqual(t, len(shape.templates.known), maxTemplates)
	}
}

// What the source sends must not decide how much memory templates take: there may be any number of columns
// that nobody knows, with any names.
func TestUnknownColumnsNeedNoTemplatesOfTheirOwn(t *testing.T) {
	header := event.ColumnNames[:event.NumColumns:event.NumColumns]
	for i := range 300 {
		header = append(header, fmt.Sprint("extra ", i, strings.Repeat(" long", i)))
	}
	columns, _ := event.NewColumns(header)
	for _, schema := range allSchemas {
		shape := New(schema, columns)
		if shape.fine != nil {
			shape = shape.fine.encoder(&event.Row{Columns: columns}) // of these rows, which have no action
		}
		for n := range 500 {
			r := schemaCase{header: header, fields: make([]string, len(header))}.row(t)
			for i := range r.Fields {
				if i == int(event.EventTime) || i == int(event.ClientChain) || i >= int(event.NumColumns) && (n+3)*i%7 < n%5 {
					r.Fields[i] = []byte("x")
				}
			}
			require.Equal(t, write(nil, r, shape.good, nil), shape.Append(nil, r))
		}
		require.Equal(t, 1, len(shape.templates.known), schema)
		for _, template := range shape.templates.known {
			size := 0
			for _, part := range template {
				size += len(part.fixed) + len(part.texts)*int(unsafe.Sizeof(textEntry{}))
			}
			require.Less(t, size, 2000, schema)
		}
	}
}
