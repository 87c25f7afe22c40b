package main

import (
	"fmt"
	"strings"
)

// Exit codes. exitCodes says what each means, for the help and for docs/command.md.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitCut        = 3
	exitDifference = 4

	exitInterrupted = 130 // as shells have it
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitDone, "done, nothing to complain of"},
	{exitFailed, "failed, or something should be changed"},
	{exitUsage, "the command line or the configuration cannot be used as it is"},
	{exitCut, "the endpoint's answer was cut off or is not believed: what was printed is not all"},
	{exitDifference, "compared, and not equal: something is missing, or there is more than there should be"},
	{exitInterrupted, "interrupted with Ctrl-C or SIGTERM"},
}

// exitTable is exitCodes as text.
func exitTable() string {
	var b strings.Builder
	b.WriteString("Exit codes:")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "\n  %d  %s", e.code, e.meaning)
	}
	return b.String()
}

// exitError ends a command with a code. cause is printed; nil = all has been said.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }
