package action

import "bytes"

// Class is one of OCSF's classes that actions belong to, where a class is wanted for each kind of action.
type Class uint8

const (
	ClassAPI Class = iota // whatever no other class tells better
	ClassAccount
	ClassAuthentication
	ClassEntity
	ClassAccess
	ClassGroup
	ClassDatastore
	ClassFile
	NumClasses
)

// Classes are OCSF's, as release 1.8.0 publishes them, with those of their activities that an action can be.
var Classes = [NumClasses]struct {
	UID        int
	Name       string // OCSF's caption
	Activities map[int]string
}{
	ClassAPI: {UID: 6003, Name: "API Activity"},
	ClassAccount: {UID: 3001, Name: "Account Change", Activities: map[int]string{
		1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete", 9: "Lock",
		12: "Unlock",
	}},
	ClassAuthentication: {UID: 3002, Name: "Authentication", Activities: map[int]string{1: "Logon", 2: "Logoff"}},
	ClassEntity:         {UID: 3004, Name: "Entity Management"},
	ClassAccess: {UID: 3005, Name: "User Access Management", Activities: map[int]string{
		1: "Assign Privileges", 2: "Revoke Privileges",
	}},
	ClassGroup: {UID: 3006, Name: "Group Management", Activities: map[int]string{
		1: "Assign Privileges", 2: "Revoke Privileges", 3: "Add User", 4: "Remove User", 5: "Delete", 6: "Create",
	}},
	ClassDatastore: {UID: 6005, Name: "Datastore Activity", Activities: map[int]string{
		1: "Read", 2: "Update", 4: "Query", 6: "Create", 7: "Delete",
	}},
	ClassFile: {UID: 6006, Name: "File Hosting Activity", Activities: map[int]string{
		1: "Upload", 2: "Download", 3: "Update", 4: "Delete", 5: "Rename", 6: "Copy", 7: "Move", 8: "Restore",
		12: "Share", 13: "Unshare", 14: "Open",
	}},
}

// ActivityName is OCSF's caption of an activity of the class. API Activity and Entity Management have the same four.
func (c Class) ActivityName(id int) string {
	if name, ok := Classes[c].Activities[id]; ok {
		return name
	}
	return OCSFActivityNames[id]
}

// OCSFClass works out the class that a name's action belongs to, and the activity_id in it. A name that is empty
// is of API Activity, and unknown. It is not for every row.
func OCSFClass(name []byte) (class Class, activity int) {
	if len(name) == 0 {
		return ClassAPI, OCSFUnknown
	}
	var w words
	w.split(name)
	said, verbAt := w.meaning()
	word := w.verbWord(verbAt)
	a := Classify(name)
	switch class = a.class(); class {
	case ClassAuthentication:
		return class, pick(a.Verb, map[Verb]int{verbLogin: 1, verbLogout: 2})
	case ClassAccount:
		return class, a.accountActivity(word)
	case ClassAccess:
		return class, pick(a.Verb, map[Verb]int{verbGrant: 1, verbTake: 2})
	case ClassGroup:
		return class, a.groupActivity(said.verb)
	case ClassDatastore:
		return class, a.datastoreActivity()
	case ClassFile:
		return class, a.fileActivity(word)
	default:
		return class, a.OCSFActivity()
	}
}

// class tells the class by category and kind.
func (a Action) class() Class {
	switch a.Category {
	case catAuthentication:
		return ClassAuthentication
	case catFile:
		return ClassFile
	case catDatabase:
		return ClassDatastore
	case catIAM:
		return a.iamClass()
	default:
		return ClassAPI
	}
}

// iamClass: only what changes accounts, rights and groups has a class of its own. Whoever looks at them, and all
// other entities, as keys and service principals are, belong to Entity Management.
func (a Action) iamClass() Class {
	if a.Verb.onlyLooks() {
		return ClassEntity
	}
	switch a.kind {
	case kindUser, kindPassword:
		return ClassAccount
	case kindGroup, kindMember:
		return ClassGroup
	case kindRight:
		return ClassAccess
	case kindAdmin:
		if a.Verb == verbCreate || a.Verb == verbDelete {
			return ClassEntity // the role itself begins and ends
		}
		return ClassAccess
	default:
		return ClassEntity
	}
}

func pick(v Verb, activities map[Verb]int) int {
	if id, ok := activities[v]; ok {
		return id
	}
	return OCSFOther
}

// verbWord is the word that says what was done, empty if none does.
func (w *words) verbWord(verbAt int) []byte {
	if verbAt < 0 {
		return nil
	}
	return w.at(verbAt)
}

// begins reports whether a word begins with one of some stems.
func begins(word []byte, stems ...string) bool {
	for _, stem := range stems {
		if bytes.HasPrefix(word, []byte(stem)) {
			return true
		}
	}
	return false
}

func (a Action) accountActivity(word []byte) int {
	switch {
	case a.kind == kindPassword && begins(word, "reset"):
		return 4
	case a.kind == kindPassword && a.Verb == verbUpdate:
		return 3
	case begins(word, "enabl", "activat", "reactivat", "unsuspend", "resum", "reinstat", "unban"):
		return 2
	case begins(word, "disabl", "deactivat", "suspend", "suspens", "bann", "ban"):
		return 5
	case begins(word, "lock"):
		return 9
	case begins(word, "unlock"):
		return 12
	}
	return pick(a.Verb, map[Verb]int{verbCreate: 1, verbDelete: 6})
}

// groupActivity takes the name's own verb: adding to a group counts as a change everywhere else.
func (a Action) groupActivity(verb Verb) int {
	if a.kind == kindMember {
		return pick(verb, map[Verb]int{
			verbCreate: 3, verbGrant: 3, verbDelete: 4, verbTake: 4, verbRevoke: 4,
		})
	}
	return pick(a.Verb, map[Verb]int{verbCreate: 6, verbDelete: 5, verbGrant: 1, verbTake: 2})
}

func (a Action) datastoreActivity() int {
	if a.kind == kindView && a.Verb == verbRead {
		return 4
	}
	if id := a.OCSFActivity(); id != OCSFOther {
		return map[int]int{ocsfCreate: 6, ocsfRead: 1, ocsfUpdate: 2, ocsfDelete: 7}[id]
	}
	return OCSFOther
}

func (a Action) fileActivity(word []byte) int {
	for _, of := range []struct {
		id    int
		stems []string
	}{
		{2, []string{"download", "export"}},
		{5, []string{"renam"}},
		{6, []string{"cop", "clon", "duplicat"}},
		{7, []string{"mov", "transfer"}},
		{8, []string{"restor", "undelet", "recover"}},
		{12, []string{"shar"}},
		{13, []string{"unshar"}},
	} {
		if begins(word, of.stems...) {
			return of.id
		}
	}
	if a.Verb == verbRead {
		return 14
	}
	if id := a.OCSFActivity(); id != OCSFOther {
		return map[int]int{ocsfCreate: 1, ocsfUpdate: 3, ocsfDelete: 4}[id]
	}
	return OCSFOther
}
