package fluentconf

import (
	"regexp"
	"strings"
)

// Match reports whether a pattern of an output or a filter takes a tag: as flb_router.c does, * stands for any text.
func Match(pattern, tag string) bool {
	if pattern == "" {
		return tag == ""
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return tag == pattern
	}
	if !strings.HasPrefix(tag, parts[0]) {
		return false
	}
	tag = tag[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(tag, part)
		if at < 0 {
			return false
		}
		tag = tag[at+len(part):]
	}
	return strings.HasSuffix(tag, parts[last])
}

// Takes reports whether a section of the pipeline takes a tag. An expression that only the engine's library
// understands is believed to take it.
func (s Section) Takes(tag string) bool {
	if expression := s.Get("match_regex"); expression != "" {
		compiled, err := regexp.Compile("^(?:" + expression + ")")
		if err != nil || compiled.MatchString(tag) && compiled.FindString(tag) != "" {
			return true
		}
	}
	pattern := s.Get("match")
	return pattern != "" && Match(pattern, tag)
}
