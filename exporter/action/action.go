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
	kind     kind
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
	verbGrant // give rights
	verbTake  // take rights
	verbStart
	verbStop
	verbCheck // try out whether something works; nothing changes
	verbLogin
	verbLogout
	// What these mean depends on what it was done to, see meaning.resolved.
	verbRevoke
	verbCancel
	verbOpen
	numVerbs
)

// Category is one of ECS's event.category.
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
	verbAt := -1
	m, known := knownActions[string(w.joined())]
	if !known {
		m, verbAt = w.meaning()
		m = m.resolved()
	}
	a := Action{Verb: m.verb, kind: m.kind, Category: kindTable[m.kind].category}
	a.Outcome, a.denied = w.outcome(a.Category, verbAt)
	switch {
	case a.Verb == verbLogin || a.Verb == verbLogout:
		a.Category = catAuthentication
	case a.denied && a.Category != catAuthentication:
		a.Category = catAPI // the only other category that knows denied
	}
	return a
}

// meaning is what was done to what.
type meaning struct {
	verb Verb
	kind kind
}

// meaning is what the words say was done to what, and which word says so. Where something other than a process or a
// session was started, that is what was done: "file download started".
func (w *words) meaning() (m meaning, verbAt int) {
	m.verb, verbAt = w.verb(false)
	m.kind = w.noun(m.verb, verbAt)
	if m.verb == verbStart && m.kind != kindProcess && m.kind != kindSession {
		if started, at := w.verb(true); at >= 0 {
			return meaning{started, m.kind}, at
		}
	}
	return m, verbAt
}

// resolved settles what verb and noun only tell together.
func (m meaning) resolved() meaning {
	isIAM := kindTable[m.kind].category == catIAM
	switch {
	case m.verb == verbOpen && m.kind == kindSession:
		m.verb = verbStart
	case m.verb == verbOpen:
		m.verb = verbRead
	case m.verb == verbRevoke && (m.kind == kindAdmin || m.kind == kindRight), m.verb == verbDelete && m.kind == kindRight:
		m.verb = verbTake // the role is still there
	case m.verb == verbCreate && m.kind == kindRight:
		m.verb = verbGrant
	case m.verb == verbRevoke, m.verb == verbCancel && isIAM:
		m.verb = verbDelete
	case m.verb == verbCancel:
		m.verb = verbStop
	case (m.kind == kindMember || m.kind == kindListed) && (m.verb == verbCreate || m.verb == verbDelete):
		m.verb = verbUpdate // the group or list is neither new nor gone
	case m.kind == kindView && m.verb == verbStart:
		m.verb = verbRead // a query that is executed
	case m.kind == kindAudit && !m.verb.onlyLooks():
		m.kind = kindSetting
	}
	return m
}

// onlyLooks reports whether nothing is changed.
func (v Verb) onlyLooks() bool { return v == verbOther || v == verbRead || v == verbCheck }

// The words that say how it went.
const (
	refusedWords = "denied refused forbidden unauthorized unauthorised unauthenticated"
	failedWords  = "failed fails failure fail rejected unsuccessful unsuccessfully error errored invalid incorrect unable"
	doneWords    = "succeeded success successful successfully completed"
)

var outcomes = func() map[string]outcome {
	table := make(map[string]outcome)
	for word := range fieldSet(refusedWords + " " + failedWords) {
		table[word] = outcomeFailure
	}
	for word := range fieldSet(doneWords) {
		table[word] = outcomeSuccess
	}
	return table
}()

var refused = fieldSet(refusedWords)

// outcome is how it went. A user who was blocked was refused nothing: that is what was done.
func (w *words) outcome(c Category, verbAt int) (result outcome, denied bool) {
	for i := range w.count {
		word := w.at(i)
		if refused[string(word)] || string(word) == "blocked" && (c != catIAM || i != verbAt) {
			return outcomeFailure, true
		}
		result = max(result, outcomes[string(word)]) // failure outdoes success
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
		return ecsTypeTable[a.Category][a.Verb][kindTable[a.kind].subject]
	}
}

// ecsVerbTypes are the types of each category's verbs; a verb that is missing here is "info".
var ecsVerbTypes = [numCategories]map[Verb]string{
	catAPI: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbTake: "change", verbStart: "start", verbStop: "end",
	},
	catFile: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbTake: "change", verbStart: "change", verbStop: "change",
	},
	catDatabase: {
		verbCreate: "change", verbRead: "access", verbUpdate: "change", verbDelete: "change", verbGrant: "change",
		verbTake: "change", verbStart: "change", verbStop: "change",
	},
	catProcess: {
		verbCreate: "start", verbRead: "access", verbUpdate: "change", verbDelete: "end", verbGrant: "change",
		verbTake: "change", verbStart: "start", verbStop: "end",
	},
	catConfiguration: {
		verbCreate: "creation", verbRead: "access", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbTake: "change", verbStart: "change", verbStop: "change",
	},
	catSession: {verbCreate: "start", verbStart: "start", verbStop: "end", verbDelete: "end"},
	catIAM: {
		verbCreate: "creation", verbUpdate: "change", verbDelete: "deletion", verbGrant: "change",
		verbTake: "change", verbStart: "change", verbStop: "change",
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

// OCSFActivity is OCSF's activity_id for the action.
func (a Action) OCSFActivity() int { return ocsfActivity(a.Category, a.Verb) }

func ocsfActivity(c Category, v Verb) int {
	switch v {
	case verbCreate:
		return ocsfCreate
	case verbRead:
		return ocsfRead
	case verbUpdate, verbGrant, verbTake:
		return ocsfUpdate
	case verbDelete:
		return ocsfDelete
	}
	if ecsVerbTypes[c][v] == "change" {
		return ocsfUpdate // what has no beginning and end of its own is changed by them
	}
	return OCSFOther
}
