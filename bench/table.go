package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
)

// machine says when and where the figures were made.
func (b *bench) machine() string {
	engine := "no Fluent Bit, so the bundled host"
	if b.engine.real {
		engine = b.engine.version
	}
	return fmt.Sprintf("Made on %s by `make bench`: %s, %d cores, %s, %s. CPU is user and system time of the whole "+
		"process, peak is its VmHWM; the export comes from another process. Unless said otherwise each figure is the "+
		"median of %d runs that took turns, and ratios are of those medians.\n",
		time.Now().UTC().Format(time.DateOnly), cpuModel(), runtime.NumCPU(), runtime.Version(), engine, b.plan.runs)
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// table is a table in Markdown.
type table struct{ strings.Builder }

func newTable(head ...string) *table {
	t := new(table)
	t.row(head...)
	t.row(slices.Repeat([]string{"---"}, len(head))...)
	return t
}

func (t *table) row(cells ...string) {
	t.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// writeInto replaces what stands between the marks of a file.
func writeInto(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begun := bytes.Cut(old, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !begun || !ended {
		return fmt.Errorf("%s has no %s and %s", file, beginMark, endMark)
	}
	return os.WriteFile(file, slices.Concat(before, []byte(beginMark+"\n"+text), []byte(endMark), after), 0o644)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// figures of one contender, one of each turn.
type figures []outcome

func (f figures) median(of func(outcome) float64) float64 {
	var values []float64
	for _, o := range f {
		values = append(values, of(o))
	}
	return median(values)
}

// over is the ratio of the medians.
func (f figures) over(other figures, of func(outcome) float64) float64 {
	return f.median(of) / other.median(of)
}

func cpu(o outcome) float64  { return o.CPU }
func peak(o outcome) float64 { return o.Peak }
func wall(o outcome) float64 { return o.Wall }

// count spells a number of rows in round figures: 999983 as 1M, 99991 as 100k.
func count(n int) string {
	switch k := (n + 500) / 1000; {
	case k >= 1000 && k%1000 == 0:
		return fmt.Sprintf("%dM", k/1000)
	case k > 0:
		return fmt.Sprintf("%dk", k)
	default:
		return fmt.Sprint(n)
	}
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}

// versionOf is the first line that a program says about itself.
func versionOf(program string) string {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return program
	}
	return firstLine(out)
}
