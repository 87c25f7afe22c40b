package csv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// decoderWith makes a decoder whose limits make every seam between two reads happen somewhere.
func decoderWith(buffer, maxRow int) *Decoder {
	d := New()
	d.usual, d.maxRow = buffer, maxRow
	return d
}

func decodeWith(d *Decoder, body io.Reader) ([]decoded, error) {
	d.Reset(body, atWindowEnd)
	return decodeAll(d)
}

// wrongShape is what is wrong with a row apart from its time.
func wrongShape(bad string) string {
	shape, _, _ := strings.Cut(bad, "event_time ")
	return strings.TrimSuffix(shape, "; ")
}

// FuzzDecoder holds the decoder against encoding/csv: what that accepts must be read the same, what it
// refuses must be refused or be a bad row, and what has no bad row it must accept.
func FuzzDecoder(f *testing.F) {
	for _, test := range decoderCases {
		f.Add([]byte(test.body), uint8(2))
	}
	f.Add([]byte("a,b\n\"c\r\n\",\"\"\"\"\r\n"), uint8(0))
	f.Add([]byte("\"\n2000-01-10,\"0"), uint8(0))
	f.Fuzz(againstEncodingCSV())
}

// Texts of nothing but what matters to CSV find more in a second than a fuzzer in a minute.
func TestDecoderAgainstEncodingCSV(t *testing.T) {
	check := againstEncodingCSV()
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	current := ""
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("the text was", current)
		}
	})
	const alphabet = "aa,,,\"\"\"\r\n\n "
	for range 50_000 {
		text := make([]byte, rnd.IntN(40))
		for i := range text {
			text[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		more := uint8(rnd.IntN(256))
		current = fmt.Sprintf("%q, %d", text, more)
		check(t, text, more)
	}
}

// againstEncodingCSV returns the check of one text, to be read with a header of some columns, in chunks of some size.
func againstEncodingCSV() func(t *testing.T, text []byte, more uint8) {
	usual, small, limited := New(), decoderWith(64, maxRowBytes), decoderWith(64, 64)
	return func(t *testing.T, text []byte, more uint8) {
		columns := 2 + int(more%5)
		header := "event_time,action_name,c,d,e,f"[:len("event_time,action_name")+2*(columns-2)] + "\n"
		body := header + string(text)
		got, err := decodeWith(usual, strings.NewReader(body))
		compareWithEncodingCSV(t, body, columns, got, err)
		checkRaw(t, got)

		rnd := rand.New(rand.NewPCG(uint64(more), uint64(len(text))))
		again, errAgain := decodeWith(
			small,
			&exportertest.RandomChunks{Reader: strings.NewReader(body), Random: rnd, Max: 1 + int(more)},
		)
		sameRows(t, got, again, err, errAgain, maxRowBytes)
		if longBlankLine(text, limited.maxRow) {
			return // which is a row, if a strange one, for who cannot see all of it
		}
		again, errAgain = decodeWith(limited, iotest.DataErrReader(strings.NewReader(body)))
		sameRows(t, got, again, err, errAgain, limited.maxRow)
	}
}

func compareWithEncodingCSV(t *testing.T, body string, columns int, got []decoded, err error) {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(body))
	reader.FieldsPerRecord = columns
	if _, err := reader.Read(); err != nil {
		t.Fatal("header", err)
	}
	for i := 0; ; i++ {
		record, wantErr := reader.Read()
		if wantErr == io.EOF {
			if err != io.EOF || i != len(got) {
				t.Fatalf("encoding/csv reads %d rows, the decoder %d and ends with %v", i, len(got), err)
			}
			return
		}
		if wantErr != nil {
			refused(t, wantErr, body, got[min(i, len(got)):], err)
			return
		}
		if i >= len(got) {
			t.Fatalf("row %d is missing: %q, end %v", i, record, err)
		}
		if shape := wrongShape(got[i].bad); shape != "" {
			t.Fatalf("row %d %q: %s", i, record, shape)
		}
		for j, want := range record {
			// encoding/csv makes LF of CRLF inside quotes, where the decoder keeps what is there.
			if have := strings.ReplaceAll(got[i].fields[j], "\r\n", "\n"); have != want {
				t.Fatalf("row %d field %d: %q, want %q", i, j, have, want)
			}
		}
		if line, _ := reader.FieldPos(0); line != got[i].line {
			t.Fatalf("row %d is in line %d, want %d", i, got[i].line, line)
		}
	}
}

// refused checks that rows, the first of which encoding/csv refuses, have something wrong with them as well.
// A line of white space is no row for the decoder and one of one field for encoding/csv.
func refused(t *testing.T, refusal error, text string, rows []decoded, err error) {
	t.Helper()
	var at *csv.ParseError
	if !errors.As(refusal, &at) {
		t.Fatal(refusal)
	}
	lines := strings.Split(text, "\n")
	if errors.Is(refusal, csv.ErrFieldCount) && blank([]byte(lines[at.StartLine-1])) {
		return
	}
	if len(rows) == 0 {
		if !errors.Is(err, body.ErrCut) {
			t.Fatalf("encoding/csv says %v, the decoder %v and no row", refusal, err)
		}
		return
	}
	if wrongShape(rows[0].bad) == "" {
		t.Fatalf("encoding/csv says %v, the decoder takes the row %q", refusal, rows[0].fields)
	}
	if rows[0].line != at.StartLine {
		t.Fatalf("encoding/csv says %v, the decoder has the bad row in line %d", refusal, rows[0].line)
	}
}

// checkRaw checks that a bad row's text splits into that row again.
func checkRaw(t *testing.T, rows []decoded) {
	t.Helper()
	for _, r := range rows {
		if r.bad == "" {
			if r.raw != "" {
				t.Fatalf("a good row has the text %q", r.raw)
			}
			continue
		}
		s := splitter{fields: make([][]byte, len(r.fields))}
		text := []byte(r.raw + "\r\n")
		if strings.Contains(r.bad, "a quote that is not closed in its line") {
			s.splitPlain([]byte(r.raw))
		} else if size := s.split(text, true); size != len(text) {
			t.Fatalf("the bad row's text %q ends at %d", text, size)
		}
		for _, i := range s.doubled {
			s.fields[i] = undouble(s.fields[i])
		}
		for i, field := range r.fields {
			if string(s.fields[i]) != field {
				t.Fatalf("field %d is %q, by the text %q", i, field, s.fields[i])
			}
		}
	}
}

// longBlankLine reports whether one of text's lines is longer than limit and nothing but white space.
func longBlankLine(text []byte, limit int) bool {
	for line := range bytes.Lines(text) {
		if len(line) >= limit && blank(line) {
			return true
		}
	}
	return false
}

// sameRows checks that other reading of the same body had the same result. Rows longer than limit only have
// to be where they were.
func sameRows(t *testing.T, want, got []decoded, wantErr, gotErr error, limit int) {
	t.Helper()
	if errors.Is(wantErr, body.ErrCut) != errors.Is(gotErr, body.ErrCut) ||
		(wantErr == io.EOF) != (gotErr == io.EOF) || len(want) != len(got) {
		t.Fatalf("%d rows and %v, want %d and %v", len(got), gotErr, len(want), wantErr)
	}
	for i, w := range want {
		g := got[i]
		if g.line != w.line {
			t.Fatalf("row %d is in line %d, want %d", i, g.line, w.line)
		}
		if strings.Contains(g.bad, "is longer than") {
			if limit == maxRowBytes || w.bad != "" && len(w.raw) < limit-2 {
				t.Fatalf("row %d: %s", i, g.bad)
			}
			continue
		}
		if g.bad != w.bad || g.raw != w.raw || !g.time.Equal(w.time) ||
			strings.Join(g.fields, "\x00,") != strings.Join(w.fields, "\x00,") {
			t.Fatalf("row %d is %+v, want %+v", i, g, w)
		}
	}
}

// FuzzRowScanner holds the two ways to find a row's end against each other.
func FuzzRowScanner(f *testing.F) {
	for _, test := range decoderCases {
		f.Add([]byte(test.body), 1)
	}
	f.Fuzz(func(t *testing.T, text []byte, seam int) {
		s := splitter{fields: make([][]byte, 3)}
		size := s.split(text, false)
		var x rowScanner
		seam = max(0, min(seam, len(text)))
		end := x.scan(text[:seam])
		if end < 0 {
			if end = x.scan(text[seam:]); end >= 0 {
				end += seam
			}
		}
		if size == 0 {
			size = -1
		}
		if end != size {
			t.Fatalf("the scanner ends the row at %d, the splitter at %d", end, size)
		}
		if size > 0 && (x.count() != s.count || x.lines != s.lines) {
			t.Fatalf("the scanner has %d fields and %d lines, the splitter %d and %d", x.count(), x.lines, s.count, s.lines)
		}
		if size > 0 && x.lines != bytes.Count(text[:size], newline) {
			t.Fatalf("%d lines", x.lines)
		}
	})
}
