package rules

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
)

// plugins looks for what loads the plugin. The engine sees a relative path from the directory that it was started in.
// None may be named: -e on the command line does the same.
func plugins(s *subject) {
	sections := s.Of("plugins")
	if file, ok := s.Service.Find("plugins_file"); ok && file.Value != "" {
		read, err := fluentconf.Read(file.Value, os.Getenv)
		if err != nil {
			s.say(Error, file.Place, "plugins_file: %v: Fluent Bit does not start; start it, and check, where the file is "+
				"seen from, or name it by its absolute path", err)
			return
		}
		sections = append(sections, read.Of("plugins")...)
	}
	for _, section := range sections {
		for _, p := range section.Properties {
			if p.Key == "path" && isOwn(p.Value) && missing(p.Value) {
				s.say(Error, p.Place, "the shared object %s is not there, seen from here: Fluent Bit does not start; build or "+
					"install it, or name it by its absolute path", p.Value)
			}
		}
	}
}

// isOwn reports whether a shared object is this plugin's, by the name that Fluent Bit wants it to have.
func isOwn(path string) bool { return strings.Contains(filepath.Base(path), PluginName) }

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// credentialFile says that a file is yet to come: it may be mounted elsewhere alone, or written later.
func credentialFile(s *subject, in *Input) {
	if !in.Sound {
		return
	}
	c := in.Config.Credentials
	if file := cmp.Or(c.APIKeyFile, c.BearerTokenFile); file != "" && missing(file) {
		s.say(Note, in.Section.At("api_key_file"), "the credential's file %s is not there: the plugin starts, says that it "+
			"is refused, and waits for it", file)
	}
}
