package exporter

// newRawShape makes records of the CSV's columns under their snake_case names: strings, without the empty ones, columns that nobody knows
// included. A bad row has parse_error and raw_line besides what could be read of it.
func newRawShape(c *columns) *program {
	return compile(&rawDef, nil, c.names)
}
