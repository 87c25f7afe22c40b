package exporter

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A template must be right for every row that it is taken for, whatever was in the row that it was made of.
func TestTemplatesWriteWhatStepsWrite(t *testing.T) {
	value := rapid.OneOf(
		rapid.SampledFrom([]string{"", "", "10.1.2.3", "::1", "1.2.3", "a@b.c", "ada@example.com", "job_run_started", "Access Denied", "Frobnicate", "\xff", "é"}),
		rapid.StringN(25, 140, 300),
	)
	rapid.Check(t, func(rt *rapid.T) {
		header := append(columnNames[:len(columnNames):len(columnNames)], "one more", strings.Repeat("long", 9))
		columns, ok := newColumns(rapid.Permutation(header).Draw(rt, "order"))
		require.True(t, ok)
		schema := rapid.SampledFrom(allSchemas).Draw(rt, "schema")
		shape := newShape(schema, columns).(*program)
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
			r := &row{columns: columns, fields: fields, time: caseTime.AddDate(-10*i, 0, i), ascii: isASCII(bytes.Join(fields, nil))}
			if rapid.IntRange(0, 9).Draw(rt, "ragged") == 0 {
				r.fields = fields[:rapid.IntRange(0, len(fields)).Draw(rt, "fields")]
			}
			want := write(nil, r, shape.good, nil)
			require.Equal(t, want, shape.append(nil, r), "%s, to no room: %q", schema, fields)
			require.Equal(t, want, shape.append(make([]byte, 0, 16<<10), r), "%s: %q", schema, fields)
		}
	})
}

// Rows for which there is no template are written all the same.
func TestRowsWithoutATemplate(t *testing.T) {
	for _, schema := range allSchemas {
		t.Run(string(schema)+", more than are remembered", func(t *testing.T) {
			header := columnNames[:len(columnNames):len(columnNames)]
			for i := range 12 {
				header = append(header, fmt.Sprint("extra ", i))
			}
			columns, _ := newColumns(header)
			shape := newShape(schema, columns).(*program)
			for bits := range 1 << 12 {
				r := schemaCase{header: header, fields: make([]string, len(header))}.row(t)
				for i := range 12 {
					if bits>>i&1 > 0 {
						r.fields[len(columnNames)+i] = []byte("x")
					}
				}
				require.Equal(t, write(nil, r, shape.good, nil), shape.append(nil, r))
			}
			require.Len(t, shape.templates.known, maxTemplates)
		})
		t.Run(string(schema)+", with more columns than bits", func(t *testing.T) {
			header := columnNames[:len(columnNames):len(columnNames)]
			for i := range maxVariantBits {
				header = append(header, fmt.Sprint("extra ", i))
			}
			columns, _ := newColumns(header)
			shape := newShape(schema, columns).(*program)
			for i := range header {
				r := schemaCase{header: header, fields: make([]string, len(header))}.row(t)
				r.fields[i] = []byte("x")
				require.Equal(t, write(nil, r, shape.good, nil), shape.append(nil, r))
			}
			require.Empty(t, shape.templates.known)
		})
	}
}
