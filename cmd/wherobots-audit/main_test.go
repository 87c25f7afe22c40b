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
	require.NoError(t, kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch n := node.(type) {
		case *kong.Command:
			require.Contains(t, string(text), "wherobots-audit "+strings.Join(path(n), " "))
		case *kong.Flag:
			if n.Name != "help" {
				require.Contains(t, string(text), "--"+n.Name)
			}
		}
		return next(nil)
	}))
	for _, e := range exitCodes {
		require.Contains(t, string(text), fmt.Sprintf("| %d | %s |", e.code, e.meaning))
	}
}

// path is the words that lead to a command.
func path(n *kong.Node) []string {
	if n.Parent == nil || n.Parent.Type == kong.ApplicationNode {
		return []string{n.Name}
	}
	return append(path(n.Parent), n.Name)
}
