package schema

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

const sentinelTable = "WherobotsAudit_CL"

// sentinelColumns are those of schema raw, of status events too, besides the time.
func sentinelColumns() []map[string]any {
	columns := []map[string]any{{"name": "TimeGenerated", "type": "datetime"}}
	seen := make(map[string]bool)
	add := func(place string) {
		name, form, _ := strings.Cut(place, "?")
		if !seen[name] {
			kind := "string"
			if form == "int" {
				kind = "long"
			}
			seen[name] = true
			columns = append(columns, map[string]any{"name": name, "type": kind})
		}
	}
	for _, f := range append(append([]field(nil), auditFields...), badFields...) {
		add(f.name)
	}
	for _, f := range statusFields {
		for _, place := range f.raw {
			add(place)
		}
	}
	return columns
}

// TestSentinelTemplate keeps the table and the data collection rule of conf/sentinel equal to the columns of the
// record: Azure drops what a stream does not declare.
func TestSentinelTemplate(t *testing.T) {
	columns, stream := sentinelColumns(), "Custom-"+sentinelTable
	workspace := "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))]"
	rule := map[string]any{
		"type": "Microsoft.Insights/dataCollectionRules", "apiVersion": "2023-03-11", "kind": "Direct",
		"name": "[parameters('rule')]", "location": "[parameters('location')]",
		"dependsOn": []string{
			"[resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspace'), '" + sentinelTable + "')]",
		},
		"properties": map[string]any{
			"streamDeclarations": map[string]any{stream: map[string]any{"columns": columns}},
			"destinations": map[string]any{
				"logAnalytics": []any{map[string]any{"name": "workspace", "workspaceResourceId": workspace}},
			},
			"dataFlows": []any{map[string]any{
				"streams": []string{stream}, "destinations": []string{"workspace"}, "transformKql": "source",
				"outputStream": stream,
			}},
		},
	}
	table := map[string]any{
		"type": "Microsoft.OperationalInsights/workspaces/tables", "apiVersion": "2022-10-01",
		"name": "[concat(parameters('workspace'), '/" + sentinelTable + "')]",
		"properties": map[string]any{
			"schema": map[string]any{"name": sentinelTable, "columns": columns},
		},
	}
	text := func(about string) map[string]any {
		return map[string]any{"type": "string", "metadata": map[string]any{"description": about}}
	}
	location := text("the workspace's region")
	location["defaultValue"] = "[resourceGroup().location]"
	name := text("name of the data collection rule")
	name["defaultValue"] = "wherobots-audit"
	property := func(path string) map[string]any {
		const of = "resourceId('Microsoft.Insights/dataCollectionRules', parameters('rule'))"
		return map[string]any{"type": "string", "value": "[reference(" + of + ", '2023-03-11')." + path + "]"}
	}
	golden.Equal(t, filepath.Join("..", "..", "conf", "sentinel", "azuredeploy.json"), golden.Indented(t, map[string]any{
		"$schema":        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
		"contentVersion": "1.0.0.0",
		"parameters": map[string]any{
			"workspace": text("name of the Log Analytics workspace"), "location": location, "rule": name,
		},
		"resources": []any{table, rule},
		"outputs": map[string]any{
			"SENTINEL_DCR_ID": property("immutableId"), "SENTINEL_INGESTION_URL": property("endpoints.logsIngestion"),
		},
	}))
}

// TestSentinelTemplateIsNamed in the configuration as the template names it.
func TestSentinelTemplateIsNamed(t *testing.T) {
	names := make(map[any]bool)
	for _, c := range sentinelColumns() {
		names[c["name"]] = true
	}
	for _, s := range statusKinds {
		for name := range (schemaCase{status: &Status{Kind: s, Time: caseTime}}).record(t, Raw) {
			require.True(t, names[name], fmt.Sprint("status events have a column that the table lacks: ", name))
		}
	}
}
