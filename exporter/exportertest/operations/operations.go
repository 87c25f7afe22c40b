// Package operations knows the operations of the vendor's published API document, and spells their names in the
// ways that an audit log might.
package operations

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Operation is one of the vendor's, with the meaning that a security engineer expects.
type Operation struct {
	Name     string // camelCase, as the document has it
	Category string // ECS: event.category
	Types    string // ECS: event.type, apart by blanks
	Activity string // OCSF: activity_id of the class API Activity
}

// Read reads the table of operations.
func Read(t testing.TB, path string) (all []Operation) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || columns[0] == "operation" {
			continue
		}
		require.Len(t, columns, 6, line)
		all = append(all, Operation{
			Name: columns[0], Category: columns[3], Types: strings.ReplaceAll(columns[4], ",", ""), Activity: columns[5],
		})
	}
	require.NotEmpty(t, all)
	return all
}

// OnlyLooks reports whether the operation changes nothing.
func (o Operation) OnlyLooks() bool { return o.Activity == "2" || strings.HasSuffix(o.Types, "info") }

// inflected are the operations' verbs: past forms and the noun made of each, none of them made by a rule.
var inflected = map[string]struct{ past, gerund, nominal string }{
	"bootstrap": {"bootstrapped", "bootstrapping", ""},
	"cancel":    {"cancelled canceled", "cancelling canceling", "cancellation"},
	"confirm":   {"confirmed", "confirming", "confirmation"},
	"create":    {"created", "creating", "creation"},
	"delete":    {"deleted", "deleting", "deletion"},
	"destroy":   {"destroyed", "destroying", "destruction"},
	"download":  {"downloaded", "downloading", "download"},
	"ensure":    {"ensured", "ensuring", ""},
	"exchange":  {"exchanged", "exchanging", "exchange"},
	"export":    {"exported", "exporting", "export"},
	"get":       {"got", "getting", "retrieval"},
	"initiate":  {"initiated", "initiating", "initiation"},
	"invite":    {"invited", "inviting", "invitation"},
	"latest":    {"", "", ""},
	"link":      {"linked", "linking", ""},
	"list":      {"listed", "listing", ""},
	"query":     {"queried", "querying", "query"},
	"redeem":    {"redeemed", "redeeming", "redemption"},
	"refresh":   {"refreshed", "refreshing", "refresh"},
	"register":  {"registered", "registering", "registration"},
	"rename":    {"renamed", "renaming", ""},
	"replace":   {"replaced", "replacing", "replacement"},
	"revoke":    {"revoked", "revoking", "revocation"},
	"set":       {"set", "setting", ""},
	"switch":    {"switched", "switching", "switch"},
	"test":      {"tested", "testing", "test"},
	"undelete":  {"undeleted", "undeleting", "undeletion"},
	"update":    {"updated", "updating", "update"},
	"verify":    {"verified", "verifying", "verification"},

	"create or update": {"created or updated", "creating or updating", "creation or update"},
}

// Spellings are the name as other programs would write it: in camel and Pascal case, with underscores, dots,
// blanks and hyphens, in capitals, and all of that for the passive ("api key revoked") and the noun ("revocation
// of an api key", "api key revocation").
func (o Operation) Spellings(t testing.TB) (all []string) {
	t.Helper()
	words := split(o.Name)
	phrases := [][]string{words}
	verb, object := words[0], words[1:]
	switch last := words[len(words)-1]; {
	case len(words) > 2 && words[1] == "or":
		verb, object = strings.Join(words[:3], " "), words[3:]
	case last == "register" || last == "bootstrap":
		verb, object = last, words[:len(words)-1]
	}
	forms, known := inflected[verb]
	require.True(t, known, "the verb of %s", o.Name)
	add := func(parts ...string) { phrases = append(phrases, strings.Fields(strings.Join(parts, " "))) }
	thing := strings.Join(object, " ")
	for past := range strings.SplitSeq(forms.past, " ") {
		switch {
		case verb == "create or update":
			add(thing, forms.past)
		case past != "":
			add(thing, past)
			add(thing, "was", past, "by an admin")
		}
	}
	if forms.gerund != "" && verb != "create or update" {
		for gerund := range strings.SplitSeq(forms.gerund, " ") {
			add(gerund, "of a", thing)
		}
	}
	if forms.nominal != "" {
		add(forms.nominal, "of a", thing)
		add(thing, forms.nominal)
	}
	for _, p := range phrases {
		all = append(all, camel(p), pascal(p), strings.Join(p, "_"), strings.Join(p, "."), strings.Join(p, " "),
			strings.Join(p, "-"), strings.ToUpper(strings.Join(p, "_")), strings.ToUpper(p[0][:1])+strings.Join(p, " ")[1:])
	}
	return all
}

// split knows the names' words by their capitals.
func split(name string) (words []string) {
	start := 0
	for i := range name {
		if i > 0 && name[i] >= 'A' && name[i] <= 'Z' {
			words = append(words, strings.ToLower(name[start:i]))
			start = i
		}
	}
	return append(words, strings.ToLower(name[start:]))
}

func camel(words []string) string { return words[0] + pascal(words[1:]) }

func pascal(words []string) string {
	var b strings.Builder
	for _, word := range words {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
