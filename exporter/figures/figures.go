// Package figures is the table of all that the plugin counts and measures: what it is called, what it means and where
// it comes from. The metrics of the engine, the plugin's own /metrics and docs/metrics.md are made of it.
package figures

import "strings"

// Prefix opens the name of every figure. Names are stable from version 1.0 on.
const Prefix = "wherobots_audit_"

// Kind is a figure's kind, as Prometheus calls it.
type Kind string

// The kinds.
const (
	Counter Kind = "counter"
	Level   Kind = "gauge"
	Spread  Kind = "histogram"
)

// Label is a name and a value that tell one sample from another.
type Label struct{ Name, Value string }

// Sample is one value of a figure that is no histogram.
type Sample struct {
	Labels []Label // besides those of the instance
	Value  float64
}

// Figure is one line of the table.
type Figure struct {
	Name string // without Prefix
	Kind Kind
	Help string
	// Samples returns the values: always as many, with the same labels in the same order. Nil for a histogram.
	Samples func(Stats) []Sample
	// Histogram returns the distribution. Nil for the other kinds.
	Histogram func(Stats) Histogram
}

// one is a figure with a single sample.
func one(name string, kind Kind, help string, value func(Stats) float64) Figure {
	return Figure{Name: name, Kind: kind, Help: help, Samples: func(s Stats) []Sample { return []Sample{{nil, value(s)}} }}
}

// count is a counter.
func count(name, help string, value func(Stats) int64) Figure {
	return one(name+"_total", Counter, help, func(s Stats) float64 { return float64(value(s)) })
}

// gauge is a number that goes up and down.
func gauge(name, help string, value func(Stats) float64) Figure { return one(name, Level, help, value) }

// yesNo is a gauge that is 1 or 0.
func yesNo(name, help string, value func(Stats) bool) Figure {
	return gauge(name, help, func(s Stats) float64 {
		if value(s) {
			return 1
		}
		return 0
	})
}

// Gauge reports whether the figure can fall.
func (f Figure) Gauge() bool { return f.Kind == Level }

// Table returns every figure, in the order of the documentation.
func Table() []Figure { return table }

// Names returns the names that a scrape shows, with Prefix: those of a histogram's parts too.
func Names() (names []string) {
	for _, f := range table {
		if f.Histogram == nil {
			names = append(names, Prefix+f.Name)
			continue
		}
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			names = append(names, Prefix+f.Name+part)
		}
	}
	return names
}

// Markdown is the table for the documentation.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| figure | kind | meaning |\n|---|---|---|\n")
	for _, f := range table {
		b.WriteString("| `" + Prefix + f.Name + f.labels() + "` | " + string(f.Kind) + " | " + f.Help + " |\n")
	}
	return b.String()
}

// labels spells the figure's own labels and their values.
func (f Figure) labels() string {
	if f.Samples == nil {
		return ""
	}
	samples := f.Samples(Stats{})
	if len(samples[0].Labels) == 0 {
		return ""
	}
	var texts []string
	for n, label := range samples[0].Labels {
		text := label.Name
		if len(samples) > 1 {
			var values []string
			for _, s := range samples {
				values = append(values, s.Labels[n].Value)
			}
			text += "=" + strings.Join(values, ",")
		}
		texts = append(texts, text)
	}
	return "{" + strings.Join(texts, ", ") + "}"
}
