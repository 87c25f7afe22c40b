package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// rowPath is what happens to each row between the body and the batch, without the network and the goroutines.
type rowPath struct {
	decoder    *decoder
	identifier *identifier
	seen       *seen
	shape      *program
	uncounted  *uncounted
	batch      []byte
	group      group
}

func newRowPath(tb testing.TB, schema Schema, body io.Reader) *rowPath {
	tb.Helper()
	p := &rowPath{decoder: newDecoder(), identifier: newIdentifier(make([]byte, 16)), seen: new(seen), uncounted: newUncounted(), batch: make([]byte, 0, 8_000_000)}
	columns := p.open(tb, body)
	p.shape = newShape(schema, columns)
	return p
}

// open begins a body that has the columns of the first one.
func (p *rowPath) open(tb testing.TB, body io.Reader) *columns {
	tb.Helper()
	p.decoder.reset(body, time.Time{})
	columns, err := p.decoder.header()
	if err != nil {
		tb.Fatal(err)
	}
	p.identifier.begin(columns)
	return columns
}

// step takes one group of rows, each of which must be as wanted; known rows are not encoded, as in production.
func (p *rowPath) step(want sighting) (rows int, err error) {
	n, err := p.decoder.rows(p.group.rows[:])
	if err != nil {
		return 0, err
	}
	return n, p.group.each(p.identifier, p.seen, n, func(r *row, who identity) error {
		if got := p.seen.mark(who, r.time, 1); got != want {
			return fmt.Errorf("line %d: sighting %d", r.line, got)
		}
		if want == known {
			return nil
		}
		if len(p.batch) > 7_900_000 {
			p.batch = p.batch[:0]
		}
		p.batch = p.shape.append(appendEventHeader(p.batch, r.time), r)
		p.uncounted.add(1, who.id, minuteOf(r.time))
		return nil
	})
}

// BenchmarkRowPath measures all steps of a row, each row being new to seen, and then again being known.
func BenchmarkRowPath(b *testing.B) {
	const rows = 200_000
	text := exportertest.Body(rows, 0.5)
	for _, schema := range allSchemas {
		for _, verdict := range []sighting{fresh, known} {
			name := string(schema) + map[sighting]string{fresh: "/fresh", known: "/known"}[verdict]
			b.Run(name, func(b *testing.B) {
				p := newRowPath(b, schema, bytes.NewReader(text))
				if verdict == known {
					drain(b, p, fresh)
				}
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					p.open(b, bytes.NewReader(text))
					if verdict == fresh {
						p.seen = new(seen)
					}
					drain(b, p, verdict)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}

func drain(tb testing.TB, p *rowPath, want sighting) {
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
