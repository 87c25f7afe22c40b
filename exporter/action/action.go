// Package action works out what an action's name means: a verb, a category, an outcome. It is a pure function of the
// name.
package action

// What an action's name means. The vendor tells what is audited (API keys and ingest credentials, files and
// directories, job runs, notebooks, user roles, environment settings, catalog tables, runtime presets), and
// more will come, so the meaning is worked out from a name's words: a verb and a noun, in any order and
// spelling. knownActions holds the names for which that would be wrong.

// Action is what a name means.
type Action struct {
	Verb     Verb
	Category Category
	subject  subject
	Outcome  outcome
	denied   bool
}

// Verb is what was done. The zero value is a verb that nobody knows.
type Verb uint8

const (
	verbOther Verb = iota
	verbCreate
	verbRead
	verbUpdate
	verbDelete
	verbGrant // give or take rights
	verbStart
	verbStop
	verbLogin
	verbLogout
	numVerbs
)

// Category is one of ECS's event.category, in the order in which the nouns of one name outdo each other.
type Category uint8

const (
	catAPI Category = iota // whatever no noun tells better: all of these are calls of the vendor's API
	catFile
	catDatabase
	catProcess
	catConfiguration
	catSession
	catIAM
	catAuthentication
	numCategories
)

var CategoryNames = [numCategories]string{
	"api", "file", "database", "process", "configuration", "session", "iam", "authentication",
}

// subject is what an iam event is about.
type subject uint8

const (
	subjectNone subject = iota
	subjectUser
	subjectGroup
	subjectAdmin // roles, rights and policies
	numSubjects
)

type outcome uint8

const (
	outcomeUnknown outcome = iota // the source says nothing
	outcomeSuccess
	outcomeFailure
)

// ECS: event.outcome.
var OutcomeNames = [...]string{"unknown", "success", "failure"}

// Classify works out what an action's name means. It allocates nothing.
func Classify(name []byte) Action {
	var w words
	w.split(name)
	a, known := knownActions[string(w.joined())]
	if !known {
		a.Verb = w.verb()
		a.Category, a.subject = w.noun()
	}
	a.Outcome, a.denied = w.outcome()
	switch {
	case a.Verb == verbLogin || a.Verb == verbLogout:
		a.Category = catAuthentication
	case a.denied && a.Category != catAuthentication:
		a.Category = catAPI // the only other category that knows denied
	}
	return a
}

// verb finds what was done. Names mostly end or begin with their verb ("api_key_created", "CreateApiKey");
// words that are as often nouns ("run", "export") count only when no other word is a verb.
func (w *words) verb() Verb {
	weak := verbOther
	for i := range w.count {
		word := w.at(w.verbOrder(i))
		if v, ok := verbs[string(word)]; ok {
			return v
		}
		if v, ok := weakVerbs[string(word)]; ok && weak == verbOther {
			weak = v
		}
	}
	return weak
}

// verbOrder is the order in which words are tried: the last, the first, and those between.
func (w *words) verbOrder(i int) int {
	if i == 0 {
		return w.count - 1
	}
	return i - 1
}

// noun finds what it was done to: the noun of the highest category, the last one of several.
func (w *words) noun() (Category, subject) {
	var found noun
	for i := range w.count {
		if n, ok := lookUpNoun(w.at(i)); ok && n.category >= found.category {
			if n.subject == subjectNone && n.category == found.category {
				continue // "user key": the user is the better subject
			}
			found = n
		}
	}
	return found.category, found.subject
}

// lookUpNoun knows plurals too.
func lookUpNoun(word []byte) (noun, bool) {
	if n, ok := nouns[string(word)]; ok {
		return n, true
	}
	if len(word) > 1 && word[len(word)-1] == 's' {
		if n, ok := nouns[string(word[:len(word)-1])]; ok {
			return n, true
		}
	}
	return noun{}, false
}

func (w *words) outcome() (result outcome, denied bool) {
	for i := range w.count {
		switch string(w.at(i)) {
		case "denied", "refused", "forbidden", "unauthorized", "blocked":
			return outcomeFailure, true
		case "failed", "failure", "fail", "rejected":
			result = outcomeFailure
		case "succeeded", "success", "successful", "completed":
			if result == outcomeUnknown {
				result = outcomeSuccess
			}
		}
	}
	return result, false
}

// ECSTypes are ECS's event.type for the action: only values that ECS expects in its category.
func (a Action) ECSTypes() []string {
	switch {
	case a.denied && a.Category == catAPI && a.Verb == verbRead:
		return []string{"access", "denied"}
	case a.denied && a.Category == catAPI:
		return []string{"denied"}
	default:
		return ecsTypeTable[a.Category][a.Verb][a.subject]
	}
}

// ecsVerbTypes are the types of each category's verbs; a verb that is missing here is "info".
var ecsVerbTypes = [numCategories]map[Verb]string{
	catAPI: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbStart: "start", verbStop: "end",
	},
	catFile: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
	},
	catDatabase: {
		verbCreate: "change", verbRead: "access", verbUpdate: "change", verbDelete: "change", verbGrant: "change",
	},
	catProcess: {
		verbCreate: "start", verbRead: "access", verbUpdate: "change", verbDelete: "end", verbGrant: "change",
		verbStart: "start", verbStop: "end",
	},
	catConfiguration: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbStart: "change", verbStop: "change",
	},
	catSession: {verbCreate: "start", verbStart: "start", verbStop: "end", verbDelete: "end"},
	catIAM: {
		verbCreate: "creation", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbStart: "change", verbStop: "change",
	},
	catAuthentication: {
		verbLogin: "start", verbStart: "start", verbCreate: "start", verbLogout: "end", verbStop: "end",
		verbDelete: "end",
	},
}

var subjectTypes = [numSubjects]string{"", "user", "group", "admin"}

// ecsTypeTable is ecsVerbTypes with the subjects of iam, made once so that classifying allocates nothing.
var ecsTypeTable = func() (table [numCategories][numVerbs][numSubjects][]string) {
	for c := range numCategories {
		for v := range numVerbs {
			for s := range numSubjects {
				kind, ok := ecsVerbTypes[c][v]
				if !ok {
					kind = "info"
				}
				table[c][v][s] = []string{kind}
				if c == catIAM && s != subjectNone {
					table[c][v][s] = []string{subjectTypes[s], kind}
				}
			}
		}
	}
	return table
}()

// OCSF's activity_id of the class API Activity.
const (
	OCSFUnknown = 0
	ocsfCreate  = 1
	ocsfRead    = 2
	ocsfUpdate  = 3
	ocsfDelete  = 4
	OCSFOther   = 99
)

var OCSFActivityNames = map[int]string{
	OCSFUnknown: "Unknown", ocsfCreate: "Create", ocsfRead: "Read", ocsfUpdate: "Update", ocsfDelete: "Delete",
	OCSFOther: "Other",
}

// OCSFActivity is OCSF's activity_id for the verb.
func (v Verb) OCSFActivity() int {
	switch v {
	case verbCreate:
		return ocsfCreate
	case verbRead:
		return ocsfRead
	case verbUpdate, verbGrant:
		return ocsfUpdate
	case verbDelete:
		return ocsfDelete
	default:
		return OCSFOther
	}
}
