package exporter

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A record is the same whatever room there is behind it, and whatever lies behind its fields: how they are copied depends on both.
func TestARecordIsTheSameWhateverRoomThereIs(t *testing.T) {
	columns, ok := newColumns(append(slices.Clone(columnNames[:]), "one more", strings.Repeat("long_name", 5)))
	require.True(t, ok)
	for name, value := range map[string]func(place int) string{
		"short":                 func(place int) string { return strings.Repeat("x", place) },
		"around 32":             func(place int) string { return strings.Repeat("x", 25+place) },
		"around 64":             func(place int) string { return strings.Repeat("x", 57+place) },
		"around 128, then long": func(place int) string { return strings.Repeat("x", 40*place) },
		"every other empty":     func(place int) string { return strings.Repeat("x", place%2*20) },
		"long, then short":      func(place int) string { return strings.Repeat("x", max(3, 400-50*place)) },
		"not ASCII":             func(place int) string { return strings.Repeat("é", place) + "\xff" },
	} {
		t.Run(name, func(t *testing.T) {
			r := row{columns: columns, time: time.Unix(1, 0).UTC()}
			for place := range columns.names {
				field := make([]byte, 0, 4096)
				r.fields = append(r.fields, append(field, value(place)...))
			}
			r.ascii = isASCII(bytes.Join(r.fields, nil))
			for _, schema := range allSchemas {
				shape := newShape(schema, columns)
				want := bytes.Clone(shape.append(make([]byte, 0, 64<<10), &r))
				clipped := r
				clipped.fields = nil
				for _, field := range r.fields {
					clipped.fields = append(clipped.fields, slices.Clip(bytes.Clone(field)))
				}
				for room := range len(want) + len(columns.names)*entryRoom + 100 {
					before := append(make([]byte, 0, 3+room), "abc"...)
					for _, r := range []*row{&r, &clipped} {
						got := shape.append(before, r)
						if !bytes.Equal(got[:3], []byte("abc")) || !bytes.Equal(got[3:], want) {
							t.Fatalf("%s with room for %d bytes: %q, want %q", schema, room, got, want)
						}
					}
				}
			}
		})
	}
}
