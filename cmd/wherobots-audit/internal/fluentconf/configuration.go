// Package fluentconf reads Fluent Bit's configuration files as the engine does, YAML and classic ones: with its own
// rules for variables, inclusion and indentation. What it knows was read in 5.1.1: flb_cf_yaml.c, flb_cf_fluentbit.c,
// flb_config_format.c, flb_env.c, flb_config.c, flb_router.c.
package fluentconf

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Place is where something is written.
type Place struct {
	File string
	Line int
}

// String is the place as compilers write it.
func (p Place) String() string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Property is one key with its value.
type Property struct {
	Key   string // in lower case, with underscores
	Raw   string // the value as it is written
	Value string // with variables in their place
	Place Place
}

// Bare is a key for messages, without what somebody wrote after an = or a colon, which may be a secret.
func Bare(key string) string {
	if at := strings.IndexAny(key, "=: \t\"'"); at > 0 {
		key = key[:at] + "…"
	}
	return key
}

// Section is the service, or one plugin of the pipeline.
type Section struct {
	Kind       string // service, input, filter, output, plugins, … in lower case
	Properties []Property
	Processors []Section // YAML only: those of an input or an output
	Place      Place
}

// Find returns the first property of that key.
func (s Section) Find(key string) (Property, bool) {
	at := slices.IndexFunc(s.Properties, func(p Property) bool { return strings.EqualFold(p.Key, key) })
	if at < 0 {
		return Property{}, false
	}
	return s.Properties[at], true
}

// Get returns the value of the first property of that key; "" = it is not there, or empty, which the engine takes for
// the same.
func (s Section) Get(key string) string {
	p, _ := s.Find(key)
	return p.Value
}

// On reports whether a boolean is on, as flb_utils_bool reads it.
func (s Section) On(key string) bool {
	switch strings.ToLower(s.Get(key)) {
	case "on", "true", "yes":
		return true
	}
	return false
}

// At is where key is written; the section's own place when it is not.
func (s Section) At(key string) Place {
	if p, ok := s.Find(key); ok {
		return p.Place
	}
	return s.Place
}

// Unset is a variable that is used, has no value and no default.
type Unset struct {
	Name  string
	Place Place
}

// Configuration is all that a file and those that it includes say.
type Configuration struct {
	Service  Section
	Sections []Section // all others, in their order
	Files    []string
	Unset    []Unset
}

// Of returns the sections of a kind.
func (c *Configuration) Of(kind string) (found []Section) {
	for _, s := range c.Sections {
		if s.Kind == kind {
			found = append(found, s)
		}
	}
	return found
}

// assignment gives a variable its value.
type assignment struct {
	name, value string
	place       Place
}

// file collects what files say before variables are put in their place.
type file struct {
	configuration Configuration
	environment   []assignment
	metas         []assignment // @SET; they come after all of the environment
	hasService    bool
}

// Read reads the file at path. A .yaml or .yml is YAML, anything else is classic, as for the engine. getenv is the
// environment. Its errors are what keeps the engine from starting.
func Read(path string, getenv func(string) string) (*Configuration, error) {
	f := new(file)
	var err error
	switch filepath.Ext(path) {
	case ".yaml", ".yml":
		err = f.readYAML(path, nil)
	default:
		err = (&classic{file: f, root: filepath.Dir(path)}).read(path)
	}
	if err != nil {
		return nil, err
	}
	env := newEnvironment(getenv)
	for _, set := range append(f.environment, f.metas...) {
		if err := env.set(set.name, set.value); err != nil {
			return nil, fmt.Errorf("%s: %w", set.place, err)
		}
	}
	c := &f.configuration
	c.resolve(env, &c.Service)
	for i := range c.Sections {
		c.resolve(env, &c.Sections[i])
	}
	return c, nil
}

// resolve puts variables in their place.
func (c *Configuration) resolve(env *environment, s *Section) {
	for i := range s.Properties {
		p := &s.Properties[i]
		value, unset := env.translate(p.Raw)
		p.Value = value
		for _, name := range unset {
			c.Unset = append(c.Unset, Unset{name, p.Place})
		}
	}
	for i := range s.Processors {
		c.resolve(env, &s.Processors[i])
	}
}
