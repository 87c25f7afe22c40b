package exporter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeIsCurrent holds the README's generated parts against the code; go generate ./exporter makes them anew.
func TestReadmeIsCurrent(t *testing.T) {
	path := filepath.Join("..", "README.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	readme := withPart(t, string(text), "settings", SettingsTable())
	var shapes strings.Builder
	for _, schema := range allSchemas {
		open := ""
		if schema == SchemaRaw {
			open = " open"
		}
		fmt.Fprintf(&shapes, "<details%s><summary><code>schema: %s</code></summary>\n\n```json\n%s```\n\n</details>\n\n", open, schema, indented(t, schemaCases[0].record(t, schema)))
	}
	readme = withPart(t, readme, "shapes", strings.TrimSuffix(shapes.String(), "\n"))
	if !*update {
		require.True(t, readme == string(text), "README.md is not what the code says; go generate ./exporter makes it anew")
	}
	golden(t, path, []byte(readme))
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
