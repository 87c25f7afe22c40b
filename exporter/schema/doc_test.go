package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// TestSchemaDoc compares docs/schema.md with the tables that it is made of; go generate ./exporter/... rewrites it.
func TestSchemaDoc(t *testing.T) {
	var d document
	d.line("<!-- Generated from the tables of records (schema) and actions (action) by: go generate ./exporter/... -->")
	d.line("# What lands where\n")
	d.line("The setting `schema` chooses the shape of the records: `raw` (the source's columns under their snake_case")
	d.line(
		"names), `ecs` (Elastic Common Schema %s) or `ocsf` (Open Cybersecurity Schema Framework %s, class",
		ecsVersion, ocsfVersion,
	)
	d.line("API Activity, %d, unless `ocsf_class` is `fine`).\n", action.Classes[action.ClassAPI].UID)
	d.line("Empty values are left out in all three, and so is a map without values. Maps are nested; the dots below stand")
	d.line("for the nesting. `[]` marks a list. Bytes that are not valid UTF-8 become U+FFFD. In every schema the " +
		"record's")
	d.line("own time is `event_time` to the nanosecond. If a row's time cannot be read, it is the end of the " +
		"requested window.\n")
	d.columns()
	d.organization()
	d.constants("ecs", ecsDef)
	d.constants("ocsf", ocsfDef)
	d.classes()
	d.line("## What an action's name means\n")
	d.actions(t)
	d.WriteString(action.Table())
	d.statuses()
	d.example(t)
	golden.Equal(t, filepath.Join("..", "..", "docs", "schema.md"), []byte(d.String()))
}

// TestReadmeSample compares the README's sample with the record that the code writes.
func TestReadmeSample(t *testing.T) {
	sample := fmt.Sprintf("```json\n%s```\n", golden.Indented(t, schemaCases[0].record(t, Raw)))
	golden.Part(t, filepath.Join("..", "..", "README.md"), "sample", sample)
}

type document struct{ strings.Builder }

func (d *document) line(format string, values ...any) { fmt.Fprintf(d, format+"\n", values...) }

func (d *document) columns() {
	d.line("## Columns\n")
	d.line("| column = `raw` | `ecs` | `ocsf` | |\n|---|---|---|---|")
	for _, f := range slices.Concat(auditFields, badFields) {
		d.line("| `%s` | %s | %s | %s |", f.name, placesText(&ecsDef, &f), placesText(&ocsfDef, &f), f.about)
	}
	d.line("| any other | `wherobots.audit.<column>` | `unmapped.<column>` | under its own name; nothing is dropped |\n")
	d.line("In `raw`, an audit event has only the fields that the source sent, plus two on bad rows: `parse_error` and")
	d.line("`raw_line`. If the source has columns with those names, a bad row keeps their values inside the row's " +
		"text only.")
	d.line("An address with a zone (`fe80::1%%eth0`), or several addresses in one value, does not count as an " +
		"address and stays")
	d.line("text. `event.created` and `event.ingested` are not written, so an event that is fetched again makes the same")
	d.line("document (except for its time where `event_time` cannot be read).\n")
}

// placesText spells a field's places for a table.
func placesText(def *schemaDef, f *field) string {
	places := def.places(f)
	if len(places) == 0 && def.rest != "" {
		places = at(def.rest + f.name)
	}
	texts := make([]string, len(places))
	for i, place := range places {
		path, condition, _ := strings.Cut(place, "?")
		texts[i] = "`" + path + "`" + map[string]string{
			"ip": " if it is an address", "noip": " if it is not an address", "email": " if it is an e-mail address",
		}[condition]
	}
	return strings.Join(texts, ", ")
}

func (d *document) constants(name string, def schemaDef) {
	d.line("## Constant in `%s`\n", name)
	d.line("| field | value | when |\n|---|---|---|")
	for _, group := range []struct {
		list []constant
		when string
	}{{def.constants, "always"}, {def.good, "good rows"}, {def.bad, "bad rows"}} {
		for _, c := range group.list {
			when := group.when
			switch c.when {
			case beside:
				when = "where its map has a value from the source"
			case otherwise:
				when = "where its map has no value from the source; the schema requires one"
			}
			d.line("| `%s` | `%v` | %s |", c.place, c.value, when)
		}
	}
	d.line("")
}

func (d *document) organization() {
	d.line("With `organization` or `organization_id` set, every record, the plugin's own included, says whose it is:\n")
	d.line("| setting | `raw` | `ecs` | `ocsf` |\n|---|---|---|---|")
	d.line("| `organization` | `organization` | `organization.name` | `metadata.tenant_uid`, if there is no id |")
	d.line("| `organization_id` | `organization_id` | `organization.id` | `metadata.tenant_uid` |\n")
	d.line("A column of the source that has such a name in `raw` stays what the source says.\n")
}

// classSituations say which actions belong to a class.
var classSituations = [action.NumClasses]string{
	action.ClassAPI:            "everything else, and everything that was denied but for logins",
	action.ClassAccount:        "users, members, invitations and passwords: what changes them",
	action.ClassAuthentication: "login, logout",
	action.ClassEntity: "keys, tokens and other credentials, service principals, roles that are created or deleted; " +
		"reading of everything in the category `iam`",
	action.ClassAccess:    "roles, policies and permissions that are given, taken or changed",
	action.ClassGroup:     "groups, and users that are added to or removed from them",
	action.ClassDatastore: "the category `database`: catalogs, tables, queries",
	action.ClassFile:      "the category `file`",
}

// classes are the table for ocsf_class fine.
func (d *document) classes() {
	d.line("## `ocsf_class: fine`\n")
	d.line("With `schema: ocsf` and `ocsf_class: fine`, an event is written as the class that fits its action.")
	d.line("Everything above stays but for `class_uid`, `category_uid`, `type_uid`, their names, `activity_id`, and")
	d.line("the place of the resource; `api.operation` and `metadata.log_name: audit-log` are in every class. An")
	d.line("activity that a class does not number is 99 Other and has the action's name. What a class requires and")
	d.line("the source does not say is `unknown`: of User Access Management the user, and the privilege where the")
	d.line("event has no `resource_name`. Bad rows are API Activity, status events the base event, as with `api`.")
	d.line("What this makes of each operation of the vendor stands in")
	d.line("[ocsf_classes.tsv](../exporter/action/testdata/ocsf_classes.tsv).\n")
	d.line("| class | actions | activities | `resource_name`, `resource_id` |\n|---|---|---|---|")
	for class := range action.NumClasses {
		of := &action.Classes[class]
		activities := of.Activities
		if activities == nil {
			activities = action.OCSFActivityNames
		}
		var texts []string
		for _, id := range slices.Sorted(maps.Keys(activities)) {
			if id != action.OCSFUnknown && id != action.OCSFOther {
				texts = append(texts, fmt.Sprintf("%d %s", id, activities[id]))
			}
		}
		def := ocsfClasses[class].def(class)
		var places []string
		for i := range auditFields {
			if f := &auditFields[i]; f.name == "resource_name" || f.name == "resource_id" {
				places = append(places, placesText(def, f))
			}
		}
		d.line("| %d %s | %s | %s | %s |", of.UID, of.Name, classSituations[class], strings.Join(texts, ", "),
			strings.Join(places, ", "))
	}
	d.line("")
}

// exampleActions are operations of the vendor, of those that rules are about.
var exampleActions = []string{
	"createApiKey", "revokeApiKey", "inviteUsers", "updateRole", "deleteUser", "downloadFile", "deleteTable",
	"createNotebookInstance", "destroyNotebookInstance", "exportAuditLog",
}

// actions shows what records make of the examples, and what may surprise in them.
func (d *document) actions(t *testing.T) {
	published := make(map[string]bool)
	for _, o := range operations.Read(t, filepath.Join("..", "action", "testdata", "operations.tsv")) {
		published[o.Name] = true
	}
	d.line("| action | `event.category` | `event.type` (ecs) | `ocsf_class: api` | `ocsf_class: fine` |")
	d.line("|---|---|---|---|---|")
	said := make(map[string]string)
	for _, name := range exampleActions {
		require.True(t, published[name], name)
		c := schemaCase{header: []string{"event_time", "action_name"}, fields: []string{"2026-03-04T05:06:07Z", name}}
		event := c.record(t, ECS)["event"].(map[string]any)
		said[name] = fmt.Sprintf("| %s | %s | %s | %s |", codes(event["category"]), codes(event["type"]),
			activityText(c.record(t, OCSF)), activityText(c.record(t, OCSFFine)))
		d.line("| `%s` %s", name, said[name])
	}
	for name, surprise := range map[string]string{
		"destroyNotebookInstance": "| `process` | `end` |", "deleteTable": "| `database` | `change` |",
		"updateRole": "| 3005 User Access Management: 99 Other |",
	} {
		require.Contains(t, said[name], surprise, "what is said of %s below its table", name)
	}
	d.line("\nWhat may surprise: ECS has no type `deletion` for each category. A deleted notebook instance is `process`,")
	d.line("`end`, and a deleted table `database`, `change`, so a rule on `event.type: deletion` misses both. With")
	d.line("`ocsf_class: fine` a changed role is activity 99 Other, since its class numbers only what is given or taken.")
	d.line("[`wherobots-audit action NAME`](command.md#wherobots-audit-action) tells this for any name. Ask it before")
	d.line("you write a rule.\n")
}

// codes spells a record's list for a table.
func codes(list any) string {
	var texts []string
	for _, value := range list.([]any) {
		texts = append(texts, fmt.Sprintf("`%s`", value))
	}
	return strings.Join(texts, ", ")
}

// activityText is a record's class and activity.
func activityText(record map[string]any) string {
	name := record["class_name"].(string)
	caption := strings.TrimPrefix(record["type_name"].(string), name+": ")
	return fmt.Sprintf("%d %s: %d %s", record["class_uid"], name, record["activity_id"], caption)
}

func (d *document) statuses() {
	d.line("## Status events\n")
	d.line("With `status_events: on` the plugin also emits records about itself, among the audit events: what " +
		"happens to the")
	d.line("collection. Alert on those with a severity of 3 or more.\n")
	d.line("| | `raw` | `ecs` | `ocsf` (base event, class 0) | |\n|---|---|---|---|---|")
	for i := range statusFields {
		f := &statusFields[i]
		raw := schemaDef{places: func(*field) []string { return f.raw }}
		d.line("| %s | %s | %s | %s | %s |", f.name, placesText(&raw, &f.field),
			placesText(&schemaDef{places: ecsDef.places}, &f.field),
			placesText(&schemaDef{places: ocsfDef.places}, &f.field), f.about)
	}
	d.line("\nIn `ecs` their `event.dataset` is `wherobots.status`. ECS has no `event.kind` for good news about a " +
		"pipeline, so those are `event`.\n")
	d.line("| kind | severity | events may be missing | sent when |\n|---|---|---|---|")
	for _, kind := range statusKinds {
		s := Status{Kind: kind}
		d.line("| `%s` | %d %s | %s | %s |", kind, s.weight(), severityNames[s.weight()], eitherWay(s, "no", "yes"),
			statusSituations[kind])
	}
	d.line("")
}

// statusSituations say when a kind is sent, and what to do about it.
var statusSituations = map[Kind]string{
	StatusStarted:         "a collection without a checkpoint has begun",
	StatusRetentionGap:    "the checkpoint is older than what the endpoint has; what lies between is gone",
	StatusCheckpointReset: "the checkpoint's file is gone; restore it, or collect the time before with `start_time`",
	StatusRefused:         "the endpoint has refused requests for five minutes; look at the key and its role",
	StatusRefusedOver:     "it answers again",
	StatusStalled:         "no progress for `stalled_after`; `detail` begins with the cause",
	StatusStalledOver:     "progress again",
	StatusReconciled:      "events appeared later than `overlap`; they were forwarded",
	StatusOverlapTooShort: "a comparison has found such events; set `overlap` higher if this goes on",
	StatusCountMismatch:   "the endpoint counts more events than it exports, also when asked again; see `detail`",
	StatusRefetched:       "something handed over may have been lost; it was fetched again",
	StatusSetAside:        "a destination rejects an event for good; it is kept in a file beside the checkpoint",
	StatusColumnsChanged:  "the export has other columns than before; new ones are forwarded",
	StatusCredentialSwitched: "the credential is refused, and that of `api_key_file_next` is used from now on, or the " +
		"other way round; replace the one that is refused",
	StatusCredentialExpires: "30, 7 and 1 days before `credential_expires`, and then; replace the credential and set " +
		"that anew",
	StatusRewound:     "a person moved the checkpoint back; `detail` says why, and the events are sent again",
	StatusGapAccepted: "a person moved the checkpoint forward; `detail` says why; nothing of the stretch is collected",
	StatusAlive:       "each `status_interval`: it is up; the events since the last one, and how far behind it is",
	StatusHour:        "with `alive`: how many events of a closed hour were handed over, and their digest",
	StatusRowLimit:    "the endpoint leaves out rows beyond a number; windows are shorter from now on",
	StatusRowGap:      "more events at one instant than the endpoint answers with; some of them are missing",
}

func (d *document) example(t *testing.T) {
	require.Equal(t, "usual", schemaCases[0].name)
	d.line("## One event in all three\n\n<!-- shapes:begin -->")
	for _, schema := range []Name{Raw, ECS, OCSF} {
		d.line("`schema: %s`\n\n```json\n%s```\n", schema, golden.Indented(t, schemaCases[0].record(t, schema)))
	}
	d.line("<!-- shapes:end -->")
}
