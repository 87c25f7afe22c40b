package config

import (
	"slices"
	"strings"
)

// engineKeys are what an input's section may have besides the plugin's own settings: Fluent Bit's own keys of every
// input (read in flb_input.c of 5.1.1).
var engineKeys = []string{
	"name", "tag", "alias", "host", "port", "listen", "log_level", "log_suppress_interval", "routable",
	"mem_buf_limit", "threaded", "thread.ring_buffer.capacity", "thread.ring_buffer.window",
	"storage.type", "storage.pause_on_chunks_overlimit", "processors", "routes", "rate_window", "rate_gate",
}

// EngineKeys are Fluent Bit's own keys of every input.
func EngineKeys() []string { return slices.Clone(engineKeys) }

// Keys are the plugin's settings.
func Keys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// JSONSchema describes Fluent Bit's YAML files in which inputs are of this plugin: of those, every key, its default and
// what is allowed. Everything else is left to Fluent Bit. Draft 2020-12.
func JSONSchema() map[string]any {
	keys := make(map[string]any, len(settings)+len(engineKeys))
	for _, key := range engineKeys {
		keys[key] = map[string]any{}
	}
	for _, s := range settings {
		keys[s.key] = s.jsonSchema()
	}
	input := map[string]any{
		"if":   map[string]any{"properties": map[string]any{"name": map[string]any{"const": "wherobots_audit"}}},
		"then": map[string]any{"properties": keys, "additionalProperties": false},
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "Fluent Bit with the input wherobots_audit",
		"type":    "object",
		"properties": map[string]any{
			"pipeline": map[string]any{
				"properties": map[string]any{"inputs": map[string]any{"type": "array", "items": input}},
			},
		},
	}
}

// jsonSchema describes one setting. YAML reads on, 5 and true as what they look like, so that a scalar of any type may
// stand for a text.
func (s setting) jsonSchema() map[string]any {
	about := map[string]any{
		"description": strings.ReplaceAll(s.text, "`", "") + ". Allowed: " + s.allowed,
		"type":        []string{"string", "number", "boolean"},
	}
	if s.standard != "" {
		about["default"] = s.standard
	}
	if len(s.words) > 0 {
		delete(about, "type")
		variable := map[string]any{"type": "string", "pattern": `\$\{`} // whatever it stands for
		about["anyOf"] = []any{map[string]any{"enum": s.words}, variable}
	}
	return about
}
