package schema

import (
	"bytes"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// BenchmarkShape measures encoding alone, of rows as the decoder gives them. In the pipeline it is a part:
// the ratio between schemas there is smaller.
func BenchmarkShape(b *testing.B) {
	rows := make([]event.Row, 1000) // that the decoder's buffer holds all at once
	d := csv.New()
	d.Reset(bytes.NewReader(exportertest.Body(len(rows), 0.5)), time.Time{})
	columns, err := d.Header()
	for n := 0; n < len(rows) && err == nil; {
		var more int
		more, err = d.Rows(rows[n:])
		n += more
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, schema := range allSchemas {
		b.Run(string(schema), func(b *testing.B) {
			shape := New(schema, columns)
			buffer := make([]byte, 0, 4<<20)
			b.ReportAllocs()
			written := 0
			for i := 0; b.Loop(); i++ {
				if i%len(rows) == 0 {
					buffer = buffer[:0]
				}
				before := len(buffer)
				buffer = shape.Append(buffer, &rows[i%len(rows)])
				written += len(buffer) - before
			}
			b.ReportMetric(float64(written)/float64(b.N), "B/row")
		})
	}
}
