package csv

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const (
	errorBehind = `{"errors":[{"code":"TIMEOUT_ERROR","message":"query was cancelled"}],"requestId":"r"}`
	unclosed    = "has a quote that is not closed in its line"
)

var doubtfulEnds = map[string]struct {
	body string // behind the header and a good row
	text string // that is doubted
	torn bool
	says string
	want []decoded // behind that row
}{
	"an unclosed quote": {
		"2," + noon + ",\"evil\n3," + noon + ",c\n4," + noon + ",d\n", "2," + noon + ",\"evil\n", true,
		"inside the row that begins in line 3",
		[]decoded{
			wrong(3, unclosed, "2,"+noon+`,"evil`, atNoon, "2", noon, `"evil`), good(4, "3", noon, "c"),
			good(5, "4", noon, "d"),
		},
	},
	"an unclosed quote and a comma": {
		"2," + noon + ",\"evil,x\r\n3," + noon + ",c\r\n", "2," + noon + ",\"evil,x\r\n", true,
		"inside the row that begins in line 3",
		[]decoded{
			wrong(3, unclosed+"; has 4 fields, the header 3", "2,"+noon+`,"evil,x`, atNoon, "2", noon, `"evil`),
			good(4, "3", noon, "c"),
		},
	},
	"a footer": {"Total,20", "Total,20", true, "in line 3, after 2 of 3 fields", []decoded{
		wrong(
			3, `has 2 fields, the header 3; event_time "20" is no time that can be read`, "Total,20",
			atWindowEnd, "Total", "20",
		),
	}},
	"the end of a text in DOS": {"\x1a", "\x1a", true, "in line 3, after 1 of 3 fields", []decoded{
		wrong(3, "has 1 fields, the header 3", "\x1a", atWindowEnd, "\x1a"),
	}},
	"a text": {
		"upstream error\n \n", "upstream error\n", false,
		"line 3, which is the last one, has 1 of 3 fields",
		[]decoded{
			wrong(3, "has 1 fields, the header 3", "upstream error", atWindowEnd, "upstream error"),
		},
	},
	"an error": {"{\"errors\":[]}\n", "{\"errors\":[]}\n", false, "the body is not an export", []decoded{
		wrong(
			3, "field 1 has a quote, but does not begin with one; has 1 fields, the header 3", `{"errors":[]}`,
			atWindowEnd, `{"errors":[]}`,
		),
	}},
	"a page": {
		"<html>\n<body>\n", "<html>\n", false,
		"line 3: the body is not an export: it begins with <html>",
		[]decoded{
			wrong(3, "has 1 fields, the header 3", "<html>", atWindowEnd, "<html>"),
			wrong(4, "has 1 fields, the header 3", "<body>", atWindowEnd, "<body>"),
		},
	},
}

func TestADoubtfulEnd(t *testing.T) {
	for name, test := range doubtfulEnds {
		t.Run(name, func(t *testing.T) {
			for _, believed := range []bool{false, true} {
				for chunking, r := range exportertest.Chunkings(threeColumns + "1," + noon + ",a\n" + test.body) {
					d, asked := New(), 0
					d.Reset(r, atWindowEnd)
					d.Believe = func(end End) bool {
						require.Equal(t, test.text, string(end.Text), chunking)
						require.Equal(t, test.torn, end.Torn, chunking)
						asked++
						return believed
					}
					rows, err := decodeAll(d)
					require.Equal(t, 1, asked, chunking)
					want := []decoded{good(2, "1", noon, "a")}
					if believed {
						require.Equal(t, io.EOF, err, chunking)
						require.Equal(t, append(want, test.want...), rows, chunking)
						continue
					}
					require.ErrorContains(t, err, test.says, chunking)
					require.Equal(t, want, rows, chunking)
				}
			}
		})
	}
}

// What is an error with 200 is one behind rows too, and has the same class.
func TestAnErrorBehindRowsIsWhatItsCodeSays(t *testing.T) {
	for _, header := range []string{threeColumns, "event_id,event_time,action_name,x,y\n"} {
		d := New()
		d.Reset(strings.NewReader(header+errorBehind+"\n"), atWindowEnd)
		d.Believe = func(end End) bool { require.True(t, end.Foreign); return false }
		_, err := decodeAll(d)
		require.ErrorIs(t, err, body.ErrNoExport)
		require.ErrorContains(t, err, "TIMEOUT_ERROR: query was cancelled")
	}
}

// Two quotes that nobody closes take in the rows between them, and the second is followed by text.
func TestStrayQuotesTakeInNoRows(t *testing.T) {
	body := threeColumns + "1," + noon + ",\"evil\n2," + noon + ",b\n3," + noon + ",\"evil\n4," +
		noon + ",d\n5," + noon + ",\"e\"\n"
	for chunking, r := range exportertest.Chunkings(body) {
		rows, err := decodeWith(New(), r)
		require.Equal(t, io.EOF, err, chunking)
		require.Equal(t, []decoded{
			wrong(2, unclosed, "1,"+noon+`,"evil`, atNoon, "1", noon, `"evil`), good(3, "2", noon, "b"),
			wrong(4, unclosed, "3,"+noon+`,"evil`, atNoon, "3", noon, `"evil`), good(5, "4", noon, "d"), good(6, "5", noon, "e"),
		}, rows, chunking)
	}
}

// What somebody chose stays inside a field that is quoted as it should be, even if its row is wrong otherwise.
func TestAQuotedTextMakesNoRow(t *testing.T) {
	forged := "\"x\nforged," + noon + ",a\ny\""
	for row, bad := range map[string]bool{
		"1," + noon + "," + forged: false, "1," + noon + "," + forged + ",more": true,
		"1,never," + forged: true,
	} {
		rows, err := decodeWith(New(), strings.NewReader(threeColumns+row+"\n2,"+noon+",b\n"))
		require.Equal(t, io.EOF, err)
		require.Len(t, rows, 2, row)
		require.Equal(t, bad, rows[0].bad != "")
		require.Equal(t, good(5, "2", noon, "b"), rows[1])
	}
}

// However much a stray quote takes in, the rows in it are read.
func TestAStrayQuoteBeforeMoreThanTheLongestRow(t *testing.T) {
	const rows = 1000
	d := decoderWith(64, 4096)
	d.Reset(strings.NewReader(threeColumns+"1,"+noon+",\"evil\n"+strings.Repeat("2,"+noon+",b\n", rows)), atWindowEnd)
	d.Believe = func(End) bool { return false }
	got, err := decodeAll(d)
	require.Equal(t, io.EOF, err)
	require.Len(t, got, 1+rows)
	require.Equal(t, unclosed, got[0].bad)
}
