package exporter

// Schema is the shape of the records, the setting schema.
type Schema string

const (
	SchemaRaw  Schema = "raw"  // the CSV's columns under their snake_case names
	SchemaECS  Schema = "ecs"  // Elastic Common Schema
	SchemaOCSF Schema = "ocsf" // Open Cybersecurity Schema Framework, API Activity
)

// newShape prepares an encoder for a response with these columns: everything that does not change from row to row (names,
// constant parts) is encoded in advance.
func newShape(schema Schema, c *columns) *program {
	switch schema {
	case SchemaECS:
		return newECSShape(c)
	case SchemaOCSF:
		return newOCSFShape(c)
	default:
		return newRawShape(c)
	}
}
