package schema

import (
	"strconv"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Status is something about the collection itself that whoever reads the audit log should know: a status
// event, handed over in band when the setting status_events is on.
type Status struct {
	Kind    Kind
	Time    time.Time // when it was noticed; the record's time
	Message string    // one sentence for a person
	From    time.Time // the stretch of the audit log that it is about, zero when there is none
	To      time.Time
	Count   int64  // events concerned, 0 when that says nothing
	Detail  string // what else is known, for instance the source's answer

	Digest   string // of an hour: the sum of its events' hashes, in 16 hexadecimal digits
	Revision int64  // of an hour, from 1 on: a higher one replaces a lower one
	Lag      string // of the checkpoint behind the source's present, in whole seconds
	Version  string // of this plugin

	Organization Organization // whose audit log it is
}

// Kind says what a status event is about.
type Kind string

const (
	StatusStarted         Kind = "collection_started"   // began without a checkpoint
	StatusRetentionGap    Kind = "gap_retention"        // the source no longer has what the checkpoint lacks
	StatusCheckpointReset Kind = "gap_checkpoint_reset" // the checkpoint was lost or begun anew
	StatusRefused         Kind = "refused"              // the source has refused for longer than it should
	StatusRefusedOver     Kind = "refused_over"         // and no longer does
	// nothing has gone on for stalled_after; the detail begins with the cause
	StatusStalled         Kind = "stalled"
	StatusStalledOver     Kind = "stalled_over"      // and it does again
	StatusReconciled      Kind = "reconciled"        // reconciliation found events that had been missed, and sent them
	StatusOverlapTooShort Kind = "overlap_too_short" // events appear later than the overlap allows for
	StatusRowLimit        Kind = "row_limit"         // the source leaves rows out silently; it is asked for fewer
	StatusRowGap          Kind = "gap_row_limit"     // an instant has more events than the source answers at once
	// the source counts more events than it exports
	StatusCountMismatch Kind = "count_mismatch"
	StatusRefetched     Kind = "refetched" // an output dropped events, which were fetched again
	// an output refuses an event for good: it is kept beside the checkpoint
	StatusSetAside       Kind = "event_set_aside"
	StatusColumnsChanged Kind = "columns_changed" // the source's columns are no longer the same
	StatusRewound        Kind = "rewound"         // a person moved the checkpoint back: events are sent again
	StatusGapAccepted    Kind = "gap_accepted"    // a person moved the checkpoint forward: events are left out
	StatusAlive          Kind = "alive"           // the collection is up; what it has handed over since the last one
	StatusHour           Kind = "hour"            // how many events of an hour were handed over, and their digest

	// the credential was refused, and api_key_file_next is used; or that one is no longer
	StatusCredentialSwitched Kind = "credential_switched"
	StatusCredentialExpires  Kind = "credential_expires" // it will soon, or it has, by the setting of that name
)

// statusWeight is how bad a kind is: OCSF's severity_id. A kind that is missing is informational.
var statusWeight = map[Kind]int{
	StatusRetentionGap:    4,
	StatusCheckpointReset: 4,
	StatusRowGap:          4,
	StatusGapAccepted:     4,
	StatusCountMismatch:   3,
	StatusRefused:         3,
	StatusStalled:         3,
	StatusOverlapTooShort: 3,
	StatusSetAside:        3,
	StatusRewound:         2,
	StatusReconciled:      2,
	StatusRowLimit:        2,
	StatusRefetched:       2,
	StatusColumnsChanged:  2,

	StatusCredentialSwitched: 2,
	StatusCredentialExpires:  2,
}

var severityNames = [...]string{"Unknown", "Informational", "Low", "Medium", "High"}

// From this weight on events may be missing: event.kind is pipeline_error, the outcome a failure.
const failureWeight = 3

// TellsMove reports whether it says that a person moved the checkpoint.
func (s Status) TellsMove() bool { return s.Kind == StatusRewound || s.Kind == StatusGapAccepted }

// ID is stable, so that a status event that is sent twice is de-duplicated as audit events are.
func (s Status) ID() string {
	if s.Kind == StatusHour {
		return "status-hour-" + strconv.FormatInt(s.From.Unix()/3600, 10) + "-" + strconv.FormatInt(s.Revision, 10)
	}
	return "status-" + string(s.Kind) + "-" + strconv.FormatInt(s.Time.UnixNano(), 10)
}

// statusFields are the fields of a status event. A field without a place in a schema is left out of it.
var statusFields = []statusField{
	{
		field: field{
			name:  "record_type",
			about: "always wherobots_audit_status; no audit event has this field unless the source sends it",
		},
		raw:   at("record_type"),
		value: func(Status) string { return "wherobots_audit_status" },
	},
	{
		field: field{
			name:  "event_id",
			ecs:   at("event.id"),
			ocsf:  at("metadata.uid"),
			about: "`status-<kind>-<nanoseconds since 1970>`, of an hour `status-hour-<hours since 1970>-<revision>`",
		},
		raw:   at("event_id"),
		value: Status.ID,
	},
	{
		field: field{
			name:  "event_time",
			ocsf:  at("metadata.original_time"),
			about: "when it was noticed, the record's own time",
		},
		raw:   at("event_time"),
		value: func(s Status) string { return stamp(s.Time) },
	},
	{
		field: field{
			name:  "status",
			ecs:   at("event.action", "wherobots.status.kind"),
			ocsf:  at("activity_name", "status_code"),
			about: "the kind",
		},
		raw:   at("status"),
		value: func(s Status) string { return string(s.Kind) },
	},
	{
		field: field{
			name: "message",
			ecs:  at("message"),
			ocsf: at("message"),
		},
		raw:   at("message"),
		value: func(s Status) string { return s.Message },
	},
	{
		field: field{
			name:  "from",
			ecs:   at("event.start"),
			about: "the stretch of the audit log that it is about",
		},
		raw:   at("from"),
		value: func(s Status) string { return stamp(s.From) },
	},
	{
		field: field{
			name: "to",
			ecs:  at("event.end"),
		},
		raw:   at("to"),
		value: func(s Status) string { return stamp(s.To) },
	},
	{
		field: field{
			name:  "from_millis",
			ocsf:  at("start_time?int"),
			about: "`from` in milliseconds since 1970",
		},
		value: func(s Status) string { return millis(s.From) },
	},
	{
		field: field{
			name:  "to_millis",
			ocsf:  at("end_time?int"),
			about: "`to` in milliseconds since 1970",
		},
		value: func(s Status) string { return millis(s.To) },
	},
	{
		field: field{
			name:  "count",
			ecs:   at("wherobots.status.count?int"),
			ocsf:  at("count?int"),
			about: "events concerned",
		},
		raw:   at("count?int"),
		value: func(s Status) string { return number(s.Count) },
	},
	{
		field: field{
			name:  "detail",
			ecs:   at("event.reason"),
			ocsf:  at("status_detail"),
			about: "what else is known, such as the source's answer",
		},
		raw:   at("detail"),
		value: func(s Status) string { return s.Detail },
	},
	{
		field: field{
			name:  "digest",
			ecs:   at("wherobots.status.digest"),
			ocsf:  at("unmapped.digest"),
			about: "of an hour: the sum modulo 2^64 of the XXH3-64 hashes of its `event_id`s, in hexadecimal",
		},
		raw:   at("digest"),
		value: func(s Status) string { return s.Digest },
	},
	{
		field: field{
			name:  "revision",
			ecs:   at("wherobots.status.revision?int"),
			ocsf:  at("unmapped.revision?int"),
			about: "of an hour: a higher one replaces a lower one",
		},
		raw:   at("revision?int"),
		value: func(s Status) string { return number(s.Revision) },
	},
	{
		field: field{
			name:  "lag_seconds",
			ecs:   at("wherobots.status.lag_seconds?int"),
			ocsf:  at("unmapped.lag_seconds?int"),
			about: "from the checkpoint to the source's present",
		},
		raw:   at("lag_seconds?int"),
		value: func(s Status) string { return s.Lag },
	},
	{
		field: field{
			name:  "version",
			ecs:   at("wherobots.status.version"),
			ocsf:  at("unmapped.version"),
			about: "of this plugin",
		},
		raw:   at("version"),
		value: func(s Status) string { return s.Version },
	},
	{
		field: field{
			name:  "organization",
			ecs:   at("organization.name"),
			about: "the setting of that name",
		},
		raw:   at("organization"),
		value: func(s Status) string { return s.Organization.Name },
	},
	{
		field: field{
			name:  "organization_id",
			ecs:   at("organization.id"),
			about: "the setting of that name",
		},
		raw:   at("organization_id"),
		value: func(s Status) string { return s.Organization.ID },
	},
	{
		field: field{
			name:  "tenant",
			ocsf:  at("metadata.tenant_uid"),
			about: "`organization_id`, or without one `organization`",
		},
		value: func(s Status) string { return s.Organization.tenant() },
	},
	{
		field: field{
			name:  "event_kind",
			ecs:   at("event.kind"),
			about: "pipeline_error when events may be missing, else event",
		},
		value: func(s Status) string { return eitherWay(s, "event", "pipeline_error") },
	},
	{
		field: field{
			name:  "outcome",
			ecs:   at("event.outcome"),
			about: "failure when events may be missing, else success",
		},
		value: func(s Status) string { return eitherWay(s, "success", "failure") },
	},
	{
		field: field{
			name:  "status_id",
			ocsf:  at("status_id?int"),
			about: "2 when events may be missing, else 1",
		},
		value: func(s Status) string { return eitherWay(s, "1", "2") },
	},
	{
		field: field{
			name:  "status_name",
			ocsf:  at("status"),
			about: "Failure when events may be missing, else Success",
		},
		value: func(s Status) string { return eitherWay(s, "Success", "Failure") },
	},
	{
		field: field{
			name:  "severity_id",
			ocsf:  at("severity_id?int"),
			about: "see the kinds",
		},
		value: func(s Status) string { return strconv.Itoa(s.weight()) },
	},
	{
		field: field{
			name: "severity",
			ocsf: at("severity"),
		},
		value: func(s Status) string { return severityNames[s.weight()] },
	},
}

// statusField is a field of a status event, with its places in raw, which unlike those of a column are not
// its name alone.
type statusField struct {
	field
	raw   []string
	value func(Status) string // "" when there is nothing to say
}

func (s Status) weight() int {
	if weight, ok := statusWeight[s.Kind]; ok {
		return weight
	}
	return 1
}

func eitherWay(s Status, fine, failure string) string {
	if s.weight() >= failureWeight {
		return failure
	}
	return fine
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// statusDefs are the schemas of status events; without a rest, fields that have no place are left out. OCSF
// has no class for them: they are of the base event, whose class_uid is 0.
var statusDefs = map[Name]schemaDef{
	Raw: {},
	ECS: {places: ecsDef.places, constants: []constant{
		{"ecs.version", ecsVersion, always},
		{"event.dataset", "wherobots.status", always},
		{"event.module", "wherobots", always},
	}},
	OCSF: {
		places: ocsfDef.places,
		constants: []constant{
			{"category_uid", 0, always},
			{"category_name", "Uncategorized", always},
			{"class_uid", 0, always},
			{"class_name", "Base Event", always},
			{"activity_id", action.OCSFOther, always},
			{"type_uid", action.OCSFOther, always},
			{"type_name", "Base Event: Other", always},
			{"metadata.version", ocsfVersion, always},
			{"metadata.log_name", "audit-log-status", always},
			{"metadata.product.name", "Wherobots Cloud", always},
			{"metadata.product.vendor_name", "Wherobots", always},
		},
		derived: []derivation{{kind: opTime}},
	},
}

// statusPrograms are made when the first status event is written.
var statusPrograms = sync.OnceValue(func() map[Name]*Encoder {
	names := make([]string, len(statusFields))
	table := make([]field, len(statusFields))
	raw := make(map[string][]string, len(statusFields))
	for i, f := range statusFields {
		names[i], table[i], raw[f.name] = f.name, f.field, f.raw
	}
	programs := make(map[Name]*Encoder, len(statusDefs))
	for schema, def := range statusDefs {
		if def.places == nil {
			def.places = func(f *field) []string { return raw[f.name] }
		}
		programs[schema] = compile(&def, table, names)
	}
	programs[OCSFFine] = programs[OCSF]
	return programs
})

// AppendStatus appends the record of a status event, a msgpack map. It is not for the hot path. Any goroutine
// may call it.
func AppendStatus(dst []byte, schema Name, s Status) []byte {
	programs := statusPrograms()
	p, ok := programs[schema]
	if !ok {
		p = programs[Raw]
	}
	fields := make([][]byte, len(statusFields))
	for i := range statusFields {
		fields[i] = []byte(statusFields[i].value(s))
	}
	return write(dst, &event.Row{Fields: fields, Time: s.Time}, p.good, nil)
}
