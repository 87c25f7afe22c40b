package csv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// BenchmarkSlowRows reads rows that quick does not take, or that fill much of a strip.
func BenchmarkSlowRows(b *testing.B) {
	for _, kind := range []struct{ name, row string }{
		{"time that cannot be read", "id,yesterday,login," + strings.Repeat("x", 200)},
		{"stray quote", "id," + noon + ",login,a\"" + strings.Repeat("x", 200)},
		{"5 KB", "id," + noon + ",login," + strings.Repeat("x", 5000)},
		{"18 KB", "id," + noon + ",login," + strings.Repeat("x", 18000)},
	} {
		text := []byte("event_id,event_time,action_name,detail\n" + strings.Repeat(kind.row+"\n", 2000))
		for _, way := range []string{"this processor", "words"} {
			b.Run(fmt.Sprintf("%s/%s", kind.name, way), func(b *testing.B) {
				defer func(has bool) { hasVectors = has }(hasVectors)
				hasVectors = hasVectors && way != "words"
				d := New()
				var group [16]event.Row
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					d.Reset(bytes.NewReader(text), time.Time{})
					if _, err := d.Header(); err != nil {
						b.Fatal(err)
					}
					for err := error(nil); err == nil; _, err = d.Rows(group[:]) {
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/row")
			})
		}
	}
}
