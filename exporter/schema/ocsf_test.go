package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

// ocsfFacts are OCSF's classes, objects and types as its own repository publishes them, cut down to what
// records have and must have; in testdata/ocsf_facts.json. With -update and SCHEMAS_DIR they are cut anew.
type ocsfFacts struct {
	Version string                `json:"version"`
	Classes map[string]ocsfObject `json:"classes"`
	Objects map[string]ocsfObject `json:"objects"`
	Types   map[string]ocsfType   `json:"types"`
}

type ocsfObject struct {
	Extends     string              `json:"extends,omitempty"`
	UID         int                 `json:"uid,omitempty"`
	Attributes  map[string]ocsfAttr `json:"attributes"`
	Constraints map[string][]string `json:"constraints,omitempty"`
}

type ocsfAttr struct {
	Type        string            `json:"type"`
	IsArray     bool              `json:"is_array,omitempty"`
	Requirement string            `json:"requirement,omitempty"`
	Profile     string            `json:"profile,omitempty"`
	Enum        map[string]string `json:"enum,omitempty"`
}

type ocsfType struct {
	Base   string `json:"base"` // string_t, integer_t, long_t, boolean_t
	Regex  string `json:"regex,omitempty"`
	MaxLen int    `json:"max_len,omitempty"`
}

const ocsfFactsFile = "testdata/ocsf_facts.json"

func readOCSFFacts(t testing.TB) (facts ocsfFacts) {
	t.Helper()
	content, err := os.ReadFile(ocsfFactsFile)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &facts))
	return facts
}

// TestOCSFConforms holds every record against its class: attributes that exist, required ones, enums, types
// and constraints.
func TestOCSFConforms(t *testing.T) {
	facts := readOCSFFacts(t)
	require.Equal(t, facts.Version, ocsfVersion)
	for _, schema := range []Name{OCSF, OCSFFine} {
		for _, c := range fineCases(t) {
			require.NoError(t, facts.check(c.record(t, schema)), "%s: %s", schema, c.name)
		}
		t.Run(string(schema)+", any row", func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { require.NoError(rt, facts.check(anyRow(rt).record(t, schema))) })
		})
	}
}

// TestOCSFCheckerRefuses: the check above can fail.
func TestOCSFCheckerRefuses(t *testing.T) {
	facts := readOCSFFacts(t)
	for name, spoil := range map[string]func(map[string]any){
		"required":     func(r map[string]any) { delete(r, "metadata") },
		"enum":         func(r map[string]any) { r["severity_id"] = int64(7) },
		"type":         func(r map[string]any) { r["time"] = "now" },
		"unknown":      func(r map[string]any) { r["shoe_size"] = int64(43) },
		"constraint":   func(r map[string]any) { r["src_endpoint"] = map[string]any{} },
		"array":        func(r map[string]any) { r["resources"] = map[string]any{"uid": "x"} },
		"pattern":      func(r map[string]any) { r["src_endpoint"] = map[string]any{"ip": "here"} },
		"type_uid":     func(r map[string]any) { r["type_uid"] = int64(600399) },
		"category_uid": func(r map[string]any) { r["category_uid"] = int64(3) },
	} {
		record := schemaCases[0].record(t, OCSF)
		require.NoError(t, facts.check(record))
		spoil(record)
		require.Error(t, facts.check(record), name)
	}
}

// check holds a record against the class that it says it has.
func (facts ocsfFacts) check(record map[string]any) error {
	class := "base_event"
	for name, of := range facts.Classes {
		if of.UID != 0 && record["class_uid"] == int64(of.UID) {
			class = name
		}
	}
	uid := int64(facts.Classes[class].UID)
	category := uid / 1000
	activity, _ := record["activity_id"].(int64)
	switch {
	case record["class_uid"] != uid || record["category_uid"] != category:
		return fmt.Errorf("class %v, category %v", record["class_uid"], record["category_uid"])
	case record["type_uid"] != uid*100+activity:
		return fmt.Errorf("type_uid %v does not follow from activity %d", record["type_uid"], activity)
	}
	metadata, _ := record["metadata"].(map[string]any)
	profiles, _ := metadata["profiles"].([]any)
	return facts.checkObject(facts.Classes, class, record, profiles)
}

func (facts ocsfFacts) checkObject(
	objects map[string]ocsfObject, kind string, value map[string]any, profiles []any,
) error {
	if kind == "object" {
		return nil // anything
	}
	attributes, constraints := facts.inherited(objects, kind)
	for name, attr := range attributes {
		if _, has := value[name]; !has && attr.Requirement == "required" &&
			(attr.Profile == "" || slices.Contains(profiles, any(attr.Profile))) {
			return fmt.Errorf("%s: no %s", kind, name)
		}
	}
	if some := constraints["at_least_one"]; len(some) > 0 && !slices.ContainsFunc(
		some, func(name string) bool { return value[name] != nil },
	) {
		return fmt.Errorf("%s: none of %s", kind, some)
	}
	for name, inner := range value {
		attr, known := attributes[name]
		switch {
		case !known:
			return fmt.Errorf("%s of %s is not in %s: add it from the published table", name, kind, ocsfFactsFile)
		case attr.Profile != "" && !slices.Contains(profiles, any(attr.Profile)):
			return fmt.Errorf("%s has no %s without the profile %s", kind, name, attr.Profile)
		}
		list, isList := inner.([]any)
		if isList != attr.IsArray {
			return fmt.Errorf("%s.%s: a list: %t", kind, name, isList)
		}
		if !isList {
			list = []any{inner}
		}
		for _, one := range list {
			if err := facts.checkValue(attr, one, profiles); err != nil {
				return fmt.Errorf("%s.%s: %w", kind, name, err)
			}
		}
	}
	return nil
}

// inherited are the attributes and constraints of a class or object with those of what it extends.
func (facts ocsfFacts) inherited(
	objects map[string]ocsfObject, kind string,
) (map[string]ocsfAttr, map[string][]string) {
	object := objects[kind]
	if object.Extends == "" {
		return object.Attributes, object.Constraints
	}
	parents, constraints := facts.inherited(objects, object.Extends)
	attributes := maps.Clone(parents)
	if attributes == nil {
		attributes = map[string]ocsfAttr{}
	}
	for name, attr := range object.Attributes {
		parent := parents[name]
		if attr.Requirement == "" {
			attr.Requirement = parent.Requirement
		}
		if parent.Enum != nil {
			enum := maps.Clone(parent.Enum)
			maps.Copy(enum, attr.Enum)
			attr.Enum = enum
		}
		attributes[name] = attr
	}
	if object.Constraints != nil {
		constraints = object.Constraints
	}
	return attributes, constraints
}

func (facts ocsfFacts) checkValue(attr ocsfAttr, value any, profiles []any) error {
	kind, scalar := facts.Types[attr.Type]
	if !scalar {
		inner, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("%#v is no %s", value, attr.Type)
		}
		return facts.checkObject(facts.Objects, attr.Type, inner, profiles)
	}
	text, isText := value.(string)
	number, isNumber := value.(int64)
	switch {
	case kind.Base == "string_t" && (!isText || text == ""),
		kind.Base == "integer_t" && (!isNumber || int64(int32(number)) != number),
		kind.Base == "long_t" && !isNumber:
		return fmt.Errorf("%#v is no %s", value, attr.Type)
	case kind.Regex != "" && !regexp.MustCompile(kind.Regex).MatchString(text):
		return fmt.Errorf("%q does not match %s", text, attr.Type)
	case kind.MaxLen > 0 && len(text) > kind.MaxLen:
		return fmt.Errorf("%q is longer than %s may be", text, attr.Type)
	case isNumber && len(attr.Enum) > 0 && attr.Enum[strconv.FormatInt(number, 10)] == "":
		return fmt.Errorf("%d is none of %v", number, attr.Enum)
	}
	return nil
}

// TestOCSFFactsArePublished holds the facts against the published schema where SCHEMAS_DIR names a directory
// that has it, and every case against the whole.
func TestOCSFFactsArePublished(t *testing.T) {
	dir := os.Getenv("SCHEMAS_DIR")
	if dir == "" {
		t.Skip("SCHEMAS_DIR is not set")
	}
	published := readPublishedOCSF(t, filepath.Join(dir, "ocsf-"+ocsfVersion))
	golden.Equal(t, ocsfFactsFile, golden.Indented(t, published.cut(t)))
	for _, c := range fineCases(t) {
		require.NoError(t, published.check(c.record(t, OCSF)), c.name)
		require.NoError(t, published.check(c.record(t, OCSFFine)), c.name)
	}
}

// cut keeps what the records have, what they must have, and what constraints name.
func (facts ocsfFacts) cut(t testing.TB) ocsfFacts {
	used := map[string]bool{}
	for _, c := range fineCases(t) {
		for _, schema := range []Name{OCSF, OCSFFine} {
			for path := range leaves(c.record(t, schema)) {
				for _, name := range strings.Split(path, ".") {
					used[name] = true
				}
			}
		}
	}
	small := ocsfFacts{Version: facts.Version, Types: map[string]ocsfType{}}
	needed := map[string]bool{"_entity": true, "_resource": true, "endpoint": true}
	for class := range facts.Classes {
		needed[class] = true
	}
	cutObjects := func(objects map[string]ocsfObject) map[string]ocsfObject {
		kept := map[string]ocsfObject{}
		for kind, object := range objects {
			attributes := map[string]ocsfAttr{}
			for name, attr := range object.Attributes {
				if used[name] || attr.Requirement == "required" {
					attributes[name] = attr
				}
			}
			object.Attributes = attributes
			kept[kind] = object
		}
		return kept
	}
	small.Classes = cutObjects(facts.Classes)
	small.Objects = cutObjects(facts.Objects)
	for changed := true; changed; {
		changed = false
		for _, objects := range []map[string]ocsfObject{small.Classes, small.Objects} {
			for kind, object := range objects {
				if !needed[kind] {
					continue
				}
				for name, attr := range object.Attributes {
					if scalar, ok := facts.Types[attr.Type]; ok {
						small.Types[attr.Type] = scalar
					} else if used[name] && !needed[attr.Type] {
						needed[attr.Type], changed = true, true
					}
				}
			}
		}
	}
	maps.DeleteFunc(small.Objects, func(kind string, _ ocsfObject) bool { return !needed[kind] })
	return small
}
