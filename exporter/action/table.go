package action

import (
	"fmt"
	"slices"
	"strings"
)

type tableWriter struct{ strings.Builder }

func (d *tableWriter) line(format string, values ...any) { fmt.Fprintf(d, format+"\n", values...) }

// Table is the part of the documentation that says what the words of an action's name mean, as Markdown.
func Table() string {
	var d tableWriter
	d.line("## What an action's name means\n")
	d.line("A new action should not need a new release, so category and type come from the words of the name, in any")
	d.line("spelling (`api_key_created`, `ApiKeyCreated`, `Create API key`). The verb is looked for at the end, then " +
		"at the")
	d.line("beginning, then in between. The category is the last one in this table that has one of the name's nouns.\n")
	d.line("| `event.category` | nouns (also in the plural) |\n|---|---|")
	for c := range numCategories {
		var words []string
		for word, n := range nouns {
			if n.category == c && c != catAPI {
				words = append(words, word)
			}
		}
		slices.Sort(words)
		text := strings.Join(words, ", ")
		switch c {
		case catAPI:
			text = "everything else, and everything that was denied"
		case catAuthentication:
			text = "by the verb: login, logout"
		}
		d.line("| `%s` | %s |", CategoryNames[c], text)
	}
	d.line("\n| verb | `activity_id` (ocsf) | `event.type` (ecs) |\n|---|---|---|")
	for v := range numVerbs {
		var types []string
		for c := range numCategories {
			kind, ok := ecsVerbTypes[c][v]
			if !ok {
				kind = "info"
			}
			types = append(types, CategoryNames[c]+": "+kind)
		}
		id := v.OCSFActivity()
		d.line("| %s | %d %s | %s |", verbText(v), id, OCSFActivityNames[id], strings.Join(types, ", "))
	}
	d.line("\nIn the category `iam`, the types also include `user`, `group` or `admin` (roles, rights, policies) " +
		"where the noun")
	d.line("says so. `event.outcome` and `status_id` are `failure` when the name says failed, rejected, denied or " +
		"the like,")
	d.line("`success` when it says succeeded or completed, and otherwise `unknown`: the source does not say. An " +
		"activity 99 has")
	d.line("the action's name as `activity_name`; a row without an action is 0 Unknown. Except for logins, what was " +
		"denied has")
	d.line("the type `denied`, and `access` as well where it was a read.\n")
	return d.String()
}

func verbText(v Verb) string {
	var stems []string
	for _, forms := range []map[string]Verb{verbs, weakVerbs} {
		for form, is := range forms {
			if is == v && !inflected(forms, form) {
				stems = append(stems, form)
			}
		}
	}
	if len(stems) == 0 {
		return "any other"
	}
	slices.Sort(stems)
	return strings.Join(stems, ", ")
}

// inflected reports whether a form is made of a stem: a stem is a form of which there is one with "s", and
// none that it is made of.
func inflected(forms map[string]Verb, form string) bool {
	_, hasPlural := forms[form+"s"]
	return !hasPlural
}
