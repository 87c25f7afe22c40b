package action

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

// Patterns of conf/splunk/default/props.conf. They are for names that are split where a capital begins a word, and
// ignore case. Go's regexp reads them too, so nothing looks ahead or behind.
const (
	splunkName = `replace(replace(action_name, "([A-Z])([A-Z][a-z])", "\1_\2"), ` +
		`"([a-z0-9])([A-Z])", "\1_\2")`
	wordBegins = `(?:^|[\W_])`
	wordEnds   = `(?:[\W_]|$)`
	between    = `(?:[\W_].*)?[\W_]`
	// notOr ends a word that no "or" follows: of "create or update" the second counts.
	notOr = `(?:[\W_]+(?:[a-np-z0-9]|o(?:[a-qs-z0-9]|r[a-z0-9]))|[\W_]*$)`
	// notOrLink is notOr for "create": a "create link" is a thing.
	notOrLink = `(?:[\W_]+(?:[a-kmnp-z0-9]|o(?:[a-qs-z0-9]|r[a-z0-9])|l(?:[a-hj-z0-9]|i(?:[a-mo-z0-9]|n[a-jl-z0-9])))` +
		`|[\W_]*$)`
	// splunkThing is the name without who did it and what it was done with.
	splunkThing = `replace(` + splunkName + `, "(?i)([a-z0-9])[\W_]+(by|with|via|using)[\W_].*", "\1")`
)

// splunkDeed is the name without things that end like a verb.
var splunkDeed = sync.OnceValue(func() string {
	return `replace(` + splunkName + `, "` + thingsLikeVerbs() + `", "\1\2")`
})

func thingsLikeVerbs() string {
	things := make(map[string][]string) // by how they end
	for word := range nouns {
		if first, second, compound := strings.Cut(word, "_"); compound && lookUpVerb([]byte(second)).verb != verbOther {
			things[`[\W_]`+second] = append(things[`[\W_]`+second], first)
		}
	}
	return `(?i)(^|[\W_])` + grouped(things) + `s?([\W_]|$)`
}

// splunkVerbs are the values of CIM's action, in the order in which they are tried among equals.
var splunkVerbs = []struct {
	value string
	verbs []Verb
}{
	{"verified", []Verb{verbCheck}},
	{"success", []Verb{verbLogin}},
	{"logoff", []Verb{verbLogout}},
	{"deleted", []Verb{verbDelete, verbRevoke, verbTake}},
	{"modified", []Verb{verbUpdate, verbGrant}},
	{"created", []Verb{verbCreate}},
	{"stopped", []Verb{verbStop, verbCancel}},
	{"started", []Verb{verbStart}},
	{"read", []Verb{verbRead, verbOpen}},
}

type splunkKind struct {
	value string
	kinds []kind
}

// splunkKinds are the values of object_category, in the order in which they are tried.
var splunkKinds = []splunkKind{
	{"configuration", []kind{kindLimit}},
	{"role", []kind{kindRight, kindAdmin}},
	{"credential", []kind{kindCredential, kindPassword}},
	{"group", []kind{kindMember}},
	{"user", []kind{kindUser, kindPrincipal}},
	{"group", []kind{kindGroup}},
	{"session", []kind{kindSession}},
	{"configuration", []kind{kindSetting, kindList, kindListed}},
	{"process", []kind{kindProcess}},
	{"database", []kind{kindDatabase}},
	{"directory", []kind{kindDirectory}},
	{"file", []kind{kindFile}},
	{"configuration", []kind{kindPlace}},
	{"file", []kind{kindUpload}},
	{"database", []kind{kindView}},
	{"configuration", []kind{kindLoose}},
}

// TestSplunkWords compares the add-on's patterns with the word tables; go generate ./exporter/... rewrites them.
func TestSplunkWords(t *testing.T) {
	var b strings.Builder
	b.WriteString(splunkCase("action", splunkName, splunkActionLines()))
	b.WriteString(splunkCase("object_category", splunkThing, splunkObjectLines(false)))
	b.WriteString(splunkCase("change_type", splunkThing, splunkObjectLines(true)))
	golden.Part(t, filepath.Join("..", "..", "conf", "splunk", "default", "props.conf"), "words", b.String()+"# ")
}

type splunkLine struct {
	pattern, value string
	deed           bool // the pattern is for splunkDeed
}

func splunkCase(field, of string, lines []splunkLine) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		of := of
		if l.deed {
			of = splunkDeed()
		}
		texts[i] = fmt.Sprintf("    match(%s, \"(?i)%s\"), \"%s\"", of, l.pattern, l.value)
	}
	return fmt.Sprintf("EVAL-%s = case( \\\n%s)\n", field, strings.Join(texts, ", \\\n"))
}

// otherWords are those between a verb and its object: none of them says that the rest is who did it.
const otherWords = `(?:[\W_]+(?:[ac-z0-9]|b[a-xz0-9])[a-z0-9]*)*[\W_]+`

// place is where in a name the deciding word stands, by how strong it is.
type place struct {
	how      strength
	position string
}

func splunkActionLines() (lines []splunkLine) {
	deed := false
	add := func(value, pattern string) { lines = append(lines, splunkLine{pattern, value, deed}) }
	login := splunkAny(verbLogin)
	failed := `(?:` + strings.Join(strings.Fields(refusedWords+" "+failedWords+" blocked"), "|") + `)`
	add("failure", wordBegins+login+between+failed+wordEnds)
	add("failure", wordBegins+failed+between+login+wordEnds)
	moved := alternatives([]Verb{verbCreate, verbDelete}, strong)
	add("modified", wordBegins+moved+between+`(?:to|from|into)`+between+`(?:`+nounPattern(kindGroup, kindList)+`|`+
		compoundPattern(kindGroup, kindList)+`)`+wordEnds)
	cancelled, deletion := splunkAny(verbCancel), alternatives([]Verb{verbDelete}, nounlike)
	add("modified", wordBegins+cancelled+between+deletion+wordEnds)
	add("modified", wordBegins+deletion+between+cancelled+wordEnds)
	add("started", wordBegins+splunkStem("submit")+wordEnds)
	for _, p := range []place{
		{strong, "last"},
		{strong, "first"},
		{strong, "any"},
		{nounlike, "last"},
		{nounlike, "any"},
		{weak, "any"},
		{weakest, "any"},
	} {
		deed = p.how < strong // nothing that ends like a verb ends like a strong one
		if p.how >= nounlike {
			lines = append(lines, p.withObjects()...)
		}
		for _, v := range splunkVerbs {
			words := alternatives(v.verbs, p.how)
			if words == "" {
				continue
			}
			ends := notOr
			if v.value == "created" {
				ends = notOrLink
			}
			if p.how >= nounlike && (v.value == "created" || v.value == "modified") {
				words = `(?:re)?` + words
			}
			add(v.value, map[string]string{
				"last":  wordBegins + words + `[\W_]*$`,
				"first": `^[\W_]*` + words + notOr,
				"any":   wordBegins + words + ends,
			}[p.position])
		}
	}
	return lines
}

// withObjects are the lines for what a verb tells only together with its noun: users, rights and settings have no
// beginning and end of their own. They are changed by what starts and stops others, and deleted by a cancellation
// where they belong to accounts.
func (p place) withObjects() (lines []splunkLine) {
	add := func(value string, of []Verb, nouns string) {
		words := alternatives(of, p.how)
		before := wordBegins + nouns + between + words
		switch {
		case p.position == "last":
			lines = append(lines, splunkLine{pattern: before + `[\W_]*$`, value: value})
		case p.position == "first":
			lines = append(lines, splunkLine{pattern: `^[\W_]*` + words + otherWords + nouns + wordEnds, value: value})
		case p.how == nounlike:
			lines = append(lines, splunkLine{pattern: wordBegins + words + otherWords + nouns + wordEnds, value: value})
		default:
			lines = append(lines, splunkLine{pattern: before + wordEnds, value: value})
		}
	}
	if p.position == "last" {
		add("stopped", []Verb{verbStop, verbCancel}, compoundPattern(kindSession))
	}
	add("started", []Verb{verbOpen}, nounPattern(kindSession))
	add("deleted", []Verb{verbCancel}, nounPattern(iamKinds()...))
	settled := append(iamKinds(), kindSetting, kindList, kindLimit)
	add("modified", []Verb{verbStart, verbStop, verbCancel}, nounPattern(settled...))
	return lines
}

// splunkObjectLines are those of object_category, or those of change_type: a coarser division.
func splunkObjectLines(coarse bool) (lines []splunkLine) {
	add := func(k kind, value, pattern string) {
		if coarse {
			value = splunkChangeType(k)
		}
		lines = append(lines, splunkLine{pattern: pattern, value: value})
	}
	for row, k := range splunkKinds {
		for _, c := range splunkKinds { // a compound outdoes its parts
			if words := alternativeNouns(compounds(row, c.kinds...)); words != "" {
				add(c.kinds[0], c.value, wordBegins+words+wordEnds)
			}
		}
		switch k.kinds[0] {
		case kindMember:
			add(kindMember, k.value, wordBegins+`(?:to|from|into)`+between+nounPattern(kindGroup)+wordEnds)
			continue
		case kindRight:
			grants := alternatives([]Verb{verbGrant, verbTake, verbRevoke}, strong)
			add(kindRight, "role", wordBegins+grants+between+`access`+wordEnds)
			add(kindRight, "role", wordBegins+`access`+between+grants+wordEnds)
			moves := alternatives([]Verb{verbCreate, verbDelete}, strong)
			add(kindRight, "role", wordBegins+moves+between+`access(?:[\W_]+(?:to|from|for|of|by)[\W_]|[\W_]*$)`)
			add(kindRight, "role", wordBegins+`access[\W_]+`+moves+wordEnds)
		}
		add(k.kinds[0], k.value, wordBegins+nounPattern(k.kinds...)+wordEnds)
	}
	return lines
}

// splunkRow is the place of a kind in splunkKinds.
func splunkRow(k kind) int {
	return slices.IndexFunc(splunkKinds, func(row splunkKind) bool { return slices.Contains(row.kinds, k) })
}

// anyRow stands for all rows of splunkKinds.
const anyRow = -1

// compounds are those of some kinds that are tried in a row of splunkKinds, the first that is theirs or one of their
// parts'.
func compounds(row int, of ...kind) (words []string) {
	for _, k := range of {
		for _, word := range strings.Fields(kindTable[k].words) {
			parts := strings.Split(word, "_")
			if len(parts) == 1 {
				continue
			}
			first := splunkRow(k)
			for _, part := range parts {
				of := lookUpNoun([]byte(part))
				if part == "access" { // that may be a right
					of = kindRight
				}
				if at := splunkRow(of); at >= 0 {
					first = min(first, at)
				}
			}
			if row == anyRow || first == row {
				words = append(words, strings.ReplaceAll(word, "_", `[\W_]`))
			}
		}
	}
	return words
}

// splunkChangeType is CIM's change_type, of which CIM names two values.
func splunkChangeType(k kind) string {
	switch category := kindTable[k].category; category {
	case catIAM:
		return "AAA"
	case catFile:
		return "filesystem"
	default:
		return CategoryNames[category]
	}
}

func iamKinds() (kinds []kind) {
	for k := range numKinds {
		if kindTable[k].category == catIAM {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// nounPattern are the nouns of some kinds. What is a verb as well ("query") is left out of the lowest kinds: there
// the verb's own word is no noun.
func nounPattern(kinds ...kind) string {
	var plain []string
	for _, k := range kinds {
		for _, word := range strings.Fields(kindTable[k].words) {
			isVerb := verbs[word].strength > weakest && word != "view" && word != "access"
			if !strings.Contains(word, "_") && (k > kindView || !isVerb) {
				plain = append(plain, word)
			}
		}
	}
	return alternativeNouns(plain)
}

func compoundPattern(kinds ...kind) string { return alternativeNouns(compounds(anyRow, kinds...)) }

// alternativeNouns are some nouns, in the plural, too: "" if there are none.
func alternativeNouns(words []string) string {
	if len(words) == 0 {
		return ""
	}
	slices.Sort(words)
	return `(?:` + strings.Join(words, "|") + `)s?`
}

// splunkAny are all forms of a verb, whatever their strength.
func splunkAny(v Verb) string {
	var all []string
	for how := range numStrengths {
		if words := alternatives([]Verb{v}, how); words != "" {
			all = append(all, words)
		}
	}
	return `(?:` + strings.Join(all, "|") + `)`
}

// alternatives are all forms of some verbs that have a strength, stems with the same prefix and endings side by
// side: "" if there are none.
func alternatives(of []Verb, how strength) string {
	stemsOf := make(map[string]map[string][]string) // by prefix and endings
	for _, v := range of {
		for _, forms := range verbTable[v].forms() {
			var words []string
			for _, f := range forms {
				if verbs[f.word] == (verbWord{v, how}) && f.strength == how {
					words = append(words, f.word)
				}
			}
			if len(words) == 0 {
				continue
			}
			prefix := prefixOf(words)
			for i, word := range words {
				words[i] = apart(strings.TrimPrefix(word, prefix))
			}
			base, endings := shared(words)
			if stemsOf[prefix] == nil {
				stemsOf[prefix] = make(map[string][]string)
			}
			stemsOf[prefix][endings] = append(stemsOf[prefix][endings], base)
		}
	}
	if len(stemsOf) == 0 {
		return ""
	}
	var groups []string
	for prefix, stems := range stemsOf {
		if prefix == "" {
			groups = append(groups, grouped(stems))
		} else {
			groups = append(groups, prefix+`[\W_]?`+grouped(stems))
		}
	}
	slices.Sort(groups)
	return `(?:` + strings.Join(groups, "|") + `)`
}

// grouped are stems by how they end, those with the same endings side by side.
func grouped(stemsOf map[string][]string) string {
	var groups []string
	for endings, bases := range stemsOf {
		slices.Sort(bases)
		bases = slices.Compact(bases)
		group := strings.Join(bases, "|")
		if endings != "" && len(bases) > 1 {
			group = `(?:` + group + `)`
		}
		groups = append(groups, group+endings)
	}
	slices.Sort(groups)
	return `(?:` + strings.Join(groups, "|") + `)`
}

// prefixOf is what makes all of some verbs of others, and may stand apart: "un-share".
func prefixOf(words []string) string {
	for _, prefix := range []string{"de", "dis", "un", "off", "on"} {
		if !slices.ContainsFunc(words, func(word string) bool {
			rest, ok := strings.CutPrefix(word, prefix)
			return !ok || verbs[rest].verb == verbOther && !strings.HasPrefix(rest, "board")
		}) {
			return prefix
		}
	}
	return ""
}

func splunkStem(stem string) string {
	var words []string
	for _, f := range formsOf(stem, strong) {
		words = append(words, f.word)
	}
	base, endings := shared(words)
	return base + endings
}

// apart allows a particle to stand apart: "log in", "setting of".
func apart(word string) string {
	for i := 1; i < len(word); i++ {
		if phrases[word[:i]+"_"+word[i:]] {
			return word[:i] + `[\W_]?` + word[i:]
		}
	}
	return word
}

// shared is what words begin with, and a pattern of how they go on.
func shared(words []string) (base, endings string) {
	base = words[0]
	for _, word := range words {
		for !strings.HasPrefix(word, base) {
			base = base[:len(base)-1]
		}
	}
	base, _, _ = strings.Cut(base, "[")
	var rest []string
	optional := ""
	for _, word := range words {
		if word == base {
			optional = "?"
			continue
		}
		rest = append(rest, word[len(base):])
	}
	if len(rest) == 0 {
		return base, ""
	}
	slices.Sort(rest)
	return base, `(?:` + strings.Join(slices.Compact(rest), "|") + `)` + optional
}
