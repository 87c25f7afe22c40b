package csv

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestALoneCREndsRowsWhereItEndsTheHeader(t *testing.T) {
	header := strings.TrimSuffix(threeColumns, "\n")
	for name, text := range map[string]string{
		"all":               header + "\r1," + noon + ",a\r2," + noon + ",\"b\rc\r\nd\"\r",
		"BOM":               "\ufeff" + header + "\r1," + noon + ",a\r2," + noon + ",\"b\rc\r\nd\"\r",
		"CRLF behind":       header + "\r1," + noon + ",a\r\n2," + noon + ",\"b\rc\r\nd\"\r\n",
		"no end at the end": header + "\r1," + noon + ",a\r2," + noon + ",\"b\rc\r\nd\"",
		"quoted header":     "\"event_id\",\"event_time\",\"action_name\"\r1," + noon + ",a\r2," + noon + ",\"b\rc\r\nd\"",
	} {
		for chunking, r := range exportertest.Chunkings(text) {
			rows, err := decodeWith(New(), r)
			require.Equal(t, io.EOF, err, "%s, %s", name, chunking)
			require.Equal(
				t, []decoded{good(2, "1", noon, "a"), good(3, "2", noon, "b\rc\r\nd")}, rows, "%s, %s",
				name, chunking,
			)
		}
	}
}

func TestALoneCRIsDataWhereTheHeaderEndsOtherwise(t *testing.T) {
	header := strings.TrimSuffix(threeColumns, "\n")
	for _, end := range []string{"\n", "\r\n", "\r\r\n"} {
		for chunking, r := range exportertest.Chunkings(header + end + "1\r2," + noon + ",a\n") {
			rows, err := decodeWith(New(), r)
			require.Equal(t, io.EOF, err, chunking)
			require.Equal(t, []decoded{good(2, "1\r2", noon, "a")}, rows, chunking)
		}
	}
}

// Whatever was meant to end the lines: rows are never taken for columns, and so for no rows.
func TestAHeaderWithDataInItIsNoHeader(t *testing.T) {
	header := strings.TrimSuffix(threeColumns, "\n") + ",user_name"
	for _, end := range []string{"\v", "\f", "\x1e", "\u0085", "\u2028", ";", `\n`, " "} {
		_, err := decodeWith(New(), strings.NewReader(header+end+"1,"+noon+",a,x"+end+"2,"+noon+",b,y"+end))
		require.ErrorIs(t, err, body.ErrNoExport, "%q", end)
	}
}

func TestHeaderEnded(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "\n": true, "\r": true, "\r\n": true, "\n1," + noon + ",a": true,
	} {
		d := New()
		_, err := decodeWith(d, strings.NewReader(strings.TrimSuffix(threeColumns, "\n")+text))
		require.Equal(t, io.EOF, err)
		require.Equal(t, want, d.HeaderEnded(), "%q", text)
	}
}
