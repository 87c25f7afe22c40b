package action

import "strings"

// inflection is what becomes of a verb's stem. Several forms stand apart by blanks: "canceled cancelled".
type inflection struct {
	third  string // creates
	past   string // created; of strong verbs also the participle: "wrote written"
	gerund string // creating
}

// irregularPasts are the past forms that follow no rule.
var irregularPasts = map[string]string{
	"begin": "began begun", "bind": "bound", "break": "broke broken", "bring": "brought", "build": "built",
	"find":   "found",
	"freeze": "froze frozen", "get": "got gotten", "give": "gave given", "grow": "grew grown", "hide": "hid hidden",
	"hold": "held", "leave": "left", "let": "let", "make": "made", "overwrite": "overwrote overwritten", "pay": "paid",
	"override": "overrode overridden", "put": "put", "quit": "quit", "read": "read", "rebind": "rebound",
	"rebuild": "rebuilt", "redo": "redid redone", "rerun": "reran rerun", "reset": "reset", "rewind": "rewound",
	"rewrite": "rewrote rewritten", "run": "ran run", "send": "sent", "set": "set", "show": "showed shown",
	"shrink": "shrank shrunk", "shut": "shut", "sleep": "slept", "spin": "spun", "stand": "stood",
	"sunset": "sunset sunsetted", "take": "took taken", "tear": "tore torn", "unbind": "unbound", "undo": "undid undone",
	"unfreeze": "unfroze unfrozen", "unhide": "unhid unhidden", "unset": "unset", "wake": "woke woken",
	"wind": "wound", "withdraw": "withdrew withdrawn", "withhold": "withheld", "write": "wrote written",
}

// doubling are the stems of more than one syllable that double their last letter; eitherWay, those of which
// American and British spellings differ.
var (
	doubling = fieldSet("admit allot annul begin bootstrap commit confer defer disenrol enrol expel format permit quit " +
		"remap rerun reset resubmit retag rewrap submit sunset transfer unban undrop unenrol unflag unmap unpin " +
		"unset unstar untag unwrap")
	eitherWay = fieldSet("cancel label relabel")
)

// inflect makes the forms of a stem. A particle follows a hyphen, and the forms are joined as names are:
// log-in has login, logsin, loggedin, loggingin.
func inflect(stem string) inflection {
	stem, particle, _ := strings.Cut(stem, "-")
	forms := inflection{third: thirdPerson(stem)}
	switch {
	case stem == "die":
		forms.past, forms.gerund = "died", "dying"
	case strings.HasSuffix(stem, "ee"):
		forms.past, forms.gerund = stem+"d", stem+"ing"
	case strings.HasSuffix(stem, "e"):
		base := strings.TrimSuffix(stem, "e")
		forms.past, forms.gerund = base+"ed", base+"ing"
	case endsInConsonantY(stem):
		forms.past, forms.gerund = strings.TrimSuffix(stem, "y")+"ied", stem+"ing"
	case doubles(stem):
		base := stem + stem[len(stem)-1:]
		forms.past, forms.gerund = base+"ed", base+"ing"
	case eitherWay[stem]:
		base := stem + stem[len(stem)-1:]
		forms.past, forms.gerund = stem+"ed "+base+"ed", stem+"ing "+base+"ing"
	default:
		forms.past, forms.gerund = stem+"ed", stem+"ing"
	}
	if past, irregular := irregularPasts[stem]; irregular {
		forms.past = past
	}
	if particle != "" {
		forms.third += particle
		forms.past = strings.ReplaceAll(forms.past, " ", particle+" ") + particle
		forms.gerund += particle
	}
	return forms
}

func thirdPerson(stem string) string {
	if endsInConsonantY(stem) {
		return strings.TrimSuffix(stem, "y") + "ies"
	}
	for _, sibilant := range []string{"s", "x", "z", "ch", "sh", "do"} {
		if strings.HasSuffix(stem, sibilant) {
			return stem + "es"
		}
	}
	return stem + "s"
}

// doubles reports whether the last letter is doubled: after a single vowel in the last, stressed syllable.
func doubles(stem string) bool {
	if doubling[stem] {
		return true
	}
	n := len(stem)
	if n < 3 || isVowel(stem[n-1]) || strings.IndexByte("wxy", stem[n-1]) >= 0 || !isVowel(stem[n-2]) {
		return false
	}
	vowels := 0
	for i := range n {
		if isVowel(stem[i]) {
			vowels++
		}
	}
	return vowels == 1
}

func isVowel(c byte) bool { return strings.IndexByte("aeiou", c) >= 0 }

func endsInConsonantY(stem string) bool {
	n := len(stem)
	return n > 1 && stem[n-1] == 'y' && !isVowel(stem[n-2])
}

func fieldSet(list string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
