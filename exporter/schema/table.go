package schema

import "github.com/wherobots/in_wherobots_audit/exporter/action"

//go:generate go test -run ^(TestSchemaDoc|TestSchemaGolden|TestReadmeSample|TestSentinel(Template|Rules))$ -update .

// This file is the one place that says what lands where. The shapes are compiled from it and docs/schema.md
// is generated from it.
//
// A place is a path of keys joined by dots, each key but the last naming a nested map. "[]" after a key makes
// it a list: at the end of a path ("related.user[]") the list holds the values of every column that names it,
// before the end ("resources[].uid") it holds one map. After "?" stands the form: what a value must look like
// to be written there, see form.

// field says where one value of the source lands. An empty list of places means the schema's rest:
// wherobots.audit.<name> in ecs, unmapped.<name> in ocsf; columns that the table does not know go there too.
// In raw a column keeps its own name.
type field struct {
	name  string   // the column's snake_case name
	ecs   []string // places in schema ecs
	ocsf  []string // places in schema ocsf
	about string   // for the documentation
}

// auditFields are the columns of the audit log (schema AuditLogEventPublic of the vendor's API).
var auditFields = []field{
	{
		name:  "event_id",
		ecs:   at("event.id"),
		ocsf:  at("metadata.uid"),
		about: "unique: what to de-duplicate by",
	},
	{
		name: "event_time",
		ocsf: at("metadata.original_time"),
		about: "as the source wrote it; the record's own time is the same instant (`@timestamp`; `time` in ocsf, in " +
			"milliseconds)",
	},
	{
		name:  "action_name",
		ecs:   at("event.action"),
		ocsf:  at("api.operation", "message"),
		about: "also decides category and type, see below",
	},
	{
		name: "user_id",
		ecs:  at("user.id", "related.user[]"),
		ocsf: at("actor.user.uid"),
	},
	{
		name:  "user_name",
		ecs:   at("user.name", "user.email?email", "related.user[]"),
		ocsf:  at("actor.user.name", "actor.user.email_addr?email"),
		about: "an e-mail address in the vendor's console",
	},
	{
		name: "user_agent",
		ecs:  at("user_agent.original"),
		ocsf: at("http_request.user_agent"),
	},
	{
		name: "source_ip",
		ecs:  at("source.address", "source.ip?ip", "related.ip[]?ip"),
		ocsf: at("src_endpoint.ip?ip", "src_endpoint.name?noip"),
	},
	{
		name: "resource_name",
		ocsf: at("resources[].name"),
	},
	{
		name: "resource_id",
		ocsf: at("resources[].uid"),
	},
	{
		name: "compute_region",
		ecs:  at("cloud.region"),
		ocsf: at("cloud.region"),
	},
	{
		name: "client_chain",
	},
	{
		name: "source_client",
		ocsf: at("actor.app_name"),
	},
}

// badFields are what a bad row has besides the columns that could be read.
var badFields = []field{
	{
		name:  fieldReason,
		ecs:   at("error.message"),
		ocsf:  at("status_detail", "unmapped.parse_error"),
		about: "why the row could not be read; only on bad rows",
	},
	{
		name:  fieldRawLine,
		ecs:   at("event.original"),
		ocsf:  at("raw_data"),
		about: "the row's text as it came; only on bad rows",
	},
}

// Names of the fields of a bad row in schema raw. A column of the source that has such a name is left out of
// bad rows: it is in raw_line.
const (
	fieldReason  = "parse_error"
	fieldRawLine = "raw_line"
)

// constant is a value that does not come from the source.
type constant struct {
	place string
	value any // string, int or []string
	when  presence
}

// presence says when a constant is written.
type presence int

const (
	always    presence = iota // in every record; its map is then never left out
	beside                    // only where its map has a value from the source
	otherwise                 // only where its map would else be empty, for attributes that a schema requires
)

// schemaDef is a schema: where fields go, and what is written besides them.
type schemaDef struct {
	places    func(*field) []string
	rest      string     // the path, with its last dot, of fields without a place; "" leaves them out
	constants []constant // of every record
	good, bad []constant // of good and of bad rows
	derived   []derivation
}

// derivation adds what is worked out from a row rather than copied.
type derivation struct {
	object string // the map that gets the entries, "" for the record itself
	kind   opKind
	// of an opAction: the entries that an action's name stands for
	entries actionEntries
	rows    rowKind
}

type rowKind int

const (
	everyRow rowKind = iota
	goodRows
	badRows
)

const (
	ecsVersion  = "9.4.0"
	ocsfVersion = "1.8.0"
)

var rawDef = schemaDef{places: func(f *field) []string { return at(f.name) }}

var ecsDef = schemaDef{
	places: func(f *field) []string { return f.ecs },
	rest:   "wherobots.audit.",
	constants: []constant{
		{"ecs.version", ecsVersion, always},
		{"event.dataset", "wherobots.audit", always},
		{"event.module", "wherobots", always},
	},
	good:    []constant{{"event.kind", "event", always}},
	bad:     []constant{{"event.kind", "pipeline_error", always}},
	derived: []derivation{{object: "event", kind: opAction, entries: ecsAction}},
}

var ocsfDef = schemaDef{
	places: func(f *field) []string { return f.ocsf },
	rest:   "unmapped.",
	constants: []constant{
		{"category_uid", 6, always},
		{"category_name", "Application Activity", always},
		{"class_uid", action.Classes[action.ClassAPI].UID, always},
		{"class_name", "API Activity", always},
		{"metadata.version", ocsfVersion, always},
		{"metadata.profiles", []string{"cloud"}, always},
		{"metadata.log_name", "audit-log", always},
		{"metadata.product.name", "Wherobots Cloud", always},
		{"metadata.product.vendor_name", "Wherobots", always},
		{"cloud.provider", "Wherobots", always},
		{"api.operation", unknown, otherwise},
		{"actor.app_name", unknown, otherwise},
		{"src_endpoint.name", unknown, otherwise},
		{"actor.user.type_id", 0, beside},  // Unknown: the source does not tell people from service principals
		{"resources[].role_id", 1, beside}, // Target
	},
	good: []constant{{"severity_id", 1, always}, {"severity", "Informational", always}},
	bad: []constant{
		{"severity_id", 0, always},
		{"severity", "Unknown", always},
		{"status_id", 99, always},
		{"status", "parse_error", always},
	},
	derived: []derivation{
		{kind: opTime},
		{kind: opAction, entries: actionEntries{activityEntries, apiActivity}.withOutcome(), rows: goodRows},
		{kind: opAction, entries: actionEntries{activityEntries, apiActivity}, rows: badRows},
	},
}

// unknown stands for what a schema requires and the source did not say.
const unknown = "unknown"

func at(places ...string) []string { return places }
