package event

import (
	"strconv"
	"strings"
	"unicode"
)

// column is one of the columns that the audit log is known to have (schema AuditLogEventPublic of the vendor's API).
type column int

const (
	EventID column = iota
	EventTime
	ActionName
	UserID
	UserName
	UserAgent
	SourceIP
	ResourceName
	ResourceID
	ComputeRegion
	ClientChain
	SourceClient
	NumColumns
)

// ColumnNames are the snake_case names of the known columns, by column.
var ColumnNames = [NumColumns]string{
	"event_id", "event_time", "action_name", "user_id", "user_name", "user_agent",
	"source_ip", "resource_name", "resource_id", "compute_region", "client_chain", "source_client",
}

// Columns are the columns of one response, in its order. They do not change after newColumns.
type Columns struct {
	Names []string        // snake_case, unique
	Known [NumColumns]int // place of each known column in names, -1 when the response lacks it
}

// NewColumns makes columns of a header's fields. ok is false when no header can be meant: without the time or
// the action, which the API always gives, rows could be neither dated nor understood.
func NewColumns(header []string) (c *Columns, ok bool) {
	c = &Columns{Names: make([]string, len(header))}
	for i := range c.Known {
		c.Known[i] = -1
	}
	taken := make(map[string]bool, len(header))
	for i, field := range header {
		name := uniqueName(snakeCase(field), taken)
		c.Names[i] = name
		for known, knownName := range ColumnNames {
			if name == knownName {
				c.Known[known] = i
			}
		}
	}
	return c, c.Known[EventTime] >= 0 && c.Known[ActionName] >= 0
}

// uniqueName keeps two columns of the same name apart, so that neither value is lost.
func uniqueName(name string, taken map[string]bool) string {
	if name == "" {
		name = "column"
	}
	unique := name
	for n := 2; taken[unique]; n++ {
		unique = name + "_" + strconv.Itoa(n)
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

// startsWord reports whether the upper-case rune at i starts a word: after a small letter or digit
// ("eventTime"), or as the last capital of a run before a small letter ("IPAddress").
func startsWord(runes []rune, i int) bool {
	before := runes[i-1]
	if unicode.IsLower(before) || unicode.IsDigit(before) {
		return true
	}
	return unicode.IsUpper(before) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

// Equal reports whether two responses have the same columns in the same order.
func (c *Columns) Equal(other *Columns) bool {
	if other == nil || len(c.Names) != len(other.Names) {
		return false
	}
	for i, name := range c.Names {
		if other.Names[i] != name {
			return false
		}
	}
	return true
}
