package exporter

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the tests produce into testdata and docs instead of comparing")

// TestSchemaGolden pins every schema's records to the byte, as a reader of the documentation would see them.
func TestSchemaGolden(t *testing.T) {
	for _, schema := range allSchemas {
		t.Run(string(schema), func(t *testing.T) {
			type named struct {
				Case   string         `json:"case"`
				Record map[string]any `json:"record"`
			}
			var records []named
			for _, c := range schemaCases {
				records = append(records, named{c.name, c.record(t, schema)})
			}
			golden(t, filepath.Join("testdata", "schema", string(schema)+".json"), indented(t, records))
		})
	}
}

func indented(t testing.TB, value any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(value))
	return b.Bytes()
}

// golden compares with a file, or writes it with -update.
func golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "the flag -update writes it")
	require.Equal(t, string(want), string(got), "%s differs; the flag -update (go generate ./exporter/...) writes it anew if that is meant", path)
}
