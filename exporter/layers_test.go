package exporter

import (
	"encoding/json"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layers are the rooms and what each may import of the others: data flows one way, and only this package
// knows them all. docs/design.md draws it.
var layers = map[string][]string{
	"claim":    {},
	"action":   {},
	"budget":   {},
	"buffer":   {},
	"event":    {},
	"figures":  {},
	"extract":  {"source"},
	"health":   {"figures"},
	"logline":  {},
	"plan":     {},
	"progress": {"logline"},
	"dedup":    {"event"},
	"handover": {"logline", "msgpack", "budget", "buffer", "sums", "claim", "shared"},
	"msgpack":  {},
	"source":   {"logline", "turn"},
	"shared":   {},
	"sums":     {},
	"turn":     {},

	"pseudonym": {"event", "source"},
	"schema":    {"event", "action"},
	"body":      {"source", "logline"},
	"csv":       {"event", "body", "logline"},
	"witness":   {},
	"whole":     {"plan", "csv", "body", "dedup", "event"},
	"verify":    {"plan", "dedup", "source", "logline"},
	"config":    {"source", "schema", "logline", "pseudonym"},
}

// TestLayers fails when a room reaches for one that it may not know, or knows the checkpoint's file.
func TestLayers(t *testing.T) {
	listed, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	const root = "github.com/wherobots/in_wherobots_audit"
	found := 0
	for decoder := json.NewDecoder(strings.NewReader(string(listed))); decoder.More(); {
		var room struct {
			ImportPath string
			Imports    []string
		}
		require.NoError(t, decoder.Decode(&room))
		name := path.Base(room.ImportPath)
		allowed, isRoom := layers[name]
		if !isRoom {
			assert.True(t, name == "exporter" || strings.Contains(room.ImportPath, "/exportertest"), "%s is no room", name)
			allowed = nil
		} else {
			found++
		}
		for _, imported := range room.Imports {
			if !strings.HasPrefix(imported, root) || name == "exporter" {
				continue
			}
			if !isRoom {
				assert.Contains(t, imported, "/exportertest", "%s, which helps tests, must not import what they test", name)
				continue
			}
			assert.Contains(t, allowed, path.Base(imported), "%s may not import %s", name, imported)
		}
	}
	assert.Equal(t, len(layers), found, "rooms")
}
