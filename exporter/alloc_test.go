package exporter

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A row costs no allocation on its whole way from the body to the batch: not when it is new, not when it is
// known, in no schema. This is what keeps the garbage collector out of the engine.
func TestARowAllocatesNothing(t *testing.T) {
	const rows = 2000
	text := exportertest.Body(rows, 0.5)
	for _, shape := range allSchemas {
		t.Run(string(shape), func(t *testing.T) {
			p := newRowPath(t, shape, bytes.NewReader(text))
			drain(t, p, dedup.Fresh)
			p.open(t, bytes.NewReader(text))
			requireNoAllocation(t, p, dedup.Known, rows)

			p.seen = new(dedup.Seen)
			p.seen.Reserve(rows)
			p.open(t, bytes.NewReader(text))
			requireNoAllocation(t, p, dedup.Fresh, rows)
		})
	}
}

// requireNoAllocation takes half of the rows twice, each of which must be as wanted. All together may
// allocate nothing: an average would hide what happens now and then.
func requireNoAllocation(t *testing.T, p *rowPath, want dedup.Sighting, rows int) {
	t.Helper()
	allocations := testing.AllocsPerRun(1, func() { // it runs once more, to warm up
		for taken := 0; taken < rows/2-dedup.Group; {
			n, err := p.step(want)
			if err != nil {
				t.Fatal(err)
			}
			taken += n
		}
	})
	require.Zero(t, allocations, "allocations of %d rows", rows/2)
}
