package figures

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Instance is the figures of one instance.
type Instance struct {
	Labels []Label // that tell it from others
	Stats  Stats
}

// ContentType is that of what Write writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Write writes the figures of all instances in Prometheus' text format.
func Write(w io.Writer, instances []Instance) error {
	var b strings.Builder
	for _, f := range table {
		name := Prefix + f.Name
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, f.Help, name, f.Kind)
		for _, in := range instances {
			if f.Histogram != nil {
				f.Histogram(in.Stats).write(&b, name, in.Labels)
				continue
			}
			for _, s := range f.Samples(in.Stats) {
				line(&b, name, s.Value, in.Labels, s.Labels...)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (h Histogram) write(b *strings.Builder, name string, labels []Label) {
	for i, n := range h.AtMost {
		bound := "+Inf"
		if i < len(bounds) {
			bound = number(bounds[i])
		}
		line(b, name+"_bucket", float64(n), labels, Label{"le", bound})
	}
	line(b, name+"_sum", h.Sum, labels)
	line(b, name+"_count", float64(h.Count()), labels)
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func line(b *strings.Builder, name string, value float64, labels []Label, more ...Label) {
	b.WriteString(name)
	open := byte('{')
	for _, list := range [][]Label{labels, more} {
		for _, l := range list {
			if l.Value == "" { // as good as none
				continue
			}
			b.WriteByte(open)
			open = ','
			b.WriteString(l.Name + `="` + escaped.Replace(l.Value) + `"`)
		}
	}
	if open == ',' {
		b.WriteByte('}')
	}
	b.WriteString(" " + number(value) + "\n")
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }
