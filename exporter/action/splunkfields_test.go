package action

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// splunkFields works out the add-on's calculated fields of an action's name, as Splunk does: the first line of a
// case() that matches wins.
type splunkFields map[string][]struct {
	of      string // which form of the name
	pattern *regexp.Regexp
	value   string
}

func readSplunkFields(t testing.TB) splunkFields {
	text, err := os.ReadFile(filepath.Join("..", "..", "conf", "splunk", "default", "props.conf"))
	require.NoError(t, err)
	fields := make(splunkFields)
	field := ""
	line := regexp.MustCompile(`^    match\((` + regexp.QuoteMeta(splunkDeed()) + `|` +
		regexp.QuoteMeta(splunkThing) + `|` + regexp.QuoteMeta(splunkName) +
		`), "(.*)"\), "(\w+)"\)?(?:, \\)?$`)
	for text := range strings.SplitSeq(string(text), "\n") {
		if name, isCase := strings.CutSuffix(text, ` = case( \`); isCase {
			field = strings.TrimPrefix(name, "EVAL-")
			continue
		}
		if !strings.HasPrefix(text, "    ") {
			continue
		}
		found := line.FindStringSubmatch(text)
		require.NotNil(t, found, text)
		fields[field] = append(fields[field], struct {
			of      string
			pattern *regexp.Regexp
			value   string
		}{found[1], regexp.MustCompile(found[2]), found[3]})
	}
	require.Len(t, fields, 3)
	return fields
}

var (
	capital    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	otherParty = regexp.MustCompile(`(?i)([a-z0-9])[\W_]+(by|with|via|using)[\W_].*`)
	likeVerbs  = regexp.MustCompile(thingsLikeVerbs())
	afterBlock = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
)

// splunkWords is what splunkName makes of a name.
func splunkWords(name string) string {
	return capital.ReplaceAllString(afterBlock.ReplaceAllString(name, "${1}_${2}"), "${1}_${2}")
}

func (f splunkFields) of(name, field string) string {
	key := [2]string{splunkWords(name), field}
	value, known := splunkKnown[key]
	if known {
		return value
	}
	texts := map[string]string{
		splunkName:   key[0],
		splunkThing:  otherParty.ReplaceAllString(key[0], "${1}"),
		splunkDeed(): likeVerbs.ReplaceAllString(key[0], "${1}${2}"),
	}
	for _, line := range f[field] {
		if line.pattern.MatchString(texts[line.of]) {
			value = line.value
			break
		}
	}
	splunkKnown[key] = value
	return value
}

// splunkKnown remembers values, which take these tests most of their time.
var splunkKnown = make(map[[2]string]string)

// splunkSpellings leaves out what is the same to the patterns: they read any mark between words alike.
func splunkSpellings(t testing.TB, o operations.Operation) (names []string) {
	seen := make(map[string]bool)
	for _, name := range o.Spellings(t) {
		words := strings.NewReplacer(".", "_", " ", "_", "-", "_").Replace(splunkWords(name))
		if words = strings.ToLower(words); !seen[words] {
			seen[words] = true
			names = append(names, name)
		}
	}
	return names
}

// splunkAction is CIM's action for what a name means.
func (a Action) splunkAction() string {
	if a.Outcome == outcomeFailure && a.Verb == verbLogin {
		return "failure"
	}
	if category := kindTable[a.kind].category; category == catIAM || category == catConfiguration && a.kind > kindPlace {
		if a.Verb == verbStart || a.Verb == verbStop {
			return "modified"
		}
	}
	for _, row := range splunkVerbs {
		if slices.Contains(row.verbs, a.Verb) {
			return row.value
		}
	}
	return ""
}

func (a Action) splunkObject() string {
	for _, row := range splunkKinds {
		if slices.Contains(row.kinds, a.kind) {
			return row.value
		}
	}
	return ""
}

// splunkDiffers are the names of which patterns tell less than the words do, with the action that they tell.
var splunkDiffers = map[string]string{
	"JobRunSubmitted":          "started", // a job that is submitted begins
	"permission_added":         "created", // by the verb: adding and removing are giving and taking
	"role added to user":       "created",
	"login method changed":     "modified", // no object
	"update login":             "modified",
	"audit_log_deleted":        "deleted",
	"organization left":        "deleted", // the organization's, where the user left
	"SqlQueryExecuted":         "started",
	"query executed":           "started",
	"isochrone query executed": "started",
	// What was started, other than processes and sessions.
	"file import started":                  "started",
	"file.download.started":                "started",
	"project_export_file_download_started": "started",
	"table compaction triggered":           "started",
	// What was only noticed.
	"credential leak detected":     "modified",
	"session hijack suspected":     "modified",
	"refresh token reuse detected": "modified",
	"user invitation bounced":      "created",
	// Two nouns in one word, or a noun that is a verb, too.
	"projectkey.create":            "created",
	"wherobots:jobrun:cancelled":   "stopped",
	"public link generated":        "created",
	"KILL QUERY":                   "stopped",
	"run_query":                    "read",
	"download_query_results":       "read",
	"scheduled run skipped":        "started",
	"datasource.permissions_added": "created",

	"FILE UPLOADED TO STORAGE INTEGRATION": "created", // the integration

	// No object: the audit log, and what is told by a verb alone.
	"audit_log_export_disabled": "modified",
	"downloadQueryResult":       "read",
	"GetQueryResults":           "read",
	"glue create link fetched":  "read",

	"login_failed_with_standard_authentication": "failure",
	"auth.login_succeeded":                      "success",
	"ListAttachedRolePolicies":                  "modified", // by the past form

	"Removed product access from group": "modified", // the group
	// The object of a compound, which outdoes its parts.
	"user.session.impersonation.initiate": "modified",
}

// TestSplunkSaysTheSame: the add-on calls every operation of the vendor, in every spelling, and every other name
// of these tests what the records of the other schemas do.
func TestSplunkSaysTheSame(t *testing.T) {
	fields := readSplunkFields(t)
	check := func(name string) {
		if action, differs := splunkDiffers[name]; differs {
			assert.Equal(t, action, fields.of(name, "action"), "action of %q", name)
			return
		}
		a := Classify([]byte(name))
		assert.Equal(t, a.splunkAction(), fields.of(name, "action"), "action of %q", name)
		assert.Equal(t, a.splunkObject(), fields.of(name, "object_category"), "object_category of %q", name)
		change := ""
		if a.splunkObject() != "" {
			change = splunkChangeType(a.kind)
		}
		assert.Equal(t, change, fields.of(name, "change_type"), "change_type of %q", name)
	}
	for _, o := range readOperations(t) {
		for _, name := range splunkSpellings(t, o) {
			check(name)
		}
	}
	for _, e := range readNames(t) {
		check(e.name)
	}
	for _, name := range []string{"user_login", "login_failed", "failed sign in", "logged out", "SignedIn"} {
		check(name)
	}
}

// TestSavedSearches plants every operation, in every spelling, and requires that a search finds just those that it
// is meant for.
func TestSavedSearches(t *testing.T) {
	fields := readSplunkFields(t)
	isChange := func(o operations.Operation) bool { return !o.OnlyLooks() }
	meant := map[[2]string]func(operations.Operation) bool{
		{"savedsearches.conf", "Wherobots audit: API key created"}: func(o operations.Operation) bool {
			return o.Name == "createApiKey" || o.Name == "createIngestCredentials"
		},
		{"savedsearches.conf", "Wherobots audit: role granted"}: func(o operations.Operation) bool {
			return o.Name == "updateRole" || o.Name == "switchCustomerRole"
		},
		{"savedsearches.conf", "Wherobots audit: many deletions"}: func(o operations.Operation) bool {
			return o.Activity == "4"
		},
		{"savedsearches.conf", "Wherobots audit: export from a new address"}: func(o operations.Operation) bool {
			return strings.HasPrefix(o.Name, "export") || strings.HasPrefix(o.Name, "download")
		},
		{"savedsearches.conf", "Wherobots audit: outside usual hours"}: func(o operations.Operation) bool {
			return isChange(o) && o.Activity != "99"
		},
		{"eventtypes.conf", "wherobots_audit_change"}: isChange,
		{"eventtypes.conf", "wherobots_audit_account_change"}: func(o operations.Operation) bool {
			return isChange(o) && o.Category == "iam"
		},
		{"eventtypes.conf", "wherobots_audit_authentication"}: func(operations.Operation) bool { return false },
	}
	searches := make(map[[2]string]savedSearch)
	for title := range meant {
		searches[title] = splunkSearch(t, title[0], title[1])
	}
	for _, o := range readOperations(t) {
		for _, name := range splunkSpellings(t, o) {
			event := map[string]string{"action_name": name}
			for field := range fields {
				event[field] = fields.of(name, field)
			}
			for title, isMeant := range meant {
				assert.Equal(t, isMeant(o), searches[title].finds(event), "%s: %s as %q", title[1], o.Name, name)
			}
		}
	}
}

// savedSearch are the conditions of a search on the fields that follow from an action's name: the values that each
// may have.
type savedSearch map[string][]string

var searchCondition = regexp.MustCompile(
	`\b(action|object_category|change_type|action_name)(?:="([^"]*)"| IN \(([^)]*)\))`,
)

func splunkSearch(t testing.TB, file, title string) savedSearch {
	text, err := os.ReadFile(filepath.Join("..", "..", "conf", "splunk", "default", file))
	require.NoError(t, err)
	_, stanza, found := strings.Cut(string(text), "["+title+"]\n")
	require.True(t, found, title)
	_, query, found := strings.Cut(stanza, "search = ")
	require.True(t, found, title)
	query, _, _ = strings.Cut(query, "\n")
	query, _, _ = strings.Cut(query, " | ")
	search := make(savedSearch)
	for _, c := range searchCondition.FindAllStringSubmatch(query, -1) {
		values := []string{c[2]}
		if c[3] != "" {
			values = strings.Split(strings.ReplaceAll(c[3], `"`, ""), ", ")
		}
		search[c[1]] = append(search[c[1]], values...)
	}
	require.NotEmpty(t, search, "%s: conditions of %q", title, query)
	return search
}

func (s savedSearch) finds(event map[string]string) bool {
	for field, values := range s {
		if !slices.ContainsFunc(values, func(value string) bool {
			if part := strings.Trim(value, "*"); part != value {
				return strings.Contains(strings.ToLower(event[field]), part)
			}
			return event[field] == value
		}) {
			return false
		}
	}
	return true
}
