package schema

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

// schemaCase is a row, or a status event, and what the golden files call it.
type schemaCase struct {
	name   string
	header []string // knownHeader when nil
	fields []string
	bad    string
	raw    string
	status *Status
}

var (
	knownHeader = event.ColumnNames[:]
	caseTime    = time.Date(2026, 3, 4, 5, 6, 7, 890_123_456, time.UTC)
)

var schemaCases = []schemaCase{
	{name: "usual", fields: []string{
		"0c9c6d6e-0001", "2026-03-04T05:06:07.890123456Z", "api_key_created", "u-17", "ada@example.com",
		"Mozilla/5.0 (X11; Linux x86_64)",
		"203.0.113.7", "ci-key", "key-1", "aws-us-west-2", "console>gateway", "console",
	}},
	{
		name:   "null fields",
		fields: []string{"", "2026-03-04T05:06:07Z", "notebook_deleted", "", "", "", "", "", "", "", "", ""},
	},
	{name: "IPv6", fields: []string{
		"0c9c6d6e-0002", "2026-03-04T05:06:07Z", "user_login", "u-18", "grace@example.com", "curl/8.5", "2001:db8::7",
		"", "", "", "", "sdk",
	}},
	{name: "address that is none", fields: []string{
		"0c9c6d6e-0003", "2026-03-04T05:06:07Z", "login_failed", "u-19", "not an address", "",
		"203.0.113.7, 10.0.0.1", "", "", "", "", "",
	}},
	{name: "unknown action", fields: []string{
		"0c9c6d6e-0004", "2026-03-04T05:06:07Z", "Frobnicate: Gizmo №5", "sp-1", "sp-1", "", "10.0.0.1", "",
		"gizmo-5", "", "", "",
	}},
	{
		name:   "unknown columns and another order",
		header: []string{"Action Name", "Event Time", "organizationId", "Event ID", "Parse Error", "record_type"},
		fields: []string{"jobRunCancelled", "2026-03-04 05:06:07", "org-1", "0c9c6d6e-0005", "none", "the source's own"},
	},
	{
		name: "bad row: ragged", fields: []string{"0c9c6d6e-0006", "2026-03-04T05:06:07Z", "file_uploaded"},
		bad: "3 fields, the header has 12", raw: "0c9c6d6e-0006,2026-03-04T05:06:07Z,file_uploaded",
	},
	{
		name: "bad row: nothing to read", bad: "a quote that does not end", raw: "\"\xff\xfe",
		header: []string{"event_id", "event_time", "action_name", "parse_error"},
	},
	{name: "bytes that are no UTF-8", fields: []string{
		"0c9c6d6e-0007", "2026-03-04T05:06:07Z", "rename\xff_file", "u-1", "", "agent\xc3(", "fe80::1%eth0",
		"a\xf0\x90b", "", "", "", "",
	}},
	{name: "status: gap", status: &Status{
		Kind: StatusRetentionGap, Time: caseTime, From: caseTime.Add(-time.Hour), To: caseTime.Add(-time.Minute),
		Message: "events older than the source keeps were not collected",
	}},
	{name: "status: reconciled", status: &Status{
		Kind: StatusReconciled, Time: caseTime, Count: 300, Message: "reconciliation found events",
		Detail: "2 minutes differed",
	}},
}

// row makes the case's row as the decoder would.
func (c schemaCase) row(t testing.TB) *event.Row {
	header := c.header
	if header == nil {
		header = knownHeader
	}
	cols, ok := event.NewColumns(header)
	require.True(t, ok, "header %q", header)
	r := &event.Row{Columns: cols, Time: caseTime, Bad: c.bad}
	for _, value := range c.fields {
		r.Fields = append(r.Fields, []byte(value))
	}
	if c.raw != "" {
		r.Raw = []byte(c.raw)
	}
	return r
}

// record encodes the case and reads it back.
func (c schemaCase) record(t testing.TB, schema Name) map[string]any {
	if c.status != nil {
		return records.Record(t, AppendStatus(nil, schema, *c.status))
	}
	r := c.row(t)
	return records.Record(t, New(schema, r.Columns).Append(nil, r))
}

var allSchemas = []Name{Raw, ECS, OCSF, OCSFFine}

// leaves are a record's values by dotted path; a list's values share its path.
func leaves(record map[string]any) map[string][]any {
	found := make(map[string][]any)
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, inner := range value {
				walk(path+"."+key, inner)
			}
		case []any:
			for _, inner := range value {
				walk(path, inner)
			}
		default:
			found[path[1:]] = append(found[path[1:]], value)
		}
	}
	walk("", record)
	return found
}
