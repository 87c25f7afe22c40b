package rules

import (
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

func hasInput(s *subject) {
	if len(s.inputs) > 0 {
		return
	}
	hint := ""
	for _, section := range s.Sections {
		if section.Kind == "inputs" || section.Kind == "outputs" {
			hint = "; " + section.Kind + " belongs below pipeline"
		}
	}
	s.say(Error, s.Service.Place, "no input has the name %s%s", PluginName, hint)
}

func noDaemon(s *subject) {
	if s.Service.On("daemon") {
		s.say(Error, s.Service.At("daemon"), "daemon is on: Fluent Bit forks, and a plugin in Go stands still then; "+
			"let systemd or a container run it in the foreground")
	}
}

// knownKeys is needed because Fluent Bit passes over what a Go plugin does not ask for.
func knownKeys(s *subject, in *Input) {
	own := config.Keys()
	known := append(config.EngineKeys(), own...)
	seen := make(map[string]bool)
	for _, p := range in.Section.Properties {
		switch guess := closest(p.Key, known); {
		case slices.Contains(known, p.Key):
			if seen[p.Key] {
				s.say(Warning, p.Place, "%s is set twice", p.Key)
			}
		case strings.HasPrefix(p.Key, "rate_gate."): // Fluent Bit's
		case guess != "":
			s.say(Error, p.Place, "no setting is called %s, and Fluent Bit says nothing of it: did you mean %s?",
				fluentconf.Bare(p.Key), guess)
		default:
			s.say(Warning, p.Place, "no setting is called %s, and Fluent Bit says nothing of it", fluentconf.Bare(p.Key))
		}
		seen[p.Key] = true
	}
}

// Meant asks whether the known key that is closest was meant; "" if none is close.
func Meant(key string, known []string) string {
	if guess := closest(key, known); guess != "" {
		return ": did you mean " + guess + "?"
	}
	return ""
}

// closest is the known key that is meant, as far as one can tell: a third of it may be different.
func closest(key string, known []string) (best string) {
	least := len(key)/3 + 1
	for _, candidate := range known {
		if d := distance(key, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many letters must be added, removed, changed or swapped with the next to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// values lets the plugin's own code read all settings.
func values(s *subject, in *Input) {
	if in.errs != nil {
		for line := range strings.Lines(in.errs.Error()) {
			line = strings.TrimSuffix(line, "\n")
			key := strings.TrimSuffix(strings.Fields(line + " ")[0], ":")
			s.say(Error, in.Section.At(key), "%s", line)
		}
		return
	}
	for _, line := range in.Config.Warnings() {
		s.say(Warning, in.Section.At(strings.Fields(line)[0]), "%s", line)
	}
}

func variables(s *subject) {
	for _, unset := range s.Unset {
		s.say(Warning, unset.Place, "${%s} has no value and no default: it is empty", unset.Name)
	}
}

func oneCheckpointEach(s *subject) {
	first := make(map[string]*Input)
	for _, in := range s.inputs {
		path := in.Config.CheckpointPath
		if path == "" {
			continue // its value is refused
		}
		if other := first[path]; other != nil {
			s.say(Error, in.Section.At("checkpoint_path"), "%s and %s have one checkpoint, %s: each needs its own",
				other.Name, in.Name, path)
			continue
		}
		first[path] = in
	}
}
