package exporter

import (
	"strings"
	"unicode"
)

// column is one of the columns that the audit log is known to have (schema AuditLogEventPublic of the vendor's API).
type column int

const (
	colEventID column = iota
	colEventTime
	colActionName
	colUserID
	colUserName
	colUserAgent
	colSourceIP
	colResourceName
	colResourceID
	colComputeRegion
	colClientChain
	colSourceClient
	numColumns
)

// columnNames are the snake_case names of the known columns, by column.
var columnNames = [numColumns]string{
	"event_id", "event_time", "action_name", "user_id", "user_name", "user_agent",
	"source_ip", "resource_name", "resource_id", "compute_region", "client_chain", "source_client",
}

// columns are the columns of one response, in its order. They do not change after newColumns.
type columns struct {
	names []string        // snake_case, unique
	known [numColumns]int // place of each known column in names, -1 when the response lacks it
}

// newColumns makes columns of a header's fields. ok is false when no header can be meant: without the time or the action, which
// the API always gives, rows could be neither dated nor understood.
func newColumns(header []string) (c *columns, ok bool) {
	c = &columns{names: make([]string, len(header))}
	for i := range c.known {
		c.known[i] = -1
	}
	taken := make(map[string]bool, len(header))
	for i, field := range header {
		name := uniqueName(snakeCase(field), taken)
		c.names[i] = name
		for known, knownName := range columnNames {
			if name == knownName {
				c.known[known] = i
			}
		}
	}
	return c, c.known[colEventTime] >= 0 && c.known[colActionName] >= 0
}

// uniqueName keeps two columns of the same name apart, so that neither value is lost.
func uniqueName(name string, taken map[string]bool) string {
	if name == "" {
		name = "column"
	}
	unique := name
	for n := 2; taken[unique]; n++ {
		unique = name + "_" + itoa(n)
	}
	taken[unique] = true
	return unique
}

// snakeCase spells a column's name in the one way that records use: "Event Time", "eventTime", "EVENT_TIME" and
// "event-time" all become event_time; "Source IP" and "sourceIP" become source_ip.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "_") {
				b.WriteByte('_')
			}
			continue
		case unicode.IsUpper(r) && i > 0 && startsWord(runes, i) && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Trim(b.String(), "_")
}

// startsWord tells whether the upper-case rune at i starts a word: after a small letter or digit ("eventTime"), or as the last capital
// of a run before a small letter ("IPAddress").
func startsWord(runes []rune, i int) bool {
	before := runes[i-1]
	if unicode.IsLower(before) || unicode.IsDigit(before) {
		return true
	}
	return unicode.IsUpper(before) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

// equal tells whether two responses have the same columns in the same order.
func (c *columns) equal(other *columns) bool {
	if other == nil || len(c.names) != len(other.names) {
		return false
	}
	for i, name := range c.names {
		if other.names[i] != name {
			return false
		}
	}
	return true
}
