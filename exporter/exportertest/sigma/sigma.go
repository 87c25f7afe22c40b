// Package sigma reads Sigma rules and works out which records they find, as far as the rules of conf/sigma need it.
package sigma

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Rule is a document of a rule's file: a detection, or a correlation of others.
type Rule struct {
	Title, ID, Name, Status, Description, Author, Date, Level string
	Tags, Falsepositives                                      []string
	Logsource                                                 struct{ Product, Service string }
	// Detection are selections by name, and the condition that joins them.
	Detection   map[string]any
	Correlation struct {
		Type      string
		Rules     []string
		GroupBy   []string `yaml:"group-by"`
		Timespan  string
		Condition map[string]int
	}
}

// Read reads a file's documents, in which nothing may be unknown.
func Read(t testing.TB, path string) (rules []Rule) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	for {
		var rule Rule
		err := decoder.Decode(&rule)
		if errors.Is(err, io.EOF) {
			return rules
		}
		require.NoError(t, err, path)
		rules = append(rules, rule)
	}
}

// Fires evaluates a condition of ands and nots over a record of schema raw.
func (r *Rule) Fires(t testing.TB, record map[string]any) bool {
	for term := range strings.SplitSeq(r.Detection["condition"].(string), " and ") {
		name, negated := strings.CutPrefix(term, "not ")
		selection, there := r.Detection[name].(map[string]any)
		require.True(t, there, "selection %q", name)
		if selects(t, selection, record) == negated {
			return false
		}
	}
	return true
}

// selects reports whether every field of a selection has one of its values.
func selects(t testing.TB, selection, record map[string]any) bool {
	for key, wanted := range selection {
		field, modifier, _ := strings.Cut(key, "|")
		value, _ := record[field].(string)
		list, isList := wanted.([]any)
		if !isList {
			list = []any{wanted}
		}
		found := false
		for _, want := range list {
			found = found || matches(t, modifier, value, want.(string))
		}
		if !found {
			return false
		}
	}
	return true
}

// matches compares without regard to case, as Sigma does.
func matches(t testing.TB, modifier, value, want string) bool {
	if modifier == "re" {
		return regexp.MustCompile(want).MatchString(value)
	}
	value, want = strings.ToLower(value), strings.ToLower(want)
	switch modifier {
	case "":
		return value == want
	case "contains":
		return strings.Contains(value, want)
	case "startswith":
		return strings.HasPrefix(value, want)
	case "endswith":
		return strings.HasSuffix(value, want)
	case "cidr":
		network, err := netip.ParsePrefix(want)
		require.NoError(t, err)
		address, err := netip.ParseAddr(value)
		return err == nil && network.Contains(address)
	}
	require.Fail(t, "modifier "+modifier)
	return false
}
