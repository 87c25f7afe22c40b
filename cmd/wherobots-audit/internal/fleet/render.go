package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
)

// File is one configuration.
type File struct {
	Name string
	Text []byte
}

// Render returns the base with an input for each organisation in place of its only one. The tags go on from the base's,
// wherobots.audit.acme, and what matched that tag matches all of them.
func Render(base []byte, list []Organisation) ([]byte, error) {
	return render(base, func(input []pair) (inputs [][]pair) {
		for _, o := range list {
			inputs = append(inputs, o.input(input))
		}
		return inputs
	})
}

// pair is a key of an input with its value.
type pair struct{ key, value *yaml.Node }

// input is the base's, with what is the organisation's own.
func (o Organisation) input(base []pair) []pair {
	tag := o.Tag
	if tag == "" {
		tag = get(base, "tag") + "." + o.Name
	}
	made := slices.Clone(base)
	if hasCredential(o.Settings) {
		made = slices.DeleteFunc(made, func(p pair) bool { return slices.Contains(credentialKeys, p.key.Value) })
	}
	made = with(made, "alias", o.Name)
	made = with(made, "tag", tag)
	made = with(made, "checkpoint_path", beside(get(base, "checkpoint_path"), o.Name))
	if get(base, "engine_input") != "" {
		made = with(made, "engine_input", o.Name)
	}
	if get(base, "organization") == "" {
		made = with(made, "organization", o.Name)
	}
	for _, key := range sortedKeys(o.Settings) {
		made = with(made, key, o.Settings[key])
	}
	return made
}

// beside is a checkpoint of another name in the same folder.
func beside(checkpoint, name string) string {
	if checkpoint == "" {
		checkpoint = "/var/lib/fluent-bit/wherobots_audit.json"
	}
	return path.Join(path.Dir(checkpoint), name+path.Ext(checkpoint))
}

func render(base []byte, inputsOf func([]pair) [][]pair) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(base, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, errors.New("the configuration is empty")
	}
	pipeline := child(document.Content[0], "pipeline")
	inputs := child(pipeline, "inputs")
	at, err := onlyInput(inputs)
	if err != nil {
		return nil, err
	}
	input := pairs(inputs.Content[at])
	made := inputsOf(input)
	nodes := make([]*yaml.Node, 0, len(made))
	for _, m := range made {
		nodes = append(nodes, mapping(m))
	}
	inputs.Content = slices.Replace(inputs.Content, at, at+1, nodes...)
	if err := route(pipeline, get(input, "tag"), made); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err = e.Encode(&document)
	return b.Bytes(), err
}

// onlyInput finds the input of this plugin.
func onlyInput(inputs *yaml.Node) (at int, err error) {
	at = -1
	for i, node := range contents(inputs) {
		if get(pairs(node), "name") != "wherobots_audit" {
			continue
		}
		if at >= 0 {
			return 0, errors.New("the configuration has several inputs wherobots_audit: leave one, which all are made of")
		}
		at = i
	}
	if at < 0 {
		return 0, errors.New("the configuration has no input wherobots_audit under pipeline, inputs")
	}
	return at, nil
}

// route widens what matches the base's tag, and refuses an input that no output takes.
func route(pipeline *yaml.Node, tag string, inputs [][]pair) error {
	var patterns []string
	for _, kind := range []string{"filters", "outputs"} {
		for _, node := range contents(child(pipeline, kind)) {
			match := child(node, "match")
			if match == nil {
				continue
			}
			if match.Value == tag {
				match.Value = tag + "*"
			}
			if kind == "outputs" {
				patterns = append(patterns, match.Value)
			}
		}
	}
	for _, input := range inputs {
		of := get(input, "tag")
		if !slices.ContainsFunc(patterns, func(p string) bool { return fluentconf.Match(p, of) }) {
			return fmt.Errorf("no output takes the tag %s of %s", of, get(input, "alias"))
		}
	}
	return nil
}

func child(node *yaml.Node, key string) *yaml.Node {
	for _, p := range pairs(node) {
		if strings.EqualFold(p.key.Value, key) {
			return p.value
		}
	}
	return nil
}

func contents(node *yaml.Node) []*yaml.Node {
	if node == nil {
		return nil
	}
	return node.Content
}

func pairs(node *yaml.Node) (all []pair) {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		all = append(all, pair{node.Content[i], node.Content[i+1]})
	}
	return all
}

func get(all []pair, key string) string {
	for _, p := range all {
		if strings.EqualFold(p.key.Value, key) {
			return p.value.Value
		}
	}
	return ""
}

// with sets a key; the pairs that others share stay as they are.
func with(all []pair, key, value string) []pair {
	made := pair{
		&yaml.Node{Kind: yaml.ScalarNode, Value: key}, &yaml.Node{Kind: yaml.ScalarNode, Value: value},
	}
	at := slices.IndexFunc(all, func(p pair) bool { return strings.EqualFold(p.key.Value, key) })
	if at < 0 {
		return append(all, made)
	}
	all = slices.Clone(all)
	all[at] = made
	return all
}

func mapping(all []pair) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range all {
		node.Content = append(node.Content, p.key, p.value)
	}
	return node
}

func sortedKeys(settings map[string]string) (keys []string) {
	for key := range settings {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
