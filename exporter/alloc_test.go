package exporter

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A row costs no allocation on its whole way from the body to the batch: not when it is new, not when it is known, in no schema. This is
// what keeps the garbage collector out of the engine.
func TestARowAllocatesNothing(t *testing.T) {
	const rows = 2000
	text := exportertest.Body(rows, 0.5)
	for _, schema := range allSchemas {
		t.Run(string(schema), func(t *testing.T) {
			p := newRowPath(t, schema, bytes.NewReader(text))
			drain(t, p, fresh)
			p.open(t, bytes.NewReader(text))
			requireNoAllocation(t, p, known, rows)

			p.seen = new(seen)
			for i := range p.seen.parts { // with room for what comes, as after the last growth
				part := &p.seen.parts[i]
				part.resize(rows)
				for range rows/seenBlockEntries + 1 {
					part.blocks = append(part.blocks, seenBlock{entries: new([seenBlockEntries]seenEntry)})
				}
			}
			p.open(t, bytes.NewReader(text))
			requireNoAllocation(t, p, fresh, rows)
		})
	}
}

// requireNoAllocation takes half of the rows twice, each of which must be as wanted. All together may allocate nothing: an average would
// hide what happens now and then.
func requireNoAllocation(t *testing.T, p *rowPath, want sighting, rows int) {
	t.Helper()
	allocations := testing.AllocsPerRun(1, func() { // it runs once more, to warm up
		for taken := 0; taken < rows/2-rowGroup; {
			n, err := p.step(want)
			if err != nil {
				t.Fatal(err)
			}
			taken += n
		}
	})
	require.Zero(t, allocations, "allocations of %d rows", rows/2)
}
