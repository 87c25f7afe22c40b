package config

import (
	"path/filepath"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

//go:generate go test -run ^TestSettingsDoc$|^TestShippedSchema$ -update .

// TestSettingsDoc compares the table in docs/settings.md with the settings; go generate ./exporter/... rewrites it.
func TestSettingsDoc(t *testing.T) {
	golden.Part(t, filepath.Join("..", "..", "docs", "settings.md"), "settings", Table())
}

// TestShippedSchema compares the schema that the shipped configurations name with the settings.
func TestShippedSchema(t *testing.T) {
	path := filepath.Join("..", "..", "conf", "wherobots-audit.schema.json")
	golden.Equal(t, path, golden.Indented(t, JSONSchema()))
}
