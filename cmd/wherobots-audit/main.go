// Command wherobots-audit is for before and after the plugin runs: it looks at configurations, exports and
// checkpoints, with the plugin's own code. Each command is a file here, with a struct that holds its flags and a
// method Run.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	// Reads the command line, prints the help: small, no dependencies of its own, and what a command takes is a struct.
	"github.com/alecthomas/kong"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// commands are all there are. docs/command.md names each, with its flags; a test holds that.
type commands struct {
	JSON    bool             `name:"json" help:"Print one JSON document instead of text."`
	Version kong.VersionFlag `help:"Print the version and end."`

	Tail       tailCommand       `cmd:"" help:"Print the newest events, and those that come."`
	Export     exportCommand     `cmd:"" help:"Print the events of a stretch of time."`
	Verify     verifyCommand     `cmd:"" help:"Prove that a SIEM, and a checkpoint, have what the export shows."`
	Check      checkCommand      `cmd:"" help:"Check a configuration of Fluent Bit, and what it needs."`
	Checkpoint checkpointCommand `cmd:"" help:"Show a checkpoint, move it back or forward, take it elsewhere."`
	Action     actionCommand     `cmd:"" help:"Tell what an action is called in the SIEM: ecs and ocsf."`
	Completion completionCommand `cmd:"" help:"Print a script that completes commands and flags."`
	Diagnose   diagnoseCommand   `cmd:"" help:"Collect what a bug report needs, without secrets."`
	Health     healthCommand     `cmd:"" help:"Ask a running plugin whether it is well."`
	Pseudonym  pseudonymCommand  `cmd:"" help:"Tell which pseudonym stands for a user or an address."`
	Render     renderCommand     `cmd:"" help:"Write a configuration for older engines or many organisations."`
	Schema     schemaCommand     `cmd:"" help:"Print a JSON Schema of the settings, for editors."`

	InstallPlugin installPluginCommand `cmd:"" help:"Copy the plugin, this command and the configurations into a folder."`
}

// console is where a command reads and writes, and how.
type console struct {
	in       io.Reader
	out, err io.Writer
	json     bool
}

func main() {
	os.Exit(run(os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run carries out one command line and returns the exit code.
func run(args []string, c console) (code int) {
	var all commands
	parser, err := newParser(&all, c)
	if err != nil {
		fmt.Fprintln(c.err, err)
		return exitUsage
	}
	defer func() {
		if end, ok := recover().(helpEnd); ok {
			code = int(end)
		}
	}()
	given, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(c.err, "wherobots-audit: %v; `wherobots-audit --help` lists what there is\n", err)
		return exitUsage
	}
	c.json = all.JSON
	if err = given.Run(&c); err == nil {
		return exitDone
	}
	var verdict *exitError
	if !errors.As(err, &verdict) {
		verdict = &exitError{exitFailed, err}
	}
	if verdict.cause != nil {
		fmt.Fprintf(c.err, "wherobots-audit: %v\n", verdict.cause)
	}
	return verdict.code
}

// helpEnd is the exit code after --help or --version, which kong ends the program with.
type helpEnd int

func newParser(all *commands, c console) (*kong.Kong, error) {
	return kong.New(
		all,
		kong.Name("wherobots-audit"),
		kong.Description("Try, check and prove the collection of Wherobots audit logs.\n\n"+exitTable()),
		kong.Vars{"version": exporter.Version, "checkpoint": usualCheckpoint()},
		kong.Writers(c.out, c.err),
		kong.Exit(func(code int) { panic(helpEnd(code)) }),
		kong.WithHyphenPrefixedParameters(true), // --from -24h
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}
