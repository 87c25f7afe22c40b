package schema

import (
	"path/filepath"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

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
			golden.Equal(t, filepath.Join("testdata", string(schema)+".json"), golden.Indented(t, records))
		})
	}
}
