// Command bench measures what collecting costs and prints it as tables in Markdown.
//
// It compares contenders, which do the same work in different ways, in one run: every contender is a process
// of its own, they take turns, and what counts is the CPU time that the kernel accounts to each (user and
// system) and its peak memory (VmHWM). Wall time says little on a machine that others use too; ratios of runs
// that took turns say much. The export comes from a server in yet another process, which has it ready in
// memory.
//
//	BENCH_QUICK=1    everything once, with few rows, in half a minute, to see that it works; no file is written
//	FLUENT_BIT=path  the engine, instead of the one on the PATH; "none" for the bundled host
//
// It fails only if something could not be measured, never because of a figure.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// plan says what to measure and how often. Numbers of rows are none that people choose for a limit: as many as that
// would be examined, which kindRound measures.
type plan struct {
	sizes    []int         // rows of one response
	runs     int           // of each contender
	kinds    int           // of answers whose memory is measured
	starts   int           // of the engine, with and without the plugin
	backfill int           // rows in the engine
	idle     time.Duration // over which a day's polls are spread
	rest     time.Duration // from the engine's start to a look at its memory
	build    string        // directory with the plugin and the bundled host
	only     []string      // sections; empty = all
}

var (
	fullPlan = plan{
		sizes: []int{99_991, 499_979, 999_983}, runs: 5, kinds: len(kinds), starts: 15,
		backfill: 999_983, idle: time.Minute, rest: 90 * time.Second,
	}
	quickPlan = plan{
		sizes: []int{2_003, 10_007}, runs: 1, kinds: 2, starts: 3,
		backfill: 10_007, idle: 2 * time.Second, rest: 5 * time.Second,
	}
)

func main() {
	role := flag.String(
		"role", "",
		"what this process is: a contender or the server; empty for the one that measures the others",
	)
	task := taskFlags()
	doc := flag.String("doc", "", "write the tables into this file, between <!-- bench:begin --> and <!-- bench:end -->")
	only := flag.String("only", "", "only these sections, separated by commas: "+strings.Join(sectionNames(), ", "))
	build := flag.String("build", "build", "directory with the plugin and the bundled host")
	flag.Parse()
	if *role != "" {
		exitOn(runRole(*role, *task))
		return
	}
	p := fullPlan
	if os.Getenv("BENCH_QUICK") != "" {
		p, *doc = quickPlan, ""
	}
	p.build = *build
	if *only != "" {
		p.only = strings.Split(*only, ",")
	}
	exitOn(run(p, *doc))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything, printing each table when it is ready.
func run(p plan, doc string) error {
	var err error
	if p.build, err = filepath.Abs(p.build); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	began := time.Now()
	source, err := startSource(p)
	if err != nil {
		return err
	}
	defer source.stop()
	b := &bench{plan: p, source: source, scratch: scratch, engine: findEngine(p.build)}
	text := b.machine()
	fmt.Print(text)
	for _, s := range sections {
		if len(p.only) > 0 && !slices.Contains(p.only, s.name) {
			continue
		}
		table, err := s.measure(b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Print("\n", table)
		text += "\n" + table
	}
	fmt.Fprintf(os.Stderr, "bench: took %s\n", time.Since(began).Round(time.Second))
	if doc == "" {
		return nil
	}
	return writeInto(doc, text)
}

// bench is one run.
type bench struct {
	plan    plan
	source  *source
	scratch string // directory for checkpoints and configurations
	engine  engine
}

// sections are the tables, in their order.
var sections = []struct {
	name    string
	measure func(*bench) (string, error)
}{
	{"pipeline", (*bench).pipeline},
	{"memory", (*bench).memory},
	{"engine", (*bench).backfill},
	{"idle", (*bench).idle},
	{"rest", (*bench).rest},
	{"start", (*bench).start},
}

func sectionNames() (names []string) {
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}
