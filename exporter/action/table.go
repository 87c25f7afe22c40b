package action

//go:generate go test -run ^(TestSplunkWords|TestOCSFClassesOfOperations)$ -update .

import (
	"fmt"
	"slices"
	"strings"
)

type tableWriter struct{ strings.Builder }

func (d *tableWriter) line(format string, values ...any) { fmt.Fprintf(d, format+"\n", values...) }

// Table is the part of the documentation that says what the words of an action's name mean, as Markdown below a
// heading.
func Table() string {
	var d tableWriter
	d.line("A new action should not need a new release, so category and type come from the words of the name, in any")
	d.line("spelling (`api_key_created`, `ApiKeyCreated`, `Create API key`, `creation of an API key`). The strongest verb")
	d.line("counts; of equally strong ones the last word, else the first, else those between. Strong are the past forms")
	d.line("(`exported`) and verbs that are nothing else; then come those that are nouns as well or made of a verb " +
		"(*italic*)")
	d.line("and, in parentheses, those that count only when no other word is a verb. Of the nouns, the one furthest down")
	d.line("this table counts, and who did it, or whom or what it was done with (\"by an admin\", \"with a user\"), " +
		"does not.")
	d.line("Verbs with \"re\" in front (`reuploaded`), British spellings (`anonymised`) and verbs in two pieces " +
		"(`spun up`,")
	d.line("`de-provisioned`) are known as well. A deletion that is cancelled is a change, a download that is started a " +
		"read.")
	d.line("What this makes of each operation of the vendor's published API stands in")
	d.line("[operations.tsv](../exporter/action/testdata/operations.tsv), and of some hundreds of")
	d.line("other names in [names.tsv](../exporter/action/testdata/names.tsv); tests hold it against both.\n")
	d.line("| `event.category` | nouns, in the plural too |\n|---|---|")
	for k := range numKinds {
		d.line("| %s | %s |", kindText(k), kindWords(k))
	}
	d.line("| `authentication` | by the verb: login, logout |")
	d.line("\n| verb | `activity_id` (ocsf) | `event.type` (ecs) |\n|---|---|---|")
	for v := range numVerbs {
		d.verb(v)
	}
	d.line("\nIn the category `iam`, the types also include `user`, `group` or `admin` (roles, rights, policies) " +
		"where the noun")
	d.line("says so. `event.outcome` and `status_id` are `failure` when the name says failed, invalid, denied or " +
		"the like,")
	d.line("`success` when it says succeeded or completed, and otherwise `unknown`: the source does not say. An " +
		"activity 99 has")
	d.line("the action's name as `activity_name`; a row without an action is 0 Unknown. Except for logins, what was " +
		"denied has")
	d.line("the type `denied`, and `access` as well where it was a read.\n")
	return d.String()
}

// verb is a verb's line in the table of verbs.
func (d *tableWriter) verb(v Verb) {
	switch v {
	case verbRevoke:
		d.line("| %s | 4 Delete | as delete; of roles and rights, which stay, as unassign: 3 Update |", verbText(v))
		return
	case verbOpen:
		d.line("| %s | 2 Read | as read; of sessions as start: 99 Other |", verbText(v))
		return
	case verbCancel:
		d.line("| %s | 99 Other | as stop; in the category iam as delete: 4 Delete |", verbText(v))
		return
	}
	var types, updates []string
	for c := range numCategories {
		name, ok := ecsVerbTypes[c][v]
		if !ok {
			name = "info"
		}
		types = append(types, CategoryNames[c]+": "+name)
		if ocsfActivity(c, v) != ocsfActivity(catAPI, v) {
			updates = append(updates, CategoryNames[c])
		}
	}
	id := ocsfActivity(catAPI, v)
	activity := fmt.Sprintf("%d %s", id, OCSFActivityNames[id])
	if len(updates) > 0 {
		activity += fmt.Sprintf("; %d %s: %s", ocsfUpdate, OCSFActivityNames[ocsfUpdate], strings.Join(updates, ", "))
	}
	d.line("| %s | %s | %s |", verbText(v), activity, strings.Join(types, ", "))
}

// verbText lists a verb's stems, the strong ones first.
func verbText(v Verb) string {
	s := &verbTable[v]
	var texts []string
	for _, list := range []struct{ words, format string }{
		{s.strong, "%s"}, {s.nounlike + " " + s.nominal, "*%s*"}, {s.weak + " " + s.weakest, "(%s)"},
	} {
		stems := strings.Fields(strings.ReplaceAll(list.words, "-", ""))
		slices.Sort(stems)
		if len(stems) > 0 {
			texts = append(texts, fmt.Sprintf(list.format, strings.Join(slices.Compact(stems), ", ")))
		}
	}
	if v == verbOther {
		texts = append(texts, "and any other")
	}
	return strings.Join(texts, " ")
}

func kindText(k kind) string {
	row := kindTable[k]
	text := "`" + CategoryNames[row.category] + "`"
	if row.subject != subjectNone {
		text += ", type `" + subjectTypes[row.subject] + "`"
	}
	return text
}

func kindWords(k kind) string {
	words := strings.Fields(kindTable[k].words)
	slices.Sort(words)
	text := strings.ReplaceAll(strings.Join(words, ", "), "_", " ")
	switch k {
	case kindOther:
		return "everything else, and everything that was denied"
	case kindAudit:
		return text + ": where it is read; changing it is `configuration`"
	case kindLoose:
		return text + " (access that is granted or taken is a right, `iam`)"
	case kindRight:
		return text + "; and a role that something is added to or removed from, or that is added to or removed from " +
			"users and groups: given or taken, not created or deleted"
	case kindMember:
		return text + "; a group behind \"to\" or \"from\": it is changed, whatever the verb"
	case kindListed:
		return "such a list behind \"to\" or \"from\": it is changed, whatever the verb"
	}
	return text
}
