package csv

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A row that does not fit the buffer makes it grow, and the buffer is given back.
func TestDecoderLongField(t *testing.T) {
	for name, field := range map[string]string{
		"plain":   strings.Repeat("0123456789abcdef", 10<<16),
		"quoted":  `"` + strings.Repeat("01234\n,89abcdef", 10<<16) + `"`,
		"doubled": `"` + strings.Repeat(`""`, 5<<20) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			d := New()
			body := threeColumns + "1," + noon + "," + field + "\n2," + noon + ",b\n"
			d.Reset(
				&exportertest.RandomChunks{Reader: strings.NewReader(body), Random: rand.New(rand.NewPCG(1, 2)), Max: 64 << 10},
				atWindowEnd,
			)
			rows, err := decodeAll(d)
			require.Equal(t, io.EOF, err)
			require.Len(t, rows, 2)
			want := strings.ReplaceAll(strings.Trim(field, `"`), `""`, `"`)
			if name == "doubled" {
				want = strings.Repeat(`"`, 5<<20)
			}
			assert.True(t, want == rows[0].fields[2], "the field is another")
			assert.Empty(t, rows[0].bad)
			assert.Equal(t, "b", rows[1].fields[2])
			assert.Equal(t, 3+strings.Count(field, "\n"), rows[1].line)
			assert.Len(t, d.buf, readBytes, "the buffer must be given back")
		})
	}
}

func TestDecoderRowLongerThanLimit(t *testing.T) {
	const limit = 4096
	long := strings.Repeat("x", 3*limit)
	complaint := "is longer than 4096 bytes; of its text only the first 2048 are kept"
	for name, test := range map[string]struct {
		row    string
		fields []string
		at     time.Time
		lines  int
		err    error // at the row, when nothing follows it
	}{
		"plain":         {row: "1," + noon + "," + long, fields: []string{"1", noon}, at: atNoon, lines: 1},
		"time after it": {row: "1," + long + ",a", fields: []string{"1"}, at: atWindowEnd, lines: 1},
		"first":         {row: long + "," + noon + ",a", at: atWindowEnd, lines: 1},
		"quoted": {
			row: "1," + noon + ",\"" + long + "\n,\"\"\n" + long + "\"", fields: []string{"1", noon},
			at: atNoon, lines: 3,
		},
		"doubled before": {row: `"1""2",` + noon + "," + long, fields: []string{`1"2`, noon}, at: atNoon, lines: 1},
		"wrong as well": {
			row: "1," + noon + "," + long + `,"4`, fields: []string{"1", noon}, at: atNoon,
			err: body.ErrCut, lines: -1,
		},
		"too few fields": {row: long + "," + noon, at: atWindowEnd, lines: 1, err: body.ErrCut},
		"only doubled": {
			row: "1," + noon + ",\"" + strings.Repeat(`""`, limit) + "\"", fields: []string{"1", noon},
			at: atNoon, lines: 1,
		},
		"many commas": {
			row: "1," + noon + strings.Repeat(",", 2*limit), fields: []string{"1", noon, ""}, at: atNoon,
			lines: 1, err: body.ErrCut,
		},
		"quote at the cut": {
			row:    "1," + noon + ",\"" + strings.Repeat("x", 2047-len("1,"+noon+",\"")) + `""` + long + "\"",
			fields: []string{"1", noon}, at: atNoon, lines: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []string{"\n", "\r\n", ""} {
				body := threeColumns + test.row + end
				if end != "" && test.lines > 0 {
					body += "2," + noon + ",b\n"
				}
				for chunking, r := range exportertest.Chunkings(body) {
					d := New()
					d.maxRow = limit
					d.Reset(r, atWindowEnd)
					rows, err := decodeAll(d)
					if test.err != nil && end == "" || test.lines < 0 {
						assert.ErrorIs(t, err, test.err, chunking)
						assert.Empty(t, rows, chunking)
						continue
					}
					require.Equal(t, io.EOF, err, chunking)
					require.Equal(t, wrong(2, complaint, test.row[:2048], test.at, test.fields...), rows[0], chunking)
					if end != "" {
						assert.Equal(t, good(2+test.lines, "2", noon, "b"), rows[1], chunking)
					}
				}
			}
		})
	}
}

// The limits as they are: 100 MiB in one row pass through 32 MiB.
func TestDecoderRowLongerThanMaxRowBytes(t *testing.T) {
	d := New()
	long := io.LimitReader(&exportertest.Endless{Text: "0123456789,\"\"\n"}, 100<<20)
	d.Reset(
		io.MultiReader(strings.NewReader(threeColumns+"1,"+noon+",\""), long, strings.NewReader("x\"\n2,"+noon+",b\n")),
		atWindowEnd,
	)
	_, err := d.Header()
	require.NoError(t, err)
	var r event.Row
	require.NoError(t, d.next(&r))
	assert.Equal(t, "is longer than 33554432 bytes; of its text only the first 65536 are kept", r.Bad)
	assert.Len(t, r.Raw, 64<<10)
	assert.Equal(t, "1", string(r.Value(event.EventID)))
	assert.Len(t, d.buf, maxRowBytes)
	require.NoError(t, d.next(&r))
	assert.Equal(t, "b", string(r.Value(event.ActionName)))
	assert.Equal(t, io.EOF, d.next(&r))
	assert.Len(t, d.buf, readBytes)
}

// A response that its reader abandons in the middle of a long row gives the buffer back as well.
func TestDecoderResetGivesBack(t *testing.T) {
	d := New()
	d.Reset(strings.NewReader(threeColumns+"1,"+noon+","+strings.Repeat("x", 2*readBytes)+"\n2,"), atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	require.NoError(t, d.next(new(event.Row)))
	require.Greater(t, len(d.buf), readBytes)
	d.Reset(nil, atWindowEnd)
	assert.Len(t, d.buf, readBytes)
}

// The time it takes a body in small pieces to make a long row must not grow with the square of the row's length.
func TestDecoderSplitsLongRowSeldom(t *testing.T) {
	reads := 0
	body := io.MultiReader(
		strings.NewReader(threeColumns+"1,"+noon+",\""),
		&countedReads{io.LimitReader(&exportertest.Endless{Text: "0123456789abcdef"}, 8<<20), &reads},
		strings.NewReader("\"\n"),
	)
	d := New()
	d.Reset(body, atWindowEnd)
	_, err := d.Header()
	require.NoError(t, err)
	fills := 0
	for d.split.split(d.buf[d.start:d.end], d.err == io.EOF) == 0 {
		require.NoError(t, d.fill())
		fills++
	}
	assert.Greater(t, reads, 8<<20/1024-1)
	assert.Less(t, fills, 30)
}

// countedReads gives out a KiB at a time.
type countedReads struct {
	r     io.Reader
	reads *int
}

func (c *countedReads) Read(p []byte) (int, error) {
	*c.reads++
	return c.r.Read(p[:min(len(p), 1024)])
}
