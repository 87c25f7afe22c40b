// Package schema writes a row as a msgpack record in the shape of raw, ecs or ocsf, and the plugin's own
// status events likewise.
package schema

import (
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Name is the shape of the records, the setting schema.
type Name string

const (
	Raw  Name = "raw"  // the CSV's columns under their snake_case names
	ECS  Name = "ecs"  // Elastic Common Schema
	OCSF Name = "ocsf" // Open Cybersecurity Schema Framework, API Activity
	// OCSFFine is OCSF with the class that fits an action best: the setting ocsf_class fine.
	OCSFFine Name = "ocsf_fine"
)

// New prepares an encoder for a response with these columns: everything that does not change from row to row (names,
// constant parts) is encoded in advance.
func New(schema Name, c *event.Columns) *Encoder {
	switch schema {
	case ECS:
		return newECSShape(c)
	case OCSF:
		return compile(&ocsfDef, auditFields, c.Names)
	case OCSFFine:
		return compile(&ocsfDef, auditFields, c.Names).addClasses(c, nil)
	default:
		return newRawShape(c)
	}
}
