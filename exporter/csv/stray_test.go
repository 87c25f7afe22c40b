package csv

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A row that a stray quote took in is known by its fields, quoted ones and their commas included, and behind
// blank lines.
func TestAStrayQuoteTakesInNoRowWithQuotedFields(t *testing.T) {
	for name, between := range map[string]string{"at once": "", "behind blank lines": "\n\r\n"} {
		text := threeColumns + "1," + noon + ",\"a\n" + between + "2," + noon + ",\"b,c\"\n"
		for chunking, r := range exportertest.Chunkings(text) {
			rows, err := decodeWith(New(), r)
			require.Equal(t, io.EOF, err, chunking)
			require.Equal(t, []decoded{
				wrong(2, unclosed, "1,"+noon+`,"a`, atNoon, "1", noon, `"a`),
				good(3+strings.Count(between, "\n"), "2", noon, "b,c"),
			}, rows, "%s, %s", name, chunking)
		}
	}
}

// A line that begins as a row and has another open quote is none: the two lines stay together.
func TestALineWithAnOpenQuoteIsNoRowToBeTakenIn(t *testing.T) {
	text := "event_time,action_name\n" + noon + ",\"evil\n" + noon + ",a,\"x,y\n" + noon + ",b\n"
	rows, err := decodeWith(New(), strings.NewReader(text))
	require.Equal(t, io.EOF, err)
	require.Len(t, rows, 2)
	require.Equal(t, noon+",\"evil\n"+noon+",a,\"x,y", rows[0].raw)
	require.Equal(t, good(4, noon, "b"), rows[1])
}
