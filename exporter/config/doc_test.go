package config

import (
	"path/filepath"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

//go:generate go test -run ^TestSettingsDoc$ -update .

// TestSettingsDoc compares the table in docs/settings.md with the settings; go generate ./exporter/... rewrites it.
func TestSettingsDoc(t *testing.T) {
	golden.Part(t, filepath.Join("..", "..", "docs", "settings.md"), "settings", Table())
}
