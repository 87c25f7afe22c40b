package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// publishedOCSF is any of the schema's own files or a part of one.
type publishedOCSF struct {
	Name, Extends, Type, Requirement, Caption, Regex, Version string

	UID         int
	IsArray     bool `json:"is_array"`
	MaxLen      int  `json:"max_len"`
	Profile     *string
	Attributes  map[string]json.RawMessage
	Constraints map[string][]string
	Enum        map[string]struct{ Caption string }
	Types       *struct{ Attributes map[string]json.RawMessage }
}

// ocsfReader reads them from a directory. Classes and objects name their attributes; the dictionary has the
// attributes' types.
type ocsfReader struct {
	t          testing.TB
	dir        string
	dictionary publishedOCSF
}

func (r ocsfReader) read(name ...string) publishedOCSF {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{r.dir}, name...)...))
	require.NoError(r.t, err)
	return r.parse(content)
}

func (r ocsfReader) parse(content []byte) (p publishedOCSF) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(content, &p))
	return p
}

func (r ocsfReader) object(p publishedOCSF) ocsfObject {
	o := ocsfObject{Extends: p.Extends, UID: p.UID, Constraints: p.Constraints, Attributes: map[string]ocsfAttr{}}
	for name, content := range p.Attributes {
		if strings.HasPrefix(name, "$") {
			continue // includes of profiles
		}
		own, general := r.parse(content), r.parse(r.dictionary.Attributes[name])
		attr := ocsfAttr{
			Type: general.Type, IsArray: general.IsArray, Requirement: own.Requirement,
			Enum: map[string]string{},
		}
		if own.Type != "" {
			attr.Type = own.Type
		}
		if own.Profile != nil {
			attr.Profile = *own.Profile
		}
		for _, enum := range []map[string]struct{ Caption string }{general.Enum, own.Enum} {
			for id, value := range enum {
				attr.Enum[id] = value.Caption
			}
		}
		o.Attributes[name] = attr
	}
	return o
}

// ocsfClassFiles are the classes that records can be of, by category.
var ocsfClassFiles = map[string][]string{
	"application": {"api_activity", "datastore_activity", "file_hosting"},
	"iam":         {"account_change", "authentication", "entity_management", "user_access", "group_management"},
}

// find is where a file lies in a checkout of OCSF's repository, or in a directory with nothing but these files.
func (r ocsfReader) find(name string) (path string, found bool) {
	for _, pattern := range []string{"", "events", "events/*", "profiles"} {
		if files, _ := filepath.Glob(filepath.Join(r.dir, pattern, name)); len(files) > 0 {
			return files[0], true
		}
	}
	return "", false
}

func (r ocsfReader) readClass(name string) publishedOCSF {
	r.t.Helper()
	path, found := r.find(name + ".json")
	if !found {
		r.t.Skipf("%s has no class %s; a checkout of OCSF's repository has all", r.dir, name)
	}
	content, err := os.ReadFile(path)
	require.NoError(r.t, err)
	return r.parse(content)
}

// classes reads the classes and does what OCSF's compiler does: a class's uid lies in its category's
// thousand, a class allows its own uid and category, and the profile cloud adds its attributes.
func (r ocsfReader) classes() map[string]ocsfObject {
	classes := map[string]ocsfObject{}
	for _, class := range []string{"base_event", "application", "iam"} {
		classes[class] = r.object(r.readClass(class))
	}
	categories := r.read("categories.json").Attributes
	for name, files := range ocsfClassFiles {
		category := r.parse(categories[name])
		for _, file := range files {
			published := r.readClass(file)
			class := r.object(published)
			class.UID += category.UID * 1000
			class.Attributes["class_uid"] = onlyUID(class.UID, published.Caption)
			class.Attributes["category_uid"] = onlyUID(category.UID, category.Caption)
			classes[file] = class
		}
	}
	for name, attr := range r.object(r.readClass("cloud")).Attributes {
		attr.Profile = "cloud"
		classes["base_event"].Attributes[name] = attr
	}
	return classes
}

func onlyUID(uid int, caption string) ocsfAttr {
	return ocsfAttr{Type: "integer_t", Requirement: "required", Enum: map[string]string{strconv.Itoa(uid): caption}}
}

func readPublishedOCSF(t testing.TB, dir string) ocsfFacts {
	t.Helper()
	r := ocsfReader{t: t, dir: dir}
	r.dictionary = r.read("dictionary.json")
	facts := ocsfFacts{
		Version: r.read("version.json").Version, Classes: r.classes(), Objects: map[string]ocsfObject{},
		Types: map[string]ocsfType{},
	}
	files, err := filepath.Glob(filepath.Join(dir, "objects", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		p := r.read("objects", filepath.Base(file))
		facts.Objects[p.Name] = r.object(p)
	}
	for name, content := range r.dictionary.Types.Attributes {
		p := r.parse(content)
		if p.Type == "" {
			p.Type = name
		}
		facts.Types[name] = ocsfType{Base: p.Type, Regex: p.Regex, MaxLen: p.MaxLen}
	}
	return facts
}
