// Package fleet writes configurations of Fluent Bit for many organisations, or for many slices of time, of one
// configuration with one input.
package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// Organisation is one entry of the list: a name, and settings of the input that are its own.
type Organisation struct {
	Name     string
	Tag      string            // "" = the input's, with the name after it
	Settings map[string]string // by key
}

// engineKeys are settings of an input that Fluent Bit reads, and an entry may have.
var engineKeys = []string{"storage.type", "storage.pause_on_chunks_overlimit"}

// shortKeys may stand in a list for the settings.
var shortKeys = map[string]string{"key_file": "api_key_file", "start": "start_time"}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// Read returns the organisations of a list in YAML, or of a folder that has a file with a key for each, named as the
// organisation: a mounted Kubernetes secret, say. They are in the order of the list, or of the names.
func Read(path string) ([]Organisation, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return readFolder(path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []map[string]string
	if err := yaml.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("%s: not a list of organisations: %w", path, err)
	}
	list := make([]Organisation, 0, len(entries))
	for i, entry := range entries {
		o := Organisation{Name: entry["name"], Tag: entry["tag"], Settings: make(map[string]string)}
		for key, value := range entry {
			if long, isShort := shortKeys[key]; isShort {
				key = long
			}
			switch {
			case key == "name" || key == "tag":
			case key == "alias" || !slices.Contains(config.Keys(), key) && !slices.Contains(engineKeys, key):
				return nil, fmt.Errorf("%s: entry %d, %q: no setting is called %q", path, i+1, o.Name, key)
			default:
				o.Settings[key] = value
			}
		}
		list = append(list, o)
	}
	return list, check(path, list)
}

func readFolder(path string) (list []Organisation, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") { // ..data, where Kubernetes keeps the files that it links
			continue
		}
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		list = append(list, Organisation{Name: e.Name(), Settings: map[string]string{"api_key_file": file}})
	}
	return list, check(path, list)
}

// check refuses what would make two inputs share a checkpoint, or an input without a key of its own.
func check(path string, list []Organisation) error {
	if len(list) == 0 {
		return fmt.Errorf("%s: no organisations", path)
	}
	seen := make(map[string]bool)
	checkpoints := make(map[string]string)
	for _, o := range list {
		folded := strings.ToLower(o.Name)
		switch {
		case !namePattern.MatchString(o.Name):
			return fmt.Errorf("%s: %q is no name: letters, digits, - and _", path, o.Name)
		case seen[folded]:
			return fmt.Errorf("%s: %q is there twice", path, o.Name)
		case !hasCredential(o.Settings):
			return fmt.Errorf("%s: %q has no key_file", path, o.Name)
		}
		seen[folded] = true
		if file := o.Settings["checkpoint_path"]; file != "" {
			if other, taken := checkpoints[file]; taken {
				return fmt.Errorf("%s: %q and %q have one checkpoint_path", path, other, o.Name)
			}
			checkpoints[file] = o.Name
		}
	}
	return nil
}

// credentialKeys name the settings of which an input has one.
var credentialKeys = []string{"api_key", "api_key_file", "bearer_token", "bearer_token_file"}

func hasCredential(settings map[string]string) bool {
	return slices.ContainsFunc(credentialKeys, func(key string) bool { return settings[key] != "" })
}
