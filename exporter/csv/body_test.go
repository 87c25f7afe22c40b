package csv

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// decodeBody reads a body as the collector does.
func decodeBody(answer io.Reader, contentEncoding, contentType string) ([]decoded, error) {
	r, err := body.Open(answer, contentEncoding, contentType)
	if err != nil {
		return nil, err
	}
	d := New()
	d.Reset(r, atWindowEnd)
	return decodeAll(d)
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func jsonText(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	require.NoError(t, err)
	return string(b)
}

const (
	oneRow     = "event_id,event_time,action_name\r\n1," + noon + ",\"say \"\"hi\"\"\"\r\n"
	quotedRow  = `"event_id","event_time","action_name"` + "\r\n" + `"1","` + noon + `","say ""hi"""` + "\r\n"
	textCSV    = "text/csv; charset=utf-8"
	typeJSON   = "application/json"
	typeVendor = "application/vnd.wherobots+json"
)

func TestOpenBody(t *testing.T) {
	asJSON := jsonText(t, oneRow)
	asJSONQuoted := jsonText(t, quotedRow)
	for name, body := range map[string]string{
		"CSV":                              oneRow,
		"CSV with BOM":                     "\ufeff" + oneRow,
		"CSV with a quoted name first":     `"event_id"` + strings.TrimPrefix(oneRow, "event_id"),
		"CSV, all quoted":                  quotedRow,
		"CSV, all quoted, with BOM":        "\ufeff" + quotedRow,
		"CSV, all quoted, after a line":    "\r\n" + quotedRow,
		"JSON string":                      asJSON,
		"JSON string, line end":            asJSON + "\n",
		"JSON string, white space":         " \n" + asJSON + " \r\n",
		"JSON string with BOM":             "\ufeff" + asJSON,
		"JSON string with BOM in it":       `"\ufeff` + asJSON[1:],
		"JSON string of quoted":            asJSONQuoted,
		"JSON string of quoted with BOM":   "\ufeff" + `"\ufeff` + asJSONQuoted[1:],
		"JSON string with escaped slashes": strings.ReplaceAll(asJSON, ":", `\u003a`),
	} {
		t.Run(name, func(t *testing.T) {
			for _, contentType := range []string{"", textCSV, typeJSON, typeVendor, "text/html", ";;"} {
				for chunking, r := range exportertest.Chunkings(body) {
					rows, err := decodeBody(r, "", contentType)
					require.Equal(t, io.EOF, err, chunking)
					require.Len(t, rows, 1, chunking)
					assert.Equal(t, []string{"1", noon, `say "hi"`}, rows[0].fields, chunking)
					assert.Empty(t, rows[0].bad, chunking)
				}
				for _, encoding := range []string{"gzip", " X-GZIP "} {
					rows, err := decodeBody(iotest.OneByteReader(strings.NewReader(gzipped(body))), encoding, contentType)
					require.Equal(t, io.EOF, err)
					require.Len(t, rows, 1)
				}
			}
		})
	}
}

func TestOpenBodyJSONStringWithLongRow(t *testing.T) {
	field := strings.Repeat("x", 3*16<<10)
	rows, err := decodeBody(strings.NewReader(jsonText(t, threeColumns+"1,"+noon+","+field+"\n")), "", typeJSON)
	require.Equal(t, io.EOF, err)
	require.Len(t, rows, 1)
	assert.Equal(t, field, rows[0].fields[2])
}

func TestOpenBodyRefuses(t *testing.T) {
	asJSON := jsonText(t, oneRow)
	squeezed := gzipped(oneRow)
	for name, test := range map[string]struct {
		body     string
		encoding string
		err      error
		says     string // part of the error
	}{
		"nothing":                   {err: body.ErrEmptyBody},
		"nothing, said to be gzip":  {encoding: "gzip", err: body.ErrEmptyBody},
		"gzip of nothing":           {body: gzipped(""), encoding: "gzip", err: body.ErrEmptyBody},
		"gzip of white space":       {body: gzipped("\r\n"), encoding: "gzip", err: body.ErrEmptyBody},
		"empty JSON string":         {body: `""`, err: body.ErrEmptyBody},
		"JSON null":                 {body: "null", err: body.ErrEmptyBody},
		"JSON empty list":           {body: " []\n", err: body.ErrEmptyBody},
		"JSON empty object":         {body: "{}", err: body.ErrEmptyBody},
		"JSON of empty lists":       {body: `{"events": [], "items":[]}`, err: body.ErrEmptyBody},
		"JSON of empty, gzip":       {body: gzipped(`{"events":[]}`), err: body.ErrEmptyBody},
		"JSON with a null":          {body: `{"events":null}`, err: body.ErrNoExport},
		"JSON with an event":        {body: `{"events":[{}]}`, err: body.ErrNoExport},
		"JSON list with an event":   {body: `[{}]`, err: body.ErrNoExport},
		"JSON list, cut":            {body: `[`, err: body.ErrNoExport},
		"JSON string of a message":  {body: `"Internal error"`, err: body.ErrNoExport, says: "begins with Internal error"},
		"one quoted name":           {body: `"event_time"` + "\n" + `"` + noon + `"` + "\n", err: body.ErrNoExport},
		"JSON string, cut":          {body: asJSON[:len(asJSON)-1], err: body.ErrCut},
		"JSON string, cut in row":   {body: asJSON[:len(asJSON)-8], err: body.ErrCut},
		"JSON string, cut short":    {body: asJSON[:5], err: body.ErrCut},
		"JSON string and garbage":   {body: asJSON + "x", err: body.ErrNoExport, says: "followed by x"},
		"JSON string and another":   {body: asJSON + "\n" + asJSON, err: body.ErrNoExport, says: "followed by"},
		"JSON string, real newline": {body: `"event_id,event_time\naction_name` + "\n\"", err: body.ErrNoExport},
		"JSON object":               {body: ` {"detail":"no"}`, err: body.ErrNoExport, says: "200 OK: no"},
		"JSON object with BOM":      {body: "\ufeff{\"detail\":\"no\"}", err: body.ErrNoExport, says: "200 OK: no"},
		"JSON object with gzip": {
			body: gzipped(`{"detail":"no"}`), encoding: "gzip", err: body.ErrNoExport,
			says: "200 OK: no",
		},
		"HTML":                      {body: "<html>", err: body.ErrNoExport, says: "begins with <html>"},
		"UTF-16, big":               {body: "\xfe\xff\x00e", err: body.ErrNoExport, says: "UTF-16"},
		"UTF-16, little":            {body: "\xff\xfee\x00", err: body.ErrNoExport, says: "UTF-16"},
		"gzip in gzip":              {body: gzipped(squeezed), encoding: "gzip", err: body.ErrNoExport},
		"brotli":                    {body: "x", encoding: "br", err: body.ErrNoExport, says: `content encoding "br"`},
		"gzip, cut in its header":   {body: squeezed[:5], encoding: "gzip", err: io.ErrUnexpectedEOF},
		"gzip, cut":                 {body: squeezed[:len(squeezed)-12], encoding: "gzip", err: io.ErrUnexpectedEOF},
		"gzip without its checksum": {body: squeezed[:len(squeezed)-8], encoding: "gzip", err: io.ErrUnexpectedEOF},
		"gzip, wrong checksum": {
			body:     squeezed[:len(squeezed)-8] + "\x00\x00\x00\x00" + squeezed[len(squeezed)-4:],
			encoding: "gzip", err: gzip.ErrChecksum,
		},
		"gzip, padded, a second member cut": {
			body: squeezed + "\x00\x00" + squeezed[:6], encoding: "gzip", err: io.ErrUnexpectedEOF,
		},
		"gzip, cut second member": {body: squeezed + squeezed[:6], encoding: "gzip", err: io.ErrUnexpectedEOF},
		"gzip and garbage":        {body: squeezed + "0123456789abcdef", encoding: "gzip", err: gzip.ErrHeader},
	} {
		t.Run(name, func(t *testing.T) {
			for chunking, r := range exportertest.Chunkings(test.body) {
				_, err := decodeBody(r, test.encoding, typeJSON)
				require.ErrorIs(t, err, test.err, chunking)
				assert.NotEqual(t, io.EOF, err, chunking)
				assert.Contains(t, err.Error(), test.says, chunking)
			}
		})
	}
}

// An error object with status 200 has the class that its code has with the right status.
func TestOpenBodyErrorObjectClass(t *testing.T) {
	for code, want := range map[string]source.Class{
		"REQUEST_ENTITY_TOO_LARGE": source.ClassShrink, "TIMEOUT_ERROR": source.ClassShrink,
		"RATE_LIMIT_ERROR": source.ClassRetry,
	} {
		_, err := decodeBody(
			strings.NewReader(`{"errors":[{"code":"`+code+`","message":"no"}],"requestId":"r"}`), "",
			typeJSON,
		)
		require.ErrorIs(t, err, body.ErrNoExport)
		assert.Equal(t, want, source.ClassOf(err), code)
	}
}

func TestOpenBodyGzipMembers(t *testing.T) {
	rows, err := decodeBody(strings.NewReader(gzipped(oneRow[:20])+gzipped(oneRow[20:])+gzipped("")), "gzip", textCSV)
	assert.Equal(t, io.EOF, err)
	assert.Len(t, rows, 1)
	padded := gzipped(oneRow[:20]) + "\x00" + gzipped(oneRow[20:]) + strings.Repeat("\x00", 40)
	rows, err = decodeBody(iotest.OneByteReader(strings.NewReader(padded)), "gzip", textCSV)
	assert.Equal(t, io.EOF, err, "zeros are padding")
	assert.Len(t, rows, 1)
}

// An error of the connection stays what it is, wherever it comes, and is told only once the rows before it were read.
func TestOpenBodyReaderError(t *testing.T) {
	broken := errors.New("connection reset")
	for name, test := range map[string]struct{ body, encoding string }{
		"CSV":         {body: oneRow},
		"CSV, quoted": {body: quotedRow},
		"JSON string": {body: jsonText(t, oneRow)},
		"gzip":        {body: gzipped(oneRow), encoding: "gzip"},
	} {
		for cut := range len(test.body) + 1 {
			for _, once := range []bool{false, true} {
				end := iotest.ErrReader(broken)
				if once {
					end = io.MultiReader(&failsOnce{err: broken}, strings.NewReader("more"))
				}
				_, err := decodeBody(io.MultiReader(strings.NewReader(test.body[:cut]), end), test.encoding, "")
				require.ErrorIs(t, err, broken, "%s, %d bytes", name, cut)
			}
		}
	}
	_, err := body.Open(exportertest.IdleReader{}, "", "")
	require.NoError(t, err)
	_, err = decodeBody(exportertest.IdleReader{}, "", "")
	assert.ErrorIs(t, err, io.ErrNoProgress)
}

// failsOnce fails, and would end properly afterwards: who asks again after an error must not be told that all
// is well.
type failsOnce struct {
	err error
}

func (f *failsOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}

func TestExcerpt(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		" \n ":                          "",
		" a \r\n\t b ":                  "a b",
		"\x1b[31m\x00é\u202e\xff":       ".[31m.é..",
		strings.Repeat("a", 100):        strings.Repeat("a", 16) + "…",
		strings.Repeat("ab ", 100):      "ab ab ab ab ab a…",
		strings.Repeat("é", 100):        strings.Repeat("é", 8) + "…",
		strings.Repeat("\U0001f600", 9): strings.Repeat("\U0001f600", 4) + "…",
	} {
		got := logline.Excerpt([]byte(text), 20)
		assert.Equal(t, want, got, "%q", text)
		assert.LessOrEqual(t, len(got), 20)
		assert.True(t, utf8.ValidString(got))
	}
}

// FuzzOpenBody looks for bodies that hang or break the reading, and for CSV that is taken for JSON or the
// other way round.
func FuzzOpenBody(f *testing.F) {
	for _, body := range []string{
		oneRow, quotedRow, `"event_id,event_time,action_name\n"`, "\ufeff\"a\"", `{"errors":[{}]}`,
		`"a""b"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := decodeBody(bytes.NewReader(text), "", "")
		_, again := decodeBody(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(text))), "", "")
		for _, class := range []error{body.ErrEmptyBody, body.ErrNoExport, body.ErrCut, io.EOF} {
			if errors.Is(err, class) != errors.Is(again, class) {
				t.Fatalf("%q: %v, byte by byte %v", text, err, again)
			}
		}
		// The same text as one JSON string must be the same, unless it is an export of another form already.
		// What a JSON string cannot carry is made valid first.
		valid := []byte(cleanText(string(text)))
		_, want := decodeCSV(valid)
		asJSON, jsonErr := json.Marshal(string(valid))
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		if _, got := decodeBody(bytes.NewReader(asJSON), "", typeJSON); !sameEnd(want, got) {
			t.Fatalf("%q: %v; as a JSON string %v", text, want, got)
		}
	})
}

// decodeCSV takes text for CSV.
func decodeCSV(text []byte) ([]decoded, error) {
	d := New()
	d.Reset(bytes.NewReader(text), atWindowEnd)
	return decodeAll(d)
}

func sameEnd(a, b error) bool {
	for _, class := range []error{body.ErrEmptyBody, body.ErrNoExport, body.ErrCut, io.EOF} {
		if errors.Is(a, class) != errors.Is(b, class) {
			return false
		}
	}
	return true
}

// A window that is too large must shrink, whatever the status says: asking for it again for ever would be the
// end of the collection.
func TestAnErrorObjectWithStatus200HasTheClassOfItsCode(t *testing.T) {
	require.Equal(
		t, source.ClassShrink,
		source.ClassOf(body.NoExport([]byte(
			`{"errors":[{"code":"REQUEST_ENTITY_TOO_LARGE","message":"m"}],"requestId":"r"}`,
		))),
	)
	require.Equal(
		t, source.ClassRetry,
		source.ClassOf(body.NoExport([]byte(`{"errors":[{"code":"INTERNAL_SERVER_ERROR","message":"m"}],"requestId":"r"}`))),
	)
}

// cleanText replaces each byte that is no UTF-8, as records do.
func cleanText(s string) string { return strings.Map(func(r rune) rune { return r }, s) }

// What is gzip is told by its first bytes: a proxy may pack without a word, or say so and not do it.
func TestGzipIsToldByItsFirstBytes(t *testing.T) {
	want, end := decodeBody(strings.NewReader(oneRow), "", "")
	for name, answer := range map[string]struct{ text, encoding string }{
		"not said": {gzipped(oneRow), ""}, "said and not so": {oneRow, "gzip"}, "said": {gzipped(oneRow), "gzip"},
	} {
		for chunking, r := range exportertest.Chunkings(answer.text) {
			rows, err := decodeBody(r, answer.encoding, "")
			assert.Equal(t, end, err, "%s, %s", name, chunking)
			assert.Equal(t, want, rows, "%s, %s", name, chunking)
		}
	}
}
