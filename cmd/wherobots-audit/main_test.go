package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// try runs one command line.
func try(args ...string) (code int, out, errors string) {
	var o, e bytes.Buffer
	code = run(args, console{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

func TestHelpAndVersionEndWell(t *testing.T) {
	code, out, _ := try("--help")
	require.Zero(t, code)
	for _, e := range exitCodes {
		require.Contains(t, out, fmt.Sprintf("%d  ", e.code))
	}
	code, out, _ = try("--version")
	require.Zero(t, code)
	require.Equal(t, exporter.Version+"\n", out)
}

func TestWhatDoesNotExistIsNamed(t *testing.T) {
	code, _, text := try("shcema")
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "shcema")
	require.Contains(t, text, "--help")
}

func TestEveryCommandFlagAndExitCodeIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/command.md")
	require.NoError(t, err)
	var all commands
	parser, err := newParser(&all, console{})
	require.NoError(t, err)
	documented(t, string(text), parser.Model.Node)
	for _, e := range exitCodes {
		require.Contains(t, string(text), fmt.Sprintf("| %d | %s |", e.code, e.meaning))
	}
}

// documented looks for a command's flags in the section that has it as its heading, or in what is said ahead of all
// commands. What belongs to a command is in its section.
func documented(t *testing.T, text string, node *kong.Node) {
	t.Helper()
	const heading = "\n## wherobots-audit "
	shared, _, _ := strings.Cut(text, heading)
	words := strings.Fields(commandPath(node))
	section := shared
	if len(words) > 0 {
		_, after, found := strings.Cut(text, heading+words[0]+"\n")
		require.True(t, found, "no section for %s", words[0])
		own, _, _ := strings.Cut(after, heading)
		section += heading + words[0] + own
		for _, word := range words[1:] {
			require.Contains(t, own, word, "a part of %s", words[0])
		}
	}
	for _, flag := range node.Flags {
		if flag.Name != "help" {
			require.Contains(t, section, "--"+flag.Name, "%s", words)
		}
	}
	for _, child := range node.Children {
		if child.Type == kong.CommandNode {
			documented(t, text, child)
		}
	}
}
