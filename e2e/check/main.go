// Command check runs everything that CI runs and ends in one line that counts:
//
//	N passed, N failed, N skipped
//
// It exits with 1 if anything failed. A step that is no test run counts as one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// step is one command. Its tests are counted if it is a `go test -json`.
type step struct {
	name    string
	env     []string
	command []string
	needs   string // a program without which the step is skipped
	skip    string // why the step cannot run here, empty if it can
	quiet   bool   // printing anything is failing, as gofmt -l does
	beside  bool   // runs beside the next step: it keeps one processor busy
}

func (s step) isTest() bool {
	return len(s.command) > 1 && s.command[1] == "test"
}

// pure is what must build and pass without C.
var pure = []string{"./exporter/...", "./checkpoint/..."}

// steps are in the order of their cost; e2e is one package, units all others.
func steps(units []string, e2e string) []step {
	goTest := []string{"go", "test", "-json", "-count=1", "-timeout=12m"}
	race := slices.Concat(goTest, []string{"-race"})
	// What simulates in fake time has hardly two things to do at once: on one processor it takes two thirds of the CPU
	// time. Beside others it may take longer than the rest.
	simulated := []string{"-cpu=1", "-timeout=25m", "./exporter"}
	isSimulated := func(unit string) bool { return strings.HasSuffix(unit, "/exporter") }
	all := []step{
		{
			name:    "gofmt",
			command: []string{"sh", "-c", "gofmt -l $(git ls-files --cached --others --exclude-standard '*.go')"},
			quiet:   true,
		},
		{name: "go vet", command: []string{"go", "vet", "./..."}},
		{
			name: "go vet for arm64", env: []string{"CGO_ENABLED=0", "GOARCH=arm64"},
			command: slices.Concat([]string{"go", "vet"}, pure),
		},
		{name: "golangci-lint", command: []string{"golangci-lint", "run"}, needs: "golangci-lint"},
		{name: "build", command: []string{"make", "build"}},
		{
			name: "unit tests without C", env: []string{"CGO_ENABLED=0"},
			command: slices.Concat(goTest, roomsOf(units)),
		},
		{
			name: "two thousand random histories", env: []string{"CGO_ENABLED=0"},
			command: slices.Concat(goTest, []string{"-run=^(TestModel|TestASeed.*)$"}, simulated, []string{"-histories=2000"}),
			beside:  true,
		},
		{
			name: "simulations with the race detector, A", env: []string{"CGO_ENABLED=1"},
			command: slices.Concat(race, []string{"-run=^TestA"}, simulated), beside: true,
		},
		{
			name: "simulations with the race detector, B to Z", env: []string{"CGO_ENABLED=1"},
			command: slices.Concat(race, []string{"-skip=^(TestModel$|TestA)"}, simulated), beside: true,
		},
		{
			name: "unit tests with the race detector", env: []string{"CGO_ENABLED=1"},
			command: slices.Concat(race, slices.DeleteFunc(slices.Clone(units), isSimulated)),
		},
		{name: "end to end", command: slices.Concat(goTest, []string{"-skip=^TestReal", "-parallel=8", e2e})},
		{name: "real stores", command: slices.Concat(goTest, []string{"-run=^TestReal", "-parallel=8", e2e})},
		{
			name:    "Kubernetes manifests", // a module of its own, for Kubernetes' types
			command: []string{"go", "test", "-C", "e2e/kubernetes", "-json", "-count=1", "."},
		},
		{name: "detections", command: slices.Concat(goTest, []string{e2e + "/detections"})},
	}
	return slices.Insert(all, len(all)-8, foreign(goTest, units)...)
}

// roomsOf are the packages with code that is near the bytes. What holds them together simulates for minutes: it is
// tested with the race detector, and its histories without C.
func roomsOf(units []string) (rooms []string) {
	for _, unit := range units {
		if strings.Contains(unit, "/exporter/") || strings.Contains(unit, "/checkpoint") {
			rooms = append(rooms, unit)
		}
	}
	return rooms
}

// foreign are the unit tests on other processors: on 386, with words of 32 bits, and on arm64, which many
// sidecars are. Neither has the assembly of amd64.
func foreign(goTest, units []string) []step {
	if runtime.GOARCH != "amd64" {
		return nil // an arm64 machine has run the code without assembly already
	}
	narrow := step{
		name:    "unit tests on 386",
		env:     []string{"CGO_ENABLED=0", "GOARCH=386"},
		command: slices.Concat(goTest, roomsOf(units)),
	}
	if err := runs386(); err != nil {
		narrow.skip = fmt.Sprintf("this machine runs no 32-bit programs (%v)", err)
	}
	arm := step{
		name:    "unit tests on arm64",
		env:     []string{"CGO_ENABLED=0", "GOARCH=arm64"},
		command: slices.Concat(goTest, []string{"-exec=qemu-aarch64"}, emulated),
		needs:   "qemu-aarch64",
	}
	return []step{narrow, arm}
}

// emulated are the packages whose code differs between processors. All others would only take long in an emulator.
var emulated = []string{"./exporter/csv", "./exporter/dedup", "./exporter/event", "./exporter/schema"}

// runs386 reports whether a program built for 386 can be executed; not every kernel can. A machine without a
// compiler for the probe has other problems, which the steps before tell.
func runs386() error {
	dir, err := os.MkdirTemp("", "probe386")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "probe")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=386")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, output)
	}
	return exec.Command(program).Run()
}

// packages lists the module's packages but for the end-to-end tests, and those.
func packages() (units []string, e2e string, err error) {
	output, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		return nil, "", fmt.Errorf("go list: %w", err)
	}
	for _, name := range strings.Fields(string(output)) {
		switch {
		case strings.HasSuffix(name, "/e2e"):
			e2e = name
		case strings.HasSuffix(name, "/e2e/detections"): // a step of its own
		default:
			units = append(units, name)
		}
	}
	return units, e2e, nil
}

func main() {
	only := flag.String("only", "", "run only the steps whose name contains this")
	flag.Parse()
	units, e2e, err := packages()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("about twenty-five minutes on two cores: lint, build, unit tests four ways, histories, end to end, " +
		"real stores; each step says when it begins")
	var total counts
	wanted := slices.DeleteFunc(steps(units, e2e), func(s step) bool { return !strings.Contains(s.name, *only) })
	total.add(runAll(wanted, os.Stdout))
	fmt.Println(total)
	if total.failed > 0 {
		os.Exit(1)
	}
}

// runAll carries out steps, those that say so beside the next one. Of several at a time each is printed when all have
// ended.
func runAll(all []step, out io.Writer) (total counts) {
	for len(all) > 0 {
		n := 1 + max(0, slices.IndexFunc(all, func(s step) bool { return !s.beside }))
		if n == 1 {
			total.add(run(all[0], out))
			all = all[1:]
			continue
		}
		var ended sync.WaitGroup
		texts, results := make([]strings.Builder, n), make([]counts, n)
		for i, s := range all[:n] {
			fmt.Fprintf(out, "at once  %s\n", s.name)
			ended.Go(func() { results[i] = run(s, &texts[i]) })
		}
		ended.Wait()
		for i := range n {
			fmt.Fprint(out, texts[i].String())
			total.add(results[i])
		}
		all = all[n:]
	}
	return total
}

// run carries out one step, prints its name, time and result, and what failed.
func run(s step, out io.Writer) counts {
	if s.needs != "" {
		if _, err := exec.LookPath(s.needs); err != nil {
			fmt.Fprintf(out, "skipped  %s: %s is not installed\n", s.name, s.needs)
			return counts{skipped: 1}
		}
	}
	if s.skip != "" {
		fmt.Fprintf(out, "skipped  %s: %s\n", s.name, s.skip)
		return counts{skipped: 1}
	}
	fmt.Fprintf(out, "begins   %s\n", s.name)
	began := time.Now()
	command := exec.Command(s.command[0], s.command[1:]...)
	command.Env = append(os.Environ(), s.env...)
	var result counts
	var output string
	if s.isTest() {
		result, output = runTests(command)
	} else {
		result, output = runPlain(command, s.quiet)
	}
	word := "ok     "
	if result.failed > 0 {
		word = "FAILED "
	}
	fmt.Fprintf(out, "%s  %s: %s in %s\n%s", word, s.name, result, time.Since(began).Round(time.Second/10), output)
	return result
}

// runPlain runs a command that fails or does not; its output matters if it fails.
func runPlain(command *exec.Cmd, quiet bool) (counts, string) {
	output, err := command.CombinedOutput()
	if err == nil && quiet && len(output) > 0 {
		err = errors.New("it printed something")
	}
	if err != nil {
		return counts{failed: 1}, fmt.Sprintf("%s%s: %v\n", output, strings.Join(command.Args, " "), err)
	}
	return counts{passed: 1}, ""
}

// runTests runs a `go test -json` and counts its tests.
func runTests(command *exec.Cmd) (counts, string) {
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return counts{failed: 1}, err.Error() + "\n"
	}
	result, output := count(stdout)
	if err := command.Wait(); err != nil && result.failed == 0 {
		result.failed++
		output += fmt.Sprintf("%s%s: %v\n", stderr.String(), strings.Join(command.Args, " "), err)
	}
	return result, output
}
