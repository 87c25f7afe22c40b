package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func TestJSONString(t *testing.T) {
	long := strings.Repeat(`0123456789\r\n\"\u00e9`, 10_000)
	for name, test := range map[string]struct {
		text string // behind the opening quote
		want string
		err  error
	}{
		"empty":                    {text: `"`},
		"plain":                    {text: `a,b"`, want: "a,b"},
		"escapes":                  {text: `\"\\\/\b\f\n\r\t"`, want: "\"\\/\b\f\n\r\t"},
		"unicode":                  {text: `é\u00e9\u00E9\u20ac"`, want: "ééé€"},
		"surrogate pair":           {text: `\ud83d\ude00"`, want: "😀"},
		"half a pair":              {text: `\ud83d"`, want: "\ufffd"},
		"half a pair, then text":   {text: `\ud83dabcdef"`, want: "\ufffdabcdef"},
		"half a pair, then escape": {text: `\ud83d\n\u0041"`, want: "\ufffd\nA"},
		"half a pair, then a pair": {text: `\ud83d\ud83d\ude00"`, want: "\ufffd😀"},
		"second half first":        {text: `\ude00\ud83d"`, want: "\ufffd\ufffd"},
		"NUL":                      {text: `\u0000"`, want: "\x00"},
		"white space behind":       {text: "a\" \r\n\t", want: "a"},
		"long": {
			text: long + `"`,
			want: strings.NewReplacer(`\r\n`, "\r\n", `\"`, `"`, `\u00e9`, "é").Replace(long),
		},
		"not closed":              {text: `a,b`, want: "a,b", err: ErrCut},
		"nothing":                 {err: ErrCut},
		"cut in an escape":        {text: `a\`, want: "a", err: ErrCut},
		"cut in a unicode escape": {text: `a\u00e`, want: "a", err: ErrCut},
		"cut behind half a pair":  {text: `a\ud83d`, want: "a\ufffd", err: ErrCut},
		"garbage behind":          {text: "a\"\n\"b\"", want: "a", err: ErrNoExport},
		"wrong escape":            {text: `a\x41"`, want: "a", err: ErrNoExport},
		"wrong hex":               {text: `a\u00g0"`, want: "a", err: ErrNoExport},
		"line end":                {text: "a\nb\"", want: "a", err: ErrNoExport},
	} {
		t.Run(name, func(t *testing.T) {
			for chunking, r := range exportertest.Chunkings(test.text) {
				s := newJSONString(r)
				got, err := io.ReadAll(iotest.HalfReader(s))
				assert.ErrorIs(t, err, test.err, chunking)
				assert.Equal(t, test.want, string(got), chunking)
				_, again := s.Read(make([]byte, 1))
				if err == nil {
					err = io.EOF
				}
				assert.Equal(t, err, again, "the end stays the end: "+chunking)
			}
		})
	}
}

func TestJSONStringReaderError(t *testing.T) {
	broken := errors.New("connection reset")
	for _, text := range []string{"", "a", `a\`, `a\u12`, `a"`, `a" `} {
		_, err := io.ReadAll(newJSONString(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))))
		assert.ErrorIs(t, err, broken, text)
	}
	_, err := io.ReadAll(newJSONString(exportertest.IdleReader{}))
	assert.ErrorIs(t, err, io.ErrNoProgress)
}

// A text's memory is that of the buffer, however long it is.
func TestJSONStringAllocatesNothingForText(t *testing.T) {
	const piece = `0123456789\r\n\"\u00e9\ud83d\ude00`
	p := make([]byte, 4096)
	read := func(pieces int64) float64 {
		return testing.AllocsPerRun(5, func() {
			text := io.LimitReader(&exportertest.Endless{Text: piece}, pieces*int64(len(piece)))
			s := newJSONString(io.MultiReader(text, strings.NewReader(`"`)))
			for {
				if _, err := s.Read(p); err == io.EOF {
					return
				} else if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	assert.Equal(t, read(1), read(30_000))
}

// FuzzJSONString holds the reader against encoding/json.
func FuzzJSONString(f *testing.F) {
	for _, text := range []string{`a"`, `\ud83d\ude00"`, `\ud83d\n"`, "a\"\n", "a\nb\"", `\u00`} {
		f.Add([]byte(text), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, chunk uint8) {
		var want string
		wantErr := json.Unmarshal([]byte(`"`+string(text)), &want)
		r := &exportertest.RandomChunks{
			Reader: strings.NewReader(string(text)), Random: rand.New(rand.NewPCG(1, 2)),
			Max: 1 + int(chunk),
		}
		got, err := io.ReadAll(newJSONString(r))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v; encoding/json says %v", text, err, wantErr)
		}
		if err != nil && !errors.Is(err, ErrCut) && !errors.Is(err, ErrNoExport) {
			t.Fatal(err)
		}
		// encoding/json replaces bytes that are no UTF-8, as the encoder does later.
		if err == nil && validUTF8(string(got)) != want {
			t.Fatalf("%q is %q, want %q", text, got, want)
		}
	})
}

func BenchmarkJSONString(b *testing.B) {
	text, err := json.Marshal(string(exportertest.Body(20_000, 0.5)))
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, _ = io.Copy(io.Discard, newJSONString(bytes.NewReader(text[1:])))
	}
}

// validUTF8 replaces each byte that is no UTF-8, as records do.
func validUTF8(s string) string { return strings.Map(func(r rune) rune { return r }, s) }
