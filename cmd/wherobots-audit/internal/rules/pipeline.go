package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

func someOutput(s *subject, in *Input) {
	if hasWayOut(s, in) {
		return
	}
	s.say(Error, in.Section.At("tag"), "no output matches the tag %s: no event goes anywhere", in.Tag)
}

// hasWayOut reports whether an output takes the input's tag, or a filter may give it another.
func hasWayOut(s *subject, in *Input) bool {
	return len(in.Outputs) > 0 || len(filters(s, in, "rewrite_tag")) > 0
}

// meantOutputs are those that the rules of outputs look at: the input's own. Of an input that has none, they are those
// that take the tag of no input at all, so that whoever puts a match right need not check again for the rest.
func meantOutputs(s *subject, in *Input) (meant []fluentconf.Section) {
	if hasWayOut(s, in) {
		return in.Outputs
	}
	for _, output := range s.Of("output") {
		taken := slices.ContainsFunc(s.Of("input"), func(other fluentconf.Section) bool {
			return output.Takes(cmp.Or(other.Get("tag"), other.Get("name")+".0"))
		})
		if !taken {
			meant = append(meant, output)
		}
	}
	return meant
}

// manyRetries is as good as no limit: at a try a minute, two months. The output s3 understands no other word for it.
const manyRetries = 100_000

func retryLimit(s *subject, in *Input) {
	for _, output := range in.meant {
		limit := output.Get("retry_limit")
		switch strings.ToLower(limit) {
		case "no_limits", "false", "off":
			if strings.EqualFold(output.Get("name"), "s3") {
				s.say(lossy(in), output.At("retry_limit"), "output s3 takes no_limits for 5 tries: set retry_limit 1000000")
			}
			continue
		}
		if n, err := strconv.Atoi(limit); err == nil && n >= manyRetries {
			continue
		}
		if limit == "" {
			limit = "1"
		}
		s.say(lossy(in), output.At("retry_limit"), "output %s gives up after retry_limit %s: set it to no_limits",
			output.Get("name"), limit)
	}
}

func totalLimit(s *subject, in *Input) {
	for _, output := range in.meant {
		if limit := output.Get("storage.total_limit_size"); limit != "" {
			s.say(lossy(in), output.At("storage.total_limit_size"),
				"output %s: beyond storage.total_limit_size %s Fluent Bit throws the oldest events away", output.Get("name"), limit)
		}
	}
}

// filters are those of a name that take the input's tag.
func filters(s *subject, in *Input, name string) (found []fluentconf.Section) {
	for _, filter := range s.Of("filter") {
		if strings.EqualFold(filter.Get("name"), name) && filter.Takes(in.Tag) {
			found = append(found, filter)
		}
	}
	return found
}

func emitters(s *subject, in *Input) {
	for _, name := range []string{"rewrite_tag", "multiline"} {
		for _, filter := range filters(s, in, name) {
			if strings.EqualFold(filter.Get("emitter_storage.type"), "filesystem") {
				continue
			}
			text := "what the filter %s emits is in memory: set emitter_storage.type: filesystem"
			if in.Config.CommitOn == config.CommitHandoff {
				text += ", or commit_on handoff waits for delivery"
			}
			s.say(Warning, filter.At("emitter_storage.type"), text, name)
		}
	}
}

// emittedTags looks at the rules of rewrite_tag: $KEY REGEX NEW_TAG KEEP. A tag with a $ in it depends on the record.
func emittedTags(s *subject, in *Input) {
	for _, filter := range filters(s, in, "rewrite_tag") {
		for _, p := range filter.Properties {
			words := strings.Fields(p.Value)
			if p.Key != "rule" || len(words) < 4 || strings.Contains(words[2], "$") {
				continue
			}
			taken := false
			for _, output := range s.Of("output") {
				taken = taken || output.Takes(words[2])
			}
			if !taken {
				s.say(Error, p.Place, "no output matches the tag %s that rewrite_tag gives", words[2])
			}
		}
	}
}

// removers are the filters and processors that can take a field away, with the keys that name it.
var removers = map[string][]string{
	"record_modifier": {"remove_key"},
	"modify":          {"remove", "remove_wildcard", "rename", "hard_rename"},
}

func eventID(s *subject, in *Input) {
	sections := in.Section.Processors
	for name := range removers {
		sections = append(sections, filters(s, in, name)...)
	}
	for _, section := range sections {
		for _, p := range section.Properties {
			for _, key := range removers[strings.ToLower(section.Get("name"))] {
				field, _, _ := strings.Cut(p.Value, " ")
				if p.Key == key && field == "event_id" {
					s.say(Error, p.Place, "%s removes event_id, by which copies of an event are told", section.Get("name"))
				}
			}
		}
	}
}
