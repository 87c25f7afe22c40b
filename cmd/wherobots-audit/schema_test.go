package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	// The one maintained validator in Go that knows draft 2020-12; tests alone use it.
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// schemaName is the schema beside the shipped configurations, which name it in their first line.
const schemaName = "wherobots-audit.schema.json"

func TestTheShippedSchemaIsTheCommands(t *testing.T) {
	code, out, _ := try("schema")
	require.Zero(t, code)
	shipped, err := os.ReadFile(filepath.Join("..", "..", "conf", schemaName))
	require.NoError(t, err)
	require.Equal(t, string(shipped), out)
	for _, key := range config.Keys() {
		require.Contains(t, out, `"`+key+`"`)
	}
}

// valid compiles the schema, against its own draft's as well, and tries a configuration.
func valid(t *testing.T, text string) error {
	t.Helper()
	_, schema, _ := try("schema")
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource(schemaName, document))
	compiled, err := compiler.Compile(schemaName)
	require.NoError(t, err)
	var configuration any
	require.NoError(t, yaml.Unmarshal([]byte(text), &configuration))
	return compiled.Validate(configuration)
}

func TestShippedConfigurationsNameTheSchemaAndKeepIt(t *testing.T) {
	files, _ := filepath.Glob("../../conf/*.yaml")
	files = slices.DeleteFunc(files, isPluginsFile)
	require.Greater(t, len(files), 8)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "# yaml-language-server: $schema="+schemaName+"\n"), file)
		require.NoError(t, valid(t, string(text)), file)
	}
}

func TestTheSchemaFindsMistakesOfThisPluginsInputsOnly(t *testing.T) {
	const start = "pipeline:\n  inputs:\n    - name: "
	for text, isValid := range map[string]bool{
		start + "wherobots_audit\n      schema: ecs\n":      true,
		start + "wherobots_audit\n      schema: ${S}\n":     true,
		start + "wherobots_audit\n      batch_bytes: 400\n": true,
		start + "wherobots_audit\n      schema: other\n":    false,
		start + "wherobots_audit\n      shcema: ecs\n":      false,
		start + "wherobots_audit\n      overlap: [1]\n":     false,
		start + "dummy\n      shcema: ecs\n":                true,
		"service:\n  anything: 1\n":                         true,
	} {
		require.Equal(t, isValid, valid(t, text) == nil, text)
	}
}
