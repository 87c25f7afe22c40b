package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// counts of tests, subtests included.
type counts struct{ passed, failed, skipped int }

func (c *counts) add(other counts) {
	c.passed += other.passed
	c.failed += other.failed
	c.skipped += other.skipped
}

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// event is a line of `go test -json` (see go doc test2json). Test is empty for
// what concerns a whole package.
type event struct {
	Action, Package, Test, Output string
}

// count reads the events of a test run. It returns the output of what failed,
// the reasons of what was skipped, and the line that names the hosts.
//
// A package can fail without a failed test, when it does not compile or its
// process dies: that counts as one failure, so that no run ends well by it.
func count(events io.Reader) (counts, string) {
	var total counts
	var shown strings.Builder
	output := map[string]*strings.Builder{} // by package and test
	failures := map[string]int{}            // by package
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if len(line) > 0 && json.Unmarshal(line, &e) != nil {
			shown.Write(line) // no event: what go itself has to say
		}
		key := e.Package + " " + e.Test
		switch {
		case e.Action == "output" || e.Action == "build-output":
			if output[key] == nil {
				output[key] = new(strings.Builder)
			}
			output[key].WriteString(e.Output)
			if e.Test == "" && strings.HasPrefix(e.Output, "hosts: ") {
				shown.WriteString(e.Output)
			}
		case e.Action == "fail" && (e.Test != "" || failures[e.Package] == 0):
			total.failed++
			failures[e.Package]++
			shown.WriteString(text(output[key]))
		case e.Action == "pass" && e.Test != "":
			total.passed++
		case e.Action == "skip" && e.Test != "":
			total.skipped++
			shown.WriteString(text(output[key]))
		}
		if e.Action == "pass" || e.Action == "skip" {
			delete(output, key)
		}
		if err != nil {
			return total, shown.String()
		}
	}
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}
