package exporter

// Schema is the shape of the records, the setting schema.
type Schema string

const (
	SchemaRaw  Schema = "raw"  // the CSV's columns under their snake_case names
	SchemaECS  Schema = "ecs"  // Elastic Common Schema
	SchemaOCSF Schema = "ocsf" // Open Cybersecurity Schema Framework, API Activity
)

// shape writes records of one schema. It is made once for each response, since everything that does not change from row to row (names,
// constant parts) is encoded in advance. append allocates nothing but what it remembers of the first rows and actions.
type shape interface {
	// append appends the record of r, a msgpack map, to dst.
	append(dst []byte, r *row) []byte
}

// newShape prepares the shape of a response with these columns.
func newShape(schema Schema, c *columns) shape {
	switch schema {
	case SchemaECS:
		return newECSShape(c)
	case SchemaOCSF:
		return newOCSFShape(c)
	default:
		return newRawShape(c)
	}
}
