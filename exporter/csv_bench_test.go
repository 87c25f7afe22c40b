package exporter

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// benchBody is an export of rows of about 320 bytes in 12 columns; a share of them has a quoted field, as a user agent with a comma does.
func benchBody(rows int, quoted float64) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString("event_id,event_time,action_name,user_id,user_name,user_agent,source_ip,resource_name,resource_id,compute_region,client_chain,source_client\r\n")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		agent := "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML like Gecko) Chrome/126.0"
		if rnd.Float64() < quoted {
			agent = `"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like ""Gecko"") Chrome/126"`
		}
		fmt.Fprintf(&b, "%08x-9c0e-4a53-8f0b-%012x,%s,session.create,usr_%020d,someone%03d@example.com,%s,203.0.113.%d,notebook-%d,res_%024d,aws-us-west-2,web>api,web-console\r\n",
			i, rnd.Int64N(1<<40), at.Add(time.Duration(i)*time.Millisecond).Format("2006-01-02T15:04:05.000000Z"), i%977, i%1000, agent, i%256, i%10000, rnd.Int64N(1<<40))
	}
	return b.Bytes()
}

const benchRows = 20_000

func BenchmarkDecoder(b *testing.B) {
	for _, quoted := range []float64{0, 0.1, 0.5, 1} {
		text := benchBody(benchRows, quoted)
		b.Run(fmt.Sprintf("quoted=%g%%/decoder", quoted*100), func(b *testing.B) {
			d := newDecoder()
			var r row
			benchDecode(b, text, func(body io.Reader) {
				d.reset(body, time.Time{})
				if _, err := d.header(); err != nil {
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
	for _, text := range []string{"2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59.123456+00:00", "2026-01-31 23:59:59.123456"} {
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
