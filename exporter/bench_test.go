package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// rowPath is what happens to each row between the body and the batch, without the network and the goroutines.
type rowPath struct {
	decoder    *csv.Decoder
	identifier *dedup.Identifier
	seen       *dedup.Seen
	shape      *schema.Encoder
	uncounted  *dedup.Pending
	batch      []byte
	group      group
}

func newRowPath(tb testing.TB, shape schema.Name, body io.Reader) *rowPath {
	tb.Helper()
	p := &rowPath{
		decoder: csv.New(), identifier: dedup.NewIdentifier(make([]byte, 16)), seen: new(dedup.Seen),
		uncounted: dedup.NewPending(), batch: make([]byte, 0, 10_000_000),
	}
	columns := p.open(tb, body)
	p.shape = schema.New(shape, columns)
	return p
}

// open begins a body that has the columns of the first one.
func (p *rowPath) open(tb testing.TB, body io.Reader) *event.Columns {
	tb.Helper()
	p.decoder.Reset(body, time.Time{})
	columns, err := p.decoder.Header()
	if err != nil {
		tb.Fatal(err)
	}
	p.identifier.Begin(columns)
	return columns
}

// step takes one group of rows, each of which must be as wanted; known rows are not encoded, as in production.
func (p *rowPath) step(want dedup.Sighting) (rows int, err error) {
	n, err := p.decoder.Rows(p.group.rows[:])
	if err != nil {
		return 0, err
	}
	return n, p.group.each(p.identifier, p.seen, n, func(r *event.Row, who dedup.Identity) error {
		if got := p.seen.Mark(who, r.Time, 1); got != want {
			return fmt.Errorf("line %d: sighting %d", r.Line, got)
		}
		if want == dedup.Known {
			return nil
		}
		if len(p.batch) > 7_900_000 {
			p.batch = p.batch[:0]
		}
		p.batch = p.shape.Append(schema.AppendEventHeader(p.batch, r.Time), r)
		p.uncounted.Add(1, who.ID, dedup.MinuteOf(r.Time))
		return nil
	})
}

// BenchmarkRowPath measures all steps of a row, each row being new to seen, and then again being known.
func BenchmarkRowPath(b *testing.B) {
	const rows = 200_000
	text := exportertest.Body(rows, 0.5)
	for _, shape := range allSchemas {
		for _, verdict := range []dedup.Sighting{dedup.Fresh, dedup.Known} {
			name := string(shape) + map[dedup.Sighting]string{dedup.Fresh: "/fresh", dedup.Known: "/known"}[verdict]
			b.Run(name, func(b *testing.B) {
				p := newRowPath(b, shape, bytes.NewReader(text))
				if verdict == dedup.Known {
					drain(b, p, dedup.Fresh)
				}
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					p.open(b, bytes.NewReader(text))
					if verdict == dedup.Fresh {
						p.seen = new(dedup.Seen)
					}
					drain(b, p, verdict)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}

func drain(tb testing.TB, p *rowPath, want dedup.Sighting) {
	tb.Helper()
	for {
		switch _, err := p.step(want); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			tb.Fatal(err)
		}
	}
}

func TestAFieldThatIsNoUTF8IsMendedInARowThatTheDecoderReads(t *testing.T) {
	text := "event_time,action_name,user_name\n" +
		"2026-01-01T00:00:00Z,login,plain\n" +
		"2026-01-01T00:00:00Z,login,caf\xe9\n" +
		"2026-01-01T00:00:00Z,login,café\n"
	p := newRowPath(t, schema.Raw, bytes.NewReader([]byte(text)))
	drain(t, p, dedup.Fresh)
	var names []any
	for _, event := range records.Events(t, p.batch) {
		names = append(names, event.Record["user_name"])
	}
	require.Equal(t, []any{"plain", "caf�", "café"}, names)
}
