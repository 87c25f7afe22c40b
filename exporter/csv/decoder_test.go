package csv

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const threeColumns = "event_id,event_time,action_name\n"

var (
	atWindowEnd = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	atNoon      = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

// decoded is a copy of a row.
type decoded struct {
	fields []string
	line   int
	bad    string
	raw    string
	time   time.Time
}

// decodeAll reads what d was reset to.
func decodeAll(d *Decoder) (rows []decoded, err error) {
	if _, err := d.Header(); err != nil {
		return nil, err
	}
	var r event.Row
	for {
		if err := d.next(&r); err != nil {
			return rows, err
		}
		rows = append(rows, copyRow(&r))
	}
}

func copyRow(r *event.Row) decoded {
	c := decoded{line: r.Line, bad: r.Bad, raw: string(r.Raw), time: r.Time}
	for _, field := range r.Fields {
		c.fields = append(c.fields, string(field))
	}
	return c
}

func good(line int, fields ...string) decoded {
	return decoded{fields: fields, line: line, time: atNoon}
}

func wrong(line int, bad, raw string, at time.Time, fields ...string) decoded {
	return decoded{fields: fields, line: line, bad: bad, raw: raw, time: at}
}

const noon = "2026-01-31T12:00:00Z"

var decoderCases = []struct {
	name string
	body string // behind the header
	want []decoded
	err  error // io.EOF unless given
}{
	{name: "no rows"},
	{
		name: "plain", body: "1," + noon + ",a\n2," + noon + ",b\n",
		want: []decoded{good(2, "1", noon, "a"), good(3, "2", noon, "b")},
	},
	{
		name: "CRLF", body: "1," + noon + ",a\r\n2," + noon + ",\r\n",
		want: []decoded{good(2, "1", noon, "a"), good(3, "2", noon, "")},
	},
	{name: "no line end at the end", body: "1," + noon + ",a", want: []decoded{good(2, "1", noon, "a")}},
	{name: "half a line end at the end", body: "1," + noon + ",a\r", want: []decoded{good(2, "1", noon, "a")}},
	{name: "quoted, no line end", body: `"1","` + noon + `","a"`, want: []decoded{good(2, "1", noon, "a")}},
	{name: "all quoted", body: `"1","` + noon + `",""` + "\r\n", want: []decoded{good(2, "1", noon, "")}},
	{name: "commas in quotes", body: `1,` + noon + `,"a,b"` + "\n", want: []decoded{good(2, "1", noon, "a,b")}},
	{name: "doubled quotes", body: `"""","` + noon + `","a""b"""` + "\n", want: []decoded{good(2, `"`, noon, `a"b"`)}},
	{
		name: "line ends and NUL in quotes", body: "\"1\n\",\"" + noon + "\",\"a\r\nb\rc\x00\"\n2," + noon + ",b\n",
		want: []decoded{good(2, "1\n", noon, "a\r\nb\rc\x00"), good(5, "2", noon, "b")},
	},
	{
		name: "lone CR and NUL are data", body: "1\r2," + noon + ",a\x00b\n",
		want: []decoded{good(2, "1\r2", noon, "a\x00b")},
	},
	{name: "bytes that are no UTF-8", body: "1\xff," + noon + ",a\n", want: []decoded{good(2, "1\xff", noon, "a")}},
	{name: "spaces are data", body: " 1 ," + noon + ", a\n", want: []decoded{good(2, " 1 ", noon, " a")}},
	{
		name: "blank lines", body: "\n\r\n1," + noon + ",a\n  \n\n2," + noon + ",b\n\n \t",
		want: []decoded{good(4, "1", noon, "a"), good(7, "2", noon, "b")},
	},
	{
		name: "too few fields", body: "1," + noon + "\n2," + noon + ",b\n",
		want: []decoded{wrong(2, "has 2 fields, the header 3", "1,"+noon, atNoon, "1", noon), good(3, "2", noon, "b")},
	},
	{
		name: "one field", body: "garbage\r\n2," + noon + ",b\n",
		want: []decoded{wrong(2, "has 1 fields, the header 3", "garbage", atWindowEnd, "garbage"), good(3, "2", noon, "b")},
	},
	{
		name: "too many fields", body: "1," + noon + `,a,"x""y",` + "\n2," + noon + ",b\n",
		want: []decoded{
			wrong(2, "has 5 fields, the header 3", "1,"+noon+`,a,"x""y",`, atNoon, "1", noon, "a"),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "no time", body: "1,,a\n2,\" \",b\n3,yesterday,c\n4," + noon + ",d\n",
		want: []decoded{
			wrong(2, "event_time is empty", "1,,a", atWindowEnd, "1", "", "a"),
			wrong(3, "event_time is empty", `2," ",b`, atWindowEnd, "2", " ", "b"),
			wrong(
				4, `event_time "yesterday" is no time that can be read`, "3,yesterday,c", atWindowEnd,
				"3", "yesterday", "c",
			),
			good(5, "4", noon, "d"),
		},
	},
	{
		name: "a quote inside", body: `1,` + noon + `,a "b" c` + "\n2," + noon + ",b\n",
		want: []decoded{
			wrong(2, "field 3 has a quote, but does not begin with one", "1,"+noon+`,a "b" c`, atNoon, "1", noon, `a "b" c`),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "a quote inside does not quote commas", body: `1,` + noon + `,a "b,c"` + "\r\n2," + noon + ",b\n",
		want: []decoded{
			wrong(
				2, "field 3 has a quote, but does not begin with one; has 4 fields, the header 3",
				"1,"+noon+`,a "b,c"`, atNoon, "1", noon, `a "b`,
			),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "text behind a closing quote", body: `1,` + noon + `,"a"b` + "\n2," + noon + ",b\n",
		want: []decoded{
			wrong(2, "field 3 goes on after its closing quote", "1,"+noon+`,"a"b`, atNoon, "1", noon, `"a"b`),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "text behind a closing quote, fields after it", body: `"1" ,"` + noon + `","a""b"` + "\n2," + noon + ",b\n",
		want: []decoded{
			wrong(2, "field 1 goes on after its closing quote", `"1" ,"`+noon+`","a""b"`, atNoon, `"1" `, noon, `a"b`),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "CR between quote and LF only", body: "1," + noon + ",\"a\"\r\r\n2," + noon + ",b\n",
		want: []decoded{
			wrong(2, "field 3 goes on after its closing quote", "1,"+noon+",\"a\"\r", atNoon, "1", noon, "\"a\"\r"),
			good(3, "2", noon, "b"),
		},
	},
	{
		name: "a stray opening quote", body: `1,` + noon + `,"a` + "\n2," + noon + `,"b"` + "\n3," + noon + ",c\n",
		want: []decoded{
			wrong(2, "has a quote that is not closed in its line", "1,"+noon+`,"a`, atNoon, "1", noon, `"a`),
			good(3, "2", noon, "b"),
			good(4, "3", noon, "c"),
		},
	},
	{
		name: "cut inside quotes", body: "1," + noon + ",a\n2," + noon + ",\"b\nc,d\n",
		want: []decoded{good(2, "1", noon, "a")}, err: body.ErrCut,
	},
	{
		name: "cut in a row", body: "1," + noon + ",a\n2," + noon,
		want: []decoded{good(2, "1", noon, "a")}, err: body.ErrCut,
	},
	{
		name: "cut in the first field", body: "1," + noon + ",a\n2",
		want: []decoded{good(2, "1", noon, "a")}, err: body.ErrCut,
	},
}

func TestDecoder(t *testing.T) {
	for _, test := range decoderCases {
		t.Run(test.name, func(t *testing.T) {
			want := test.err
			if want == nil {
				want = io.EOF
			}
			for chunking, body := range exportertest.Chunkings(threeColumns + test.body) {
				d := New()
				d.Reset(body, atWindowEnd)
				got, err := decodeAll(d)
				assert.ErrorIs(t, err, want, chunking)
				assert.Equal(t, test.want, got, chunking)
				assert.Equal(t, err, d.next(new(event.Row)), "the end stays the end: "+chunking)
			}
		})
	}
}

// headerCases are first lines and what becomes of them.
var headerCases = map[string]struct {
	body string
	want []string
	line int // of the first row
	err  error
	says string
}{
	"plain":         {body: threeColumns, want: []string{"event_id", "event_time", "action_name"}},
	"only a header": {body: "event_time,action_name", want: []string{"event_time", "action_name"}},
	"spelling":      {body: "Event Time,actionName\r\n", want: []string{"event_time", "action_name"}},
	"quoted": {
		body: `"event_time","action_name","a ""b"", c"` + "\n",
		want: []string{"event_time", "action_name", "a_b_c"},
	},
	"BOM":                {body: "\ufeff" + threeColumns, want: []string{"event_id", "event_time", "action_name"}},
	"BOM and quotes":     {body: "\ufeff\"event_time\",\"action_name\"\n", want: []string{"event_time", "action_name"}},
	"blank lines before": {body: "\r\n \n" + threeColumns, want: []string{"event_id", "event_time", "action_name"}},
	"nothing":            {err: body.ErrEmptyBody, says: "the body is empty"},
	"only BOM":           {body: "\ufeff", err: body.ErrEmptyBody},
	"only white space":   {body: " \r\n\n \t", err: body.ErrEmptyBody},
	"no time column": {
		body: "event_id,action_name\n1,a\n", err: body.ErrNoExport,
		says: "the body is not an export: it begins with event_id,action_name 1,a",
	},
	"no action column": {body: "event_time\n", err: body.ErrNoExport},
	"HTML": {
		body: "<!DOCTYPE html>\n<title>Sign  in</title>", err: body.ErrNoExport,
		says: "the body is not an export: it begins with <!DOCTYPE html> <title>Sign in</title>",
	},
	"text": {
		body: "upstream connect error", err: body.ErrNoExport,
		says: "the body is not an export: it begins with upstream connect error",
	},
	"null":      {body: "null", err: body.ErrNoExport},
	"JSON list": {body: "[]", err: body.ErrNoExport},
	"ErrorBody": {
		body: `{"errors":[{"code":"TIMEOUT_ERROR","message":"took too long","details":"","path":""}],"requestId":"r-1"}`,
		err:  body.ErrNoExport, says: "the body is not an export: GET /audit-log/export: 200 TIMEOUT_ERROR: took too long; " +
			"request id r-1",
	},
	"detail": {
		body: "\n{\"detail\":\"Not\\nauthenticated\"}", err: body.ErrNoExport,
		says: "the body is not an export: GET /audit-log/export: 200 OK: Not authenticated",
	},
	"detail list": {
		body: `{"detail":[{"loc":["query"]}]}`, err: body.ErrNoExport,
		says: `the body is not an export: GET /audit-log/export: 200 OK: [{"loc":["query"]}]`,
	},
	"other JSON": {
		body: `{"ok":true}`, err: body.ErrNoExport,
		says: `the body is not an export: it begins with {"ok":true}`,
	},
	"binary": {
		body: "PK\x03\x04\x00\xff\x1b[31m", err: body.ErrNoExport,
		says: "the body is not an export: it begins with PK.....[31m",
	},
	"UTF-16":        {body: "\xff\xfee\x00v\x00", err: body.ErrNoExport, says: "the body is not an export: it is UTF-16"},
	"cut in quotes": {body: `"event_time","acti`, err: body.ErrCut},
	"many columns": {
		body: threeColumns[:len(threeColumns)-1] + strings.Repeat(",", maxColumns),
		err:  body.ErrNoExport,
	},
	"no header, row": {body: strings.Repeat("x", readBytes) + "\n", err: body.ErrNoExport},
}

func TestDecoderHeader(t *testing.T) {
	for name, test := range headerCases {
		t.Run(name, func(t *testing.T) {
			for chunking, body := range exportertest.Chunkings(test.body) {
				d := New()
				d.Reset(body, atWindowEnd)
				columns, err := d.Header()
				if test.err == nil {
					require.NoError(t, err, chunking)
					assert.Equal(t, test.want, columns.Names, chunking)
					assert.Equal(t, io.EOF, d.next(new(event.Row)), chunking)
					continue
				}
				require.ErrorIs(t, err, test.err, chunking)
				assert.LessOrEqual(t, len(err.Error()), 300, chunking)
				assert.Equal(t, err, d.next(new(event.Row)), chunking)
				if test.says != "" {
					assert.EqualError(t, err, test.says, chunking)
				}
			}
		})
	}
}

// What the body's reader says must come through, behind the rows that are whole.
func TestDecoderReaderError(t *testing.T) {
	broken := errors.New("connection reset")
	for name, test := range map[string]struct {
		body string
		want []decoded
	}{
		"in the header": {body: "event_id,event_ti"},
		"behind it":     {body: threeColumns},
		"in a row": {
			body: threeColumns + "1," + noon + ",a\n2," + noon + ",b",
			want: []decoded{good(2, "1", noon, "a")},
		},
		"between rows":    {body: threeColumns + "1," + noon + ",a\n", want: []decoded{good(2, "1", noon, "a")}},
		"inside quotes":   {body: threeColumns + "1," + noon + ",a\n\"2", want: []decoded{good(2, "1", noon, "a")}},
		"at once":         {body: ""},
		"after the quote": {body: threeColumns + `1,` + noon + `,"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, fail := range []error{broken, io.ErrUnexpectedEOF} {
				d := New()
				d.Reset(io.MultiReader(strings.NewReader(test.body), iotest.ErrReader(fail)), atWindowEnd)
				rows, err := decodeAll(d)
				assert.ErrorIs(t, err, fail)
				assert.Contains(t, err.Error(), "line ")
				assert.Equal(t, test.want, rows)
				assert.Equal(t, err, d.next(new(event.Row)))
			}
		})
	}
}

func TestDecoderReaderWithoutProgress(t *testing.T) {
	d := New()
	d.Reset(io.MultiReader(strings.NewReader(threeColumns), exportertest.IdleReader{}), atWindowEnd)
	_, err := decodeAll(d)
	assert.ErrorIs(t, err, io.ErrNoProgress)
}

// A decoder is used for one response after the other, whatever became of the one before.
func TestDecoderReset(t *testing.T) {
	d := New()
	for _, before := range []string{
		"", "<html>", threeColumns + "1," + noon,
		threeColumns + "1," + noon + ",\"" + strings.Repeat("x", 2*readBytes),
	} {
		d.Reset(strings.NewReader(before), time.Time{})
		if _, err := d.Header(); err == nil {
			_ = d.next(new(event.Row))
		}
		d.Reset(strings.NewReader("action_name,event_time\r\na,"+noon+"\r\n"), atWindowEnd)
		rows, err := decodeAll(d)
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, []decoded{good(2, "a", noon)}, rows)
	}
}

func TestDecoderAllocatesNothingForRows(t *testing.T) {
	d := New()
	var r event.Row
	decode := func(rows int) float64 {
		text := exportertest.Body(rows, 0.5)
		body := bytes.NewReader(text)
		return testing.AllocsPerRun(5, func() {
			body.Reset(text)
			d.Reset(body, atWindowEnd)
			if _, err := d.Header(); err != nil {
				t.Fatal(err)
			}
			n := 0
			for d.next(&r) == nil {
				if r.Bad != "" {
					t.Fatal(r.Bad)
				}
				n++
			}
			if n != rows {
				t.Fatal(n, "rows")
			}
		})
	}
	assert.Equal(t, decode(10), decode(5000), "allocations of a response must not depend on its rows")
}
