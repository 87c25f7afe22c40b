package exportertest

// Flaw is what is wrong with the row of an event, in each answer that has it.
type Flaw int

const (
	Flawless   Flaw = iota
	ExtraComma      // one comma too many at its end
	OpenQuote       // its last field begins with a quote that nobody closes
)

// appendFlawed writes a row with its flaw.
func (a *Answers) appendFlawed(b []byte, fields []string, end string, flaw Flaw) []byte {
	switch flaw {
	case ExtraComma:
		return append(append(a.appendRow(b, fields, ""), ','), end...)
	case OpenQuote:
		last := len(fields) - 1
		if last > 0 {
			b = a.appendRow(b, fields[:last], ",")
		}
		return append(append(append(b, '"'), fields[last]...), end...)
	default:
		return a.appendRow(b, fields, end)
	}
}
