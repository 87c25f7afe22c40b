// Package golden compares what tests produce with files, or writes those anew with the flag -update.
package golden

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the tests produce into testdata and docs instead of comparing")

// Indented is value as JSON for people.
func Indented(t testing.TB, value any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(value))
	return b.Bytes()
}

// Equal compares with a file, or writes it with -update.
func Equal(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "the flag -update writes it")
	require.Equal(
		t, string(want), string(got),
		"%s differs; the flag -update (go generate ./exporter/...) writes it anew if that is meant", path,
	)
}

// Part compares the generated part of a document with what the code says, or rewrites it with -update.
func Part(t testing.TB, path, part, content string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	Equal(t, path, []byte(withPart(t, string(text), part, content)))
}

// withPart replaces what stands between the marks of a part.
func withPart(t testing.TB, text, part, content string) string {
	t.Helper()
	begin, end := "<!-- "+part+":begin -->\n", "<!-- "+part+":end -->"
	before, rest, found := strings.Cut(text, begin)
	require.True(t, found, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, end)
	return before + begin + content + end + after
}

// Anchor spells a heading as GitHub does: lower case, hyphens for spaces, without punctuation.
func Anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
