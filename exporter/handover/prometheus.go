package handover

import (
	"strconv"
	"strings"
)

// sample is one line of the Prometheus text format, version 0.0.4.
type sample struct {
	name   string // without "fluentbit_"
	labels map[string]string
	value  float64
}

const enginePrefix = "fluentbit_"

// parseSamples calls each for the engine's own samples, in their order. Other plugins' samples, comments and lines
// that are no samples are passed over.
func parseSamples(text string, each func(sample)) {
	for line := range strings.Lines(text) {
		line, isEngine := strings.CutPrefix(strings.TrimSpace(line), enginePrefix)
		if !isEngine {
			continue
		}
		if s, ok := parseSample(line); ok {
			each(s)
		}
	}
}

// parseSample reads name{label="value",…} value [timestamp].
func parseSample(line string) (s sample, ok bool) {
	at := strings.IndexAny(line, "{ ")
	if at < 0 {
		return s, false
	}
	s.name, line = line[:at], line[at:]
	if line[0] == '{' {
		if s.labels, line, ok = parseLabels(line[1:]); !ok {
			return s, false
		}
	}
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return s, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	s.value = value
	return s, err == nil
}

// parseLabels reads what is behind a brace, and returns what follows the closing one.
func parseLabels(text string) (labels map[string]string, rest string, ok bool) {
	labels = make(map[string]string)
	for {
		text = strings.TrimLeft(text, ", ")
		if rest, ok = strings.CutPrefix(text, "}"); ok {
			return labels, rest, true
		}
		name, quoted, found := strings.Cut(text, `="`)
		if !found {
			return nil, "", false
		}
		value, after, closed := unescape(quoted)
		if !closed {
			return nil, "", false
		}
		labels[name], text = value, after
	}
}

// unescape reads a label's value up to its closing quote.
func unescape(text string) (value, rest string, closed bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text):
			i++
			if text[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
