package fluentconf

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// longestName is what the engine has room for between the braces.
const longestName = 4096

// environment is what variables stand for: those that the configuration sets, then those of the process.
type environment struct {
	own    map[string]string
	getenv func(string) string
}

func newEnvironment(getenv func(string) string) *environment {
	env := &environment{own: make(map[string]string), getenv: getenv}
	if getenv("HOSTNAME") == "" {
		env.own["HOSTNAME"], _ = os.Hostname()
	}
	return env
}

// set gives a variable a value; that of a file:// is the file's content.
func (e *environment) set(name, value string) error {
	if path, ok := strings.CutPrefix(value, "file://"); ok && path != "" {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("variable %s: %w", name, err)
		}
		value = string(content)
		if strings.HasSuffix(value, "\n") || strings.HasSuffix(value, "\r") {
			value = value[:len(value)-1]
		}
		if value == "" {
			return fmt.Errorf("variable %s: %w", name, errors.New(path+" is empty"))
		}
	}
	e.own[name] = value
	return nil
}

func (e *environment) get(name string) (string, bool) {
	if value, ok := e.own[name]; ok {
		return value, true
	}
	value := e.getenv(name)
	return value, value != ""
}

// translate puts variables in their place as flb_env_var_translate does, its oddities included: a "}" ahead of the
// next "${" ends the work, and what follows a reference that never closes is lost. unset are the variables without
// value and default.
func (e *environment) translate(text string) (value string, unset []string) {
	var b strings.Builder
	at, end, found := 0, -1, false
	for at < len(text) {
		start := strings.Index(text[at:], "${")
		if start < 0 {
			break
		}
		start += at + 2
		closing := strings.IndexByte(text[at:], '}')
		if closing < 0 {
			end = -1
			break
		}
		end = at + closing
		if end <= start || end-start >= longestName {
			break
		}
		found = true
		b.WriteString(text[at : start-2])
		replaced, ok := e.replace(text[start:end])
		if !ok {
			unset = append(unset, text[start:end])
		}
		b.WriteString(replaced)
		at = end + 1
	}
	if found && end >= 0 {
		b.WriteString(text[end+1:])
	}
	if b.Len() == 0 && !found {
		return text, nil
	}
	return b.String(), unset
}

// replace is what stands for the text between the braces. The name ends at the first colon if a minus follows it.
func (e *environment) replace(reference string) (value string, ok bool) {
	name, standard, hasDefault := reference, "", false
	if before, after, found := strings.Cut(reference, ":"); found && strings.HasPrefix(after, "-") {
		name, standard, hasDefault = before, after[1:], true
	}
	value, ok = e.get(name)
	if hasDefault && value == "" {
		return standard, true
	}
	return value, ok
}
