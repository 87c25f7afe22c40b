package fluentconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// inYAML is one YAML file that is read.
type inYAML struct {
	*file
	name    string
	parents []string // the files that include this one, for endless circles
}

// readYAML reads one file. A relative path is seen from the file that includes it.
func (f *file) readYAML(name string, parents []string) error {
	if slices.Contains(f.configuration.Files, name) {
		return fmt.Errorf("%s is included twice", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f.configuration.Files = append(f.configuration.Files, name)
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(document.Content) == 0 {
		return nil // nothing but comments
	}
	in := &inYAML{file: f, name: name, parents: parents}
	return in.each(document.Content[0], in.section)
}

func (in *inYAML) place(n *yaml.Node) Place { return Place{in.name, n.Line} }

func (in *inYAML) wrong(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s: %s", in.place(n), fmt.Sprintf(format, args...))
}

// each calls f for each key of a mapping.
func (in *inYAML) each(n *yaml.Node, f func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return in.wrong(n, "keys with values are expected here")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode || value.Kind == yaml.AliasNode || key.Tag == "!!merge" {
			return in.wrong(key, "Fluent Bit does not understand anchors and aliases of YAML")
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// items calls f for each item of a list; a key without a value is an empty list.
func (in *inYAML) items(n *yaml.Node, f func(item *yaml.Node) error) error {
	if n.Kind == yaml.ScalarNode && n.Value == "" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return in.wrong(n, "a list is expected here")
	}
	for _, item := range n.Content {
		if err := f(item); err != nil {
			return err
		}
	}
	return nil
}

// section reads one key of the top level.
func (in *inYAML) section(key, value *yaml.Node) error {
	switch name := strings.ToLower(key.Value); name {
	case "env":
		return in.variables(value)
	case "includes":
		return in.items(value, in.include)
	case "pipeline":
		return in.each(value, in.pipeline)
	case "service":
		if in.hasService {
			return in.wrong(key, "there is more than one section service")
		}
		in.hasService = true
		service, err := in.plugin("service", value)
		in.configuration.Service = service
		return err
	case "plugins":
		section := Section{Kind: name, Place: in.place(key)}
		err := in.items(value, func(item *yaml.Node) error {
			section.Properties = append(section.Properties, Property{Key: "path", Raw: item.Value, Place: in.place(item)})
			return nil
		})
		in.configuration.Sections = append(in.configuration.Sections, section)
		return err
	default: // parsers, streams and whatever else the engine leaves alone
		in.configuration.Sections = append(in.configuration.Sections, Section{Kind: name, Place: in.place(key)})
		return nil
	}
}

// variables reads env: keys with values, or a list of them or of name, value and uri.
func (in *inYAML) variables(n *yaml.Node) error {
	set := func(name string, value *yaml.Node) {
		in.environment = append(in.environment, assignment{name, value.Value, in.place(value)})
	}
	if n.Kind == yaml.MappingNode {
		return in.each(n, func(key, value *yaml.Node) error {
			set(key.Value, value)
			return nil
		})
	}
	return in.items(n, func(item *yaml.Node) error {
		var name string
		var content *yaml.Node
		err := in.each(item, func(key, value *yaml.Node) error {
			switch key.Value {
			case "name":
				name = value.Value
			case "value", "uri":
				content = value
			case "refresh_interval":
			default:
				set(key.Value, value)
			}
			return nil
		})
		if name != "" && content != nil {
			set(name, content)
		}
		return err
	})
}

func (in *inYAML) include(item *yaml.Node) error {
	path := item.Value
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(in.name), path)
	}
	paths := []string{path}
	if strings.Contains(path, "*") {
		found, err := filepath.Glob(path)
		if err != nil {
			return in.wrong(item, "%s is no pattern", path)
		}
		paths = found // none is no mistake here, as it is in classic files
	}
	for _, path := range paths {
		if slices.Contains(in.parents, path) {
			return in.wrong(item, "%s includes itself", path)
		}
		if err := in.readYAML(path, append(slices.Clone(in.parents), in.name)); err != nil {
			return in.wrong(item, "%v", err)
		}
	}
	return nil
}

func (in *inYAML) pipeline(key, value *yaml.Node) error {
	kinds := map[string]string{"inputs": "input", "filters": "filter", "outputs": "output", "customs": "custom"}
	kind, ok := kinds[strings.ToLower(key.Value)]
	if !ok {
		return in.wrong(key, "pipeline has inputs, filters, outputs and customs, and no %q", key.Value)
	}
	return in.items(value, func(item *yaml.Node) error {
		section, err := in.plugin(kind, item)
		in.configuration.Sections = append(in.configuration.Sections, section)
		return err
	})
}

// plugin reads the keys of one plugin. A list gives its key several values.
func (in *inYAML) plugin(kind string, n *yaml.Node) (Section, error) {
	s := Section{Kind: kind, Place: in.place(n)}
	err := in.each(n, func(key, value *yaml.Node) error {
		name := snakeCase(key.Value)
		add := func(v *yaml.Node) {
			raw := strings.TrimSpace(v.Value)
			s.Properties = append(s.Properties, Property{Key: name, Raw: raw, Place: in.place(key)})
		}
		switch {
		case name == "processors" && value.Kind == yaml.MappingNode:
			return in.processors(&s, value)
		case value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				add(item)
			}
		default:
			add(value)
		}
		return nil
	})
	return s, err
}

// processors reads those for logs, metrics, traces and profiles.
func (in *inYAML) processors(s *Section, n *yaml.Node) error {
	return in.each(n, func(_, list *yaml.Node) error {
		return in.items(list, func(item *yaml.Node) error {
			p, err := in.plugin("processor", item)
			s.Processors = append(s.Processors, p)
			return errors.Join(err)
		})
	})
}

// snakeCase spells a key of YAML as the engine does: camelCase becomes camel_case unless there is an underscore, and
// what does not begin with a small letter stays as it is.
func snakeCase(key string) string {
	if key == "" || !unicode.IsLower(rune(key[0])) || strings.Contains(key, "_") {
		return strings.ToLower(key) // keys are compared without regard to case
	}
	var b strings.Builder
	for _, r := range key {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
