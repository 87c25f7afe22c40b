package dedup

// isPlaceholder reports whether an event_id is what programs write where there is none: Python None, pandas nan, and
// so on. Many events share such a text, and it tells none of them from another.
func isPlaceholder(id []byte) bool {
	if len(id) > len("undefined") {
		return false
	}
	var lower [len("undefined")]byte
	for i, c := range id {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(id)]) {
	case "none", "null", "nil", "nan", "n/a", "na", "undefined", "<na>", "-":
		return true
	default:
		return false
	}
}
