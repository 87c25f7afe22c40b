package exporter

import (
	"fmt"
	"testing"
)

// BenchmarkShape measures encoding alone. In the pipeline it is a part: the ratio between schemas there is smaller.
func BenchmarkShape(b *testing.B) {
	actions := []string{"api_key_created", "job_run_created", "job_run_cancelled", "file_uploaded", "user_login", "notebook_deleted", "catalog_table_updated"}
	var rows []*row
	for i := range 1000 {
		c := schemaCase{fields: []string{
			fmt.Sprintf("0c9c6d6e-7d5c-4a6b-9f5e-%012d", i), "2026-03-04T05:06:07.890123Z", actions[i%len(actions)], fmt.Sprintf("user-%08d", i%50),
			fmt.Sprintf("person%d@example.com", i%50), "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36",
			fmt.Sprintf("203.0.113.%d", i%256), fmt.Sprintf("resource %d", i%300), fmt.Sprintf("res-%08d", i%300), "aws-us-west-2", "console>gateway", "console",
		}}
		rows = append(rows, c.row(b))
	}
	for _, schema := range allSchemas {
		b.Run(string(schema), func(b *testing.B) {
			shape := newShape(schema, rows[0].columns)
			buffer := make([]byte, 0, 4<<20)
			b.ReportAllocs()
			written := 0
			for i := 0; b.Loop(); i++ {
				if i%len(rows) == 0 {
					buffer = buffer[:0]
				}
				before := len(buffer)
				buffer = shape.append(buffer, rows[i%len(rows)])
				written += len(buffer) - before
			}
			b.ReportMetric(float64(written)/float64(b.N), "B/row")
		})
	}
}
