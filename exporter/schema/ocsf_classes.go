package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/action"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// ocsfClass is what a class of OCSF has other than API Activity. Where a class wants something that the source does not
// say, such as the user that a role was given to, it says "unknown".
type ocsfClass struct {
	iam       bool                // of the category Identity & Access Management
	places    map[string][]string // of columns that land elsewhere
	constants []constant
}

var ocsfClasses = [action.NumClasses]ocsfClass{
	action.ClassAPI: {},
	action.ClassAuthentication: {
		iam: true,
		places: map[string][]string{
			"user_id":       at("actor.user.uid", "user.uid"),
			"user_name":     at("actor.user.name", "actor.user.email_addr?email", "user.name", "user.email_addr?email"),
			"resource_name": nil,
			"resource_id":   nil,
		},
		constants: []constant{{"user.name", unknown, otherwise}, {"service.name", "Wherobots Cloud", always}},
	},
	action.ClassAccount: {
		iam:       true,
		places:    map[string][]string{"resource_name": at("user.name"), "resource_id": at("user.uid")},
		constants: []constant{{"user.name", unknown, otherwise}},
	},
	action.ClassEntity: {
		iam:       true,
		places:    map[string][]string{"resource_name": at("entity.name"), "resource_id": at("entity.uid")},
		constants: []constant{{"entity.name", unknown, otherwise}},
	},
	action.ClassAccess: {
		iam:       true,
		places:    map[string][]string{"resource_name": at("resources[].name", "privileges[]?required")},
		constants: []constant{{"user.name", unknown, always}, {"resources[].role_id", 1, beside}},
	},
	action.ClassGroup: {
		iam:       true,
		places:    map[string][]string{"resource_name": at("group.name"), "resource_id": at("group.uid")},
		constants: []constant{{"group.name", unknown, otherwise}},
	},
	action.ClassDatastore: {
		places:    map[string][]string{"resource_name": at("database.name?required"), "resource_id": at("database.uid")},
		constants: []constant{{"database.type_id", 0, always}},
	},
	action.ClassFile: {
		places:    map[string][]string{"resource_name": at("file.name?required"), "resource_id": at("file.uid")},
		constants: []constant{{"file.type_id", 0, always}},
	},
}

// def is the class's schema: API Activity's with other places and constants.
func (c *ocsfClass) def(class action.Class) *schemaDef {
	def := ocsfDef
	def.places = func(f *field) []string {
		if places, moved := c.places[f.name]; moved {
			return places
		}
		return f.ocsf
	}
	def.constants = slices.Clone(ocsfDef.constants)
	if c.places != nil { // resources have other names
		def.constants = slices.DeleteFunc(def.constants, func(c constant) bool {
			return strings.HasPrefix(c.place, "resources[]")
		})
	}
	replaced := map[string]any{"class_uid": action.Classes[class].UID, "class_name": action.Classes[class].Name}
	if c.iam {
		maps.Copy(replaced, map[string]any{"category_uid": 3, "category_name": "Identity & Access Management"})
	}
	for i := range def.constants {
		if value, other := replaced[def.constants[i].place]; other {
			def.constants[i].value = value
		}
	}
	def.constants = append(def.constants, c.constants...)
	def.derived = []derivation{
		{kind: opTime},
		{kind: opAction, entries: actionEntries{activityEntries, func(dst, name []byte) []byte {
			_, id := action.OCSFClass(name)
			return appendActivity(dst, name, class, id)
		}}.withOutcome()},
	}
	return &def
}

// fineClasses are the encoders of good rows, one for each class, made when the first row needs it.
type fineClasses struct {
	names    []string
	own      []constant // of every record of this collection
	place    int        // of the action's name; -1 where the response lacks it
	encoders [action.NumClasses]*Encoder
	known    map[string]fineAction // by the action's name
}

// fineAction is what an action's name settles. The entries are kept here, too, so that a row looks its action up once.
type fineAction struct {
	encoder *Encoder
	entries []byte
}

// addClasses makes good rows be of the class that fits the action. Bad rows stay API Activity: what they are about
// is known in part.
func (p *Encoder) addClasses(c *event.Columns, own []constant) *Encoder {
	p.fine = &fineClasses{
		names: c.Names, own: own, place: c.Known[event.ActionName], known: make(map[string]fineAction),
	}
	return p
}

// encoder is the one for a good row, which it must be used for.
func (f *fineClasses) encoder(r *event.Row) *Encoder {
	name := r.Field(f.place)
	a, ok := f.known[string(name)]
	if !ok {
		a = f.learn(name)
	}
	a.encoder.actions.ready = a.entries
	return a.encoder
}

func (f *fineClasses) learn(name []byte) fineAction {
	class, _ := action.OCSFClass(name)
	if f.encoders[class] == nil {
		def := ocsfClasses[class].def(class)
		def.constants = append(def.constants, f.own...)
		f.encoders[class] = compile(def, auditFields, f.names)
		f.encoders[class].actions.most = 0 // they are remembered here
	}
	a := fineAction{encoder: f.encoders[class]}
	if len(f.known) < maxCachedActions && len(name) <= maxCachedActionName {
		a.entries = a.encoder.actions.make.append(nil, name)
		f.known[string(name)] = a
	}
	return a
}
