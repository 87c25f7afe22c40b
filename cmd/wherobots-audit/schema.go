package main

import (
	"encoding/json"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// schemaCommand prints a JSON Schema of Fluent Bit's YAML files with an input of this plugin.
type schemaCommand struct{}

func (schemaCommand) Run(c *console) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(config.JSONSchema())
}
