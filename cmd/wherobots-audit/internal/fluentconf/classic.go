package fluentconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// classic reads files of the classic form.
type classic struct {
	*file
	root string // of the first file: what others are seen from, unless they are there from the working directory

	name    string
	line    int
	indent  string // of the first key of a file: all others must have it
	current *Section
	inGroup bool
}

func (c *classic) place() Place { return Place{c.name, c.line} }

func (c *classic) wrong(format string, args ...any) error {
	return fmt.Errorf("%s: %s", c.place(), fmt.Sprintf(format, args...))
}

func (c *classic) read(name string) error {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(name) {
		name = filepath.Join(c.root, name)
	}
	if slices.Contains(c.configuration.Files, name) {
		return fmt.Errorf("%s is included twice", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	c.configuration.Files = append(c.configuration.Files, name)
	inside := &classic{file: c.file, root: c.root, name: name}
	for line := range strings.Lines(string(text)) {
		inside.line++
		if err := inside.one(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")); err != nil {
			return err
		}
	}
	inside.end()
	return nil
}

// end takes the section that was read into the configuration.
func (c *classic) end() {
	switch {
	case c.current == nil:
	case c.current.Kind == "service":
		c.configuration.Service.Properties = append(c.configuration.Service.Properties, c.current.Properties...)
		c.configuration.Service.Place = c.current.Place
	default:
		c.configuration.Sections = append(c.configuration.Sections, *c.current)
	}
	c.current = nil
}

// one reads one line.
func (c *classic) one(line string) error {
	const include = "@INCLUDE "
	switch {
	case line == "" || line[0] == '#':
		return nil
	case len(line) > len(include) && strings.EqualFold(line[:len(include)], include):
		return c.include(line[len(include):])
	case line[0] == '@' && len(line) > 3:
		return c.meta(line[1:])
	case line[0] == '[':
		end := strings.IndexByte(line, ']')
		if end < 0 {
			return c.wrong("the section's name has no ]")
		}
		c.end()
		c.current = &Section{Kind: strings.ToLower(line[1:end]), Place: c.place()}
		c.inGroup = false
		return nil
	}
	return c.key(line)
}

// include reads other files in place. Patterns are seen from the first file's directory.
func (c *classic) include(path string) error {
	if !strings.Contains(path, "*") {
		if err := c.read(path); err != nil {
			return c.wrong("%v", err)
		}
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.root, path)
	}
	found, err := filepath.Glob(path)
	if err != nil || len(found) == 0 {
		return c.wrong("nothing matches %s", path)
	}
	for _, name := range found {
		if err := c.read(name); err != nil {
			return c.wrong("%v", err)
		}
	}
	return nil
}

// meta reads an instruction to the engine, of which @SET is the only one.
func (c *classic) meta(text string) error {
	name, parameters, ok := strings.Cut(text, " ")
	if !ok {
		return c.wrong("@%s has no value", name)
	}
	if !strings.EqualFold(strings.TrimSpace(name), "set") {
		return nil
	}
	variable, value, ok := strings.Cut(strings.TrimSpace(parameters), "=")
	if ok {
		c.metas = append(c.metas, assignment{variable, value, c.place()})
	}
	return nil
}

// key reads a key with its value. Only a space parts them, as for the engine.
func (c *classic) key(line string) error {
	if c.indent == "" {
		c.indent = line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if c.indent == "" {
			return c.wrong("a key must be indented")
		}
		if c.indent == line {
			return nil // a line of blanks
		}
	}
	rest, ok := strings.CutPrefix(line, c.indent)
	if !ok {
		return c.wrong("this line is indented otherwise than the first key of the file")
	}
	more := len(rest) - len(strings.TrimLeft(rest, " \t"))
	switch {
	case more == 0:
		c.inGroup = false
	case more != len(c.indent):
		return c.wrong("this line is indented further than the first key of the file")
	}
	rest = rest[more:]
	if rest == "" || rest[0] == '#' {
		return nil
	}
	return c.pair(rest)
}

func (c *classic) pair(text string) error {
	key, value, ok := strings.Cut(text, " ")
	value = strings.TrimSpace(value)
	switch {
	case key[0] == '[':
		c.inGroup = true
		return nil
	case !ok || value == "":
		return c.wrong("key %s has no value", Bare(key))
	case c.current == nil:
		return c.wrong("key %s belongs to no section", Bare(key))
	case c.inGroup:
		return nil // of a plugin that has groups; the plugins that are looked at have none
	}
	p := Property{Key: strings.ToLower(strings.TrimSpace(key)), Raw: value, Place: c.place()}
	c.current.Properties = append(c.current.Properties, p)
	return nil
}
