package csv

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const benchRows = 20_000

func BenchmarkDecoder(b *testing.B) {
	for _, quoted := range []float64{0, 0.1, 0.5, 1} {
		text := exportertest.Body(benchRows, quoted)
		b.Run(fmt.Sprintf("quoted=%g%%/decoder", quoted*100), func(b *testing.B) {
			d := New()
			var r event.Row
			benchDecode(b, text, func(body io.Reader) {
				d.Reset(body, time.Time{})
				if _, err := d.Header(); err != nil {
					b.Fatal(err)
				}
				for d.next(&r) == nil {
				}
			})
		})
		b.Run(fmt.Sprintf("quoted=%g%%/encoding-csv", quoted*100), func(b *testing.B) {
			benchDecode(b, text, func(body io.Reader) {
				reader := csv.NewReader(body)
				reader.ReuseRecord = true
				for _, err := reader.Read(); err == nil; {
					record, err := reader.Read()
					if err != nil {
						break
					}
					_, _ = time.Parse(time.RFC3339Nano, record[1]) // the decoder reads the time too
				}
			})
		})
	}
}

func benchDecode(b *testing.B, text []byte, decode func(io.Reader)) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		decode(bytes.NewReader(text))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkParseEventTime(b *testing.B) {
	for _, text := range []string{
		"2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59.123456+00:00", "2026-01-31 23:59:59.123456",
	} {
		b.Run(text, func(b *testing.B) {
			field := []byte(text)
			for b.Loop() {
				if _, ok := parseEventTime(field); !ok {
					b.Fatal("unreadable")
				}
			}
		})
		b.Run(text+"/general", func(b *testing.B) {
			field := []byte(text)
			for b.Loop() {
				if _, ok := parseAnyTime(field); !ok {
					b.Fatal("unreadable")
				}
			}
		})
	}
}
