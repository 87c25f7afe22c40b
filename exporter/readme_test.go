package exporter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettingsDoc compares the table in docs/settings.md with the settings; go generate ./exporter/... rewrites it.
func TestSettingsDoc(t *testing.T) {
	checkPart(t, filepath.Join("..", "docs", "settings.md"), "settings", SettingsTable())
}

// checkPart compares the generated part of a document with what the code says, or rewrites it with -update.
func checkPart(t *testing.T, path, part, content string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	golden(t, path, []byte(withPart(t, string(text), part, content)))
}

// withPart replaces what stands between the marks of a part.
func withPart(t *testing.T, text, part, content string) string {
	t.Helper()
	begin, end := "<!-- "+part+":begin -->\n", "<!-- "+part+":end -->"
	before, rest, found := strings.Cut(text, begin)
	require.True(t, found, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, end)
	return before + begin + content + end + after
}
