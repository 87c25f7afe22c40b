package e2e

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stanza is a section of a Splunk .conf file.
type stanza map[string]string

// readSplunk parses a file of the add-on as Splunk's spec says: [stanza], key = value, # comments at the
// start of a line, and a backslash at the end of a line that goes on.
func readSplunk(t *testing.T, path ...string) map[string]stanza {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root, "conf", "splunk"}, path...)...))
	require.NoError(t, err)
	stanzas := make(map[string]stanza)
	var current stanza
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "\n\x00")) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			name := line[1 : len(line)-1]
			require.NotContains(t, stanzas, name, "%v: stanza twice", path)
			current = make(stanza)
			stanzas[name] = current
		case strings.HasPrefix(line, "\x00"):
			current[current["\x00last"]] += "\n" + strings.TrimPrefix(line, "\x00")
		default:
			key, value, found := strings.Cut(line, " = ")
			require.True(t, found && current != nil, "%v: %q", path, line)
			require.NotContains(t, current, key, "%v: key twice", path)
			current[key], current["\x00last"] = value, key
		}
	}
	for _, s := range stanzas {
		delete(s, "\x00last")
	}
	return stanzas
}

// Keys that Splunk's spec files (props.conf.spec and so on) know, of those that an add-on like this can use.
var splunkKeys = map[string]string{
	"app.conf": `is_configured|id|check_for_updates|is_visible|label|author|description|version|name`,
	"props.conf": `category|description|pulldown_type|SHOULD_LINEMERGE|LINE_BREAKER|EVENT_BREAKER(_ENABLE)?|` +
		`TIME_PREFIX|TIME_FORMAT|MAX_TIMESTAMP_LOOKAHEAD|TZ|` +
		`MAX_DAYS_AGO|CHARSET|TRUNCATE|KV_MODE|(FIELDALIAS|EVAL)-\w+`,
	"eventtypes.conf": `search|description|priority|disabled`,
	"tags.conf":       `\w+`,
	"macros.conf":     `definition|args|iseval`,
	"savedsearches.conf": `description|search|dispatch\.(earliest|latest)_time|cron_schedule|` +
		`enableSched|alert_type|alert_comparator|alert_threshold|` +
		`alert\.track`,
}

func TestSplunkAddOnFollowsTheSpecs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "conf", "splunk", "default", "*.conf"))
	require.NoError(t, err)
	require.Len(t, files, len(splunkKeys))
	for _, path := range files {
		file := filepath.Base(path)
		known := regexp.MustCompile("^(" + splunkKeys[file] + ")$")
		for name, s := range readSplunk(t, "default", file) {
			for key := range s {
				assert.Regexp(t, known, key, "%s [%s]", file, name)
			}
		}
	}
	assert.Contains(t, readSplunk(t, "metadata", "default.meta")[""], "export")
	for name, s := range readSplunk(t, "default", "savedsearches.conf") {
		if _, scheduled := s["cron_schedule"]; scheduled {
			assert.Equal(t, "0", s["enableSched"], "%s must be off until somebody wants it", name)
		}
		for macro := range strings.SplitSeq(s["search"], "`") {
			if strings.HasPrefix(macro, "wherobots_") {
				macro = regexp.MustCompile(`\([^,]+\)$`).ReplaceAllString(macro, "(1)")
				assert.Contains(t, readSplunk(t, "default", "macros.conf"), macro)
			}
		}
	}
	assert.Contains(
		t, readSplunk(t, "default", "macros.conf")["wherobots_audit"]["definition"],
		"dedup event_id keepempty=true",
	)
}

// An alert that looks at the last minutes by the event's own time never sees what arrives late, after an outage or in
// a backfill. So each looks at the time of arrival, and far back by the event's own. A sign of life is another matter:
// one of yesterday that arrives now is none.
func TestSplunkAlertsSeeWhatArrivesLate(t *testing.T) {
	t.Parallel()
	alerts := 0
	for name, s := range readSplunk(t, "default", "savedsearches.conf") {
		switch {
		case s["alert_type"] == "", name == "Wherobots audit: no sign of life", name == "Wherobots audit: hours that differ":
			continue
		}
		alerts++
		assert.Equal(t, "-91d@d", s["dispatch.earliest_time"], name)
		assert.Equal(t, "+1d", s["dispatch.latest_time"], "%s: clocks differ", name)
		assert.Regexp(t, "_index_earliest=|_indextime|wherobots_audit_arrived", s["search"], name)
	}
	assert.Equal(t, 6, alerts)
	macros := readSplunk(t, "default", "macros.conf")
	assert.Contains(t, macros["wherobots_audit_arrived(1)"]["definition"], "_index_earliest=$since$ | dedup event_id")
}

// TestSplunkHealthView: its searches go through the macros, and it shows every kind that the alert is about.
func TestSplunkHealthView(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(
		root, "conf", "splunk", "default", "data", "ui", "views", "wherobots_collection_health.xml",
	))
	require.NoError(t, err)
	var queries []string
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "query" {
			var query string
			require.NoError(t, decoder.DecodeElement(&query, &element))
			assert.True(t, strings.HasPrefix(query, "`wherobots_audit_source` "), query)
			queries = append(queries, query)
		}
	}
	require.Len(t, queries, 7)
	alert := readSplunk(t, "default", "savedsearches.conf")["Wherobots audit: collection gap"]["search"]
	kinds := regexp.MustCompile(`status IN \([^)]*\)`).FindString(alert)
	require.NotEmpty(t, kinds)
	assert.Contains(t, strings.Join(queries, "\n"), kinds)
}

func TestSplunkTagsFollowEventtypes(t *testing.T) {
	t.Parallel()
	eventtypes := readSplunk(t, "default", "eventtypes.conf")
	models := map[string]bool{"change": true, "account": true, "authentication": true}
	for name, tags := range readSplunk(t, "default", "tags.conf") {
		eventtype, found := strings.CutPrefix(name, "eventtype=")
		require.True(t, found, name)
		require.Contains(t, eventtypes, eventtype)
		for tag, value := range tags {
			assert.True(t, models[tag], "%s is no tag of Change or Authentication", tag)
			assert.Equal(t, "enabled", value)
		}
	}
	sourcetype := parseConf(t, "splunk.yaml").Pipeline.Outputs[0]["event_sourcetype"].(string)
	require.Contains(t, readSplunk(t, "default", "props.conf"), sourcetype)
	for name, s := range eventtypes {
		assert.Contains(t, s["search"], `sourcetype="`+sourcetype+`"`, name)
	}
}

// splunkName is what the add-on's patterns are held against: the name, split where a capital begins a word.
const splunkName = `replace(replace(action_name, "([A-Z])([A-Z][a-z])", "\1_\2"), "([a-z0-9])([A-Z])", "\1_\2")`

// splunkCase evaluates the add-on's case() over an action's name: match(replace(…), "pattern"), "value"
// lines, of which the first that matches wins. A line may first replace what is no word of its own.
func splunkCase(t *testing.T, expression, name string) string {
	t.Helper()
	require.True(t, strings.HasPrefix(expression, "case("), expression)
	words := regexp.MustCompile(`([A-Z])([A-Z][a-z])`).ReplaceAllString(name, "${1}_${2}")
	words = regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(words, "${1}_${2}")
	pattern := regexp.MustCompile(
		`match\((?:replace\()?` + regexp.QuoteMeta(splunkName) + `(?:, "([^"]*)", "([^"]*)"\))?, "([^"]*)"\)`,
	)
	group := regexp.MustCompile(`\\(\d)`)
	matches := func(p []string) bool {
		text := words
		if p[1] != "" {
			text = regexp.MustCompile(p[1]).ReplaceAllString(text, group.ReplaceAllString(p[2], "$${$1}"))
		}
		return regexp.MustCompile(p[3]).MatchString(text)
	}
	value := regexp.MustCompile(`, "(\w+)"[,)]?\s*$`)
	for _, line := range strings.Split(strings.TrimSpace(expression), "\n")[1:] {
		result := value.FindStringSubmatch(line)
		require.NotNil(t, result, line)
		patterns := pattern.FindAllStringSubmatch(line, -1)
		require.NotEmpty(t, patterns, line)
		if slices.ContainsFunc(patterns, matches) {
			return result[1]
		}
	}
	return ""
}

func TestSplunkActions(t *testing.T) {
	t.Parallel()
	props := readSplunk(t, "default", "props.conf")["wherobots:audit"]
	for name, want := range map[string][2]string{
		"api_key_created":           {"created", "credential"},
		"CreateApiKey":              {"created", "credential"},
		"APIKeyRevoked":             {"deleted", "credential"},
		"Create API Key":            {"created", "credential"},
		"user.role.granted":         {"modified", "role"},
		"role_revoked":              {"deleted", "role"},
		"service_principal_created": {"created", "user"},
		"delete_file":               {"deleted", "file"},
		"directories_listed":        {"read", "directory"},
		"job_run_submitted":         {"started", "process"},
		"JobRunCancelled":           {"stopped", "process"},
		"notebook_stopped":          {"stopped", "process"},
		"table_updated":             {"modified", "database"},
		"environment_setting_set":   {"modified", "configuration"},
		"audit_log_exported":        {"read", ""},
		"user_login":                {"success", "user"},
		"user_login_failed":         {"failure", "user"},
		"failed_sign_in":            {"failure", ""},
		"user_logged_out":           {"logoff", "user"},
		"something_entirely_odd":    {"", ""},
		"pebble_thread_settle":      {"", ""},
	} {
		assert.Equal(t, want[0], splunkCase(t, props["EVAL-action"], name), "action of %s", name)
		assert.Equal(t, want[1], splunkCase(t, props["EVAL-object_category"], name), "object_category of %s", name)
	}
	assert.Equal(t, "AAA", splunkCase(t, props["EVAL-change_type"], "api_key_created"))
}
