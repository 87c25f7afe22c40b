package action

import (
	"strings"
)

// The words of the names of actions. A word that is missing here costs a precise category, never an event.

const (
	maxWords    = 16  // words of a name that are looked at
	maxNameText = 128 // bytes of a name that are looked at
)

// words are the words of a name in small letters, in place.
type words struct {
	text  [maxNameText + maxWords]byte // the words joined by "_"
	ends  [maxWords]uint8
	count int
}

// split takes a name apart at everything that is neither letter nor digit and where a capital begins a word,
// as snakeCase does for columns: "api_key.created", "API key created" and "ApiKeyCreated" have the same
// words.
func (w *words) split(name []byte) {
	name = name[:min(len(name), maxNameText)]
	end, inWord := 0, false
	for i, c := range name {
		if !isWordByte(c) {
			inWord = false
			continue
		}
		if !inWord || isCapital(c) && beginsWord(name, i) {
			if w.count == maxWords {
				return
			}
			if w.count > 0 {
				w.text[end] = '_'
				end++
			}
			w.count++
			inWord = true
		}
		if isCapital(c) {
			c |= 0x20
		}
		w.text[end] = c
		end++
		w.ends[w.count-1] = uint8(end)
	}
	w.joinParticle()
}

// joinParticle makes one word of a verb's two: "sign_in" becomes "signin", so that "in" alone means nothing.
func (w *words) joinParticle() {
	for i := range max(w.count-1, 0) {
		switch string(w.at(i)) {
		case "sign", "log", "logged", "signed":
		default:
			continue
		}
		switch string(w.at(i + 1)) {
		case "in", "out", "on", "off", "up":
		default:
			continue
		}
		last := w.ends[w.count-1]
		copy(w.text[w.ends[i]:], w.text[w.ends[i]+1:last])
		for j := i; j < w.count-1; j++ {
			w.ends[j] = w.ends[j+1] - 1
		}
		w.count--
		return
	}
}

func (w *words) at(i int) []byte {
	start := 0
	if i > 0 {
		start = int(w.ends[i-1]) + 1
	}
	return w.text[start:w.ends[i]]
}

func (w *words) joined() []byte {
	if w.count == 0 {
		return nil
	}
	return w.text[:w.ends[w.count-1]]
}

// isWordByte counts the bytes of letters beyond ASCII as letters.
func isWordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// beginsWord reports whether the capital at i begins a word: after a small letter or digit, or as the last of a
// run of capitals.
func beginsWord(name []byte, i int) bool {
	return i > 0 && (!isCapital(name[i-1]) || i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z')
}

// verbs by all their forms.
var verbs = verbForms(map[Verb]string{
	verbCreate: "create add insert register provision generate issue mint publish clone duplicate copy submit",
	verbRead:   "read get list fetch retrieve describe",
	verbUpdate: "update change modify edit set rename move rotate refresh reset enable disable activate deactivate " +
		"replace patch " +
		"configure restore resize scale suspend resume lock unlock archive unarchive transfer renew regenerate upgrade",
	verbDelete: "delete remove destroy drop purge erase clear deregister uninstall",
	verbGrant:  "grant revoke assign unassign promote demote elevate share unshare authorize attach detach",
	verbStart:  "start launch boot begin restart execute trigger",
	verbStop:   "stop cancel terminate kill abort shutdown finish end expire",
	verbLogin:  "authenticate login signin logon signon",
	verbLogout: "logout signout logoff",
}, map[string]Verb{
	"created": verbCreate, "creation": verbCreate, "added": verbCreate, "addition": verbCreate, "registration": verbCreate,
	"modification": verbUpdate, "rotation": verbUpdate, "renaming": verbUpdate,
	"deletion": verbDelete, "removal": verbDelete, "dropped": verbDelete, "dropping": verbDelete,
	"revocation": verbGrant, "assignment": verbGrant,
	"stopped": verbStop, "stopping": verbStop, "cancelled": verbStop, "cancelling": verbStop, "cancellation": verbStop,
	"canceled": verbStop, "canceling": verbStop, "termination": verbStop, "aborted": verbStop,
	"submitted": verbCreate, "submission": verbCreate, "submitting": verbCreate,
	"resetting": verbUpdate, "transferred": verbUpdate, "transferring": verbUpdate, "got": verbRead,
	"began": verbStart, "authentication": verbLogin,
	"signedin": verbLogin, "loggedin": verbLogin, "signedon": verbLogin, "loggedon": verbLogin,
	"signedout": verbLogout, "loggedout": verbLogout, "loggedoff": verbLogout, "signup": verbCreate,
	"signedup": verbCreate,
})

// weakVerbs are as often nouns.
var weakVerbs = verbForms(map[Verb]string{
	verbCreate: "upload import invite",
	verbRead:   "view access download export query search preview open use",
	verbUpdate: "write save commit merge sync override",
	verbStart:  "run schedule",
	verbStop:   "complete fail exit close",
}, map[string]Verb{
	"ran": verbStart, "running": verbStart, "written": verbUpdate, "committed": verbUpdate,
	"committing": verbUpdate, "invitation": verbCreate,
})

// verbForms spells out the stems' forms: create, creates, created, creating; modify, modifies, modified,
// modifying. Forms that follow no rule are given.
func verbForms(stems map[Verb]string, irregular map[string]Verb) map[string]Verb {
	forms := make(map[string]Verb)
	for v, list := range stems {
		for _, stem := range strings.Fields(list) {
			base, past := stem, "ed"
			switch {
			case strings.HasSuffix(stem, "e"):
				base = strings.TrimSuffix(stem, "e")
			case strings.HasSuffix(stem, "y"):
				past = "d"
				forms[strings.TrimSuffix(stem, "y")+"ied"] = v
				forms[strings.TrimSuffix(stem, "y")+"ies"] = v
			}
			for _, form := range []string{stem, stem + "s", base + past, base + "ing"} {
				forms[form] = v
			}
		}
	}
	for form, v := range irregular {
		forms[form] = v
	}
	return forms
}

// noun is what a word tells about what an action was done to.
type noun struct {
	category Category
	subject  subject
}

// nouns in the singular.
var nouns = func() map[string]noun {
	table := make(map[string]noun)
	for kind, list := range map[noun]string{
		{catFile, subjectNone}:     "file directory directories folder object storage bucket artifact",
		{catDatabase, subjectNone}: "database catalog table schema query queries dataset sql raster",
		{catProcess, subjectNone}: "job run workflow execution task kernel process processes pipeline cluster " +
			"runtime instance",
		{catConfiguration, subjectNone}: "setting config configuration preset override environment integration webhook " +
			"quota limit domain billing plan subscription organization org security",
		{catSession, subjectNone}: "session",
		{catIAM, subjectNone}:     "key token credential secret password mfa sso saml scim identity account",
		{catIAM, subjectUser}:     "user member membership principal invitation invite owner",
		{catIAM, subjectGroup}:    "group team",
		{catIAM, subjectAdmin}:    "role permission policy policies admin administrator privilege right",
	} {
		for _, word := range strings.Fields(list) {
			table[word] = kind
		}
	}
	return table
}()

// knownActions are names, in small letters with "_", whose words alone would mislead.
var knownActions = map[string]Action{
	"accept_invitation":   {Verb: verbCreate, Category: catIAM, subject: subjectUser},
	"invitation_accepted": {Verb: verbCreate, Category: catIAM, subject: subjectUser},
	"leave_organization":  {Verb: verbDelete, Category: catIAM, subject: subjectUser},
	"organization_left":   {Verb: verbDelete, Category: catIAM, subject: subjectUser},
	"switch_organization": {Verb: verbStart, Category: catSession},
	"impersonate_user":    {Verb: verbLogin, Category: catAuthentication},
	"user_impersonated":   {Verb: verbLogin, Category: catAuthentication},
	"forgot_password":     {Verb: verbUpdate, Category: catIAM, subject: subjectUser},
}
