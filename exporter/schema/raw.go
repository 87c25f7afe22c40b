package schema

import (
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// newRawShape makes records of the CSV's columns under their snake_case names: strings, without the empty
// ones, columns that nobody knows included. A bad row has parse_error and raw_line besides what could be read
// of it.
func newRawShape(c *event.Columns) *Encoder {
	return compile(&rawDef, nil, c.Names)
}
