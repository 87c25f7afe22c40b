package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints a script that completes commands and flags, made from the same structs that parse them.
type completionCommand struct {
	Shell string `arg:"" optional:"" default:"bash" enum:"bash,zsh" help:"The shell: bash or zsh."`
}

func (k completionCommand) Run(c *console, given *kong.Context) error {
	_, err := fmt.Fprint(c.out, completionScript(given.Model.Node, k.Shell))
	return err
}

// completionScript knows what may follow each path of commands; a flag with a value is followed by file names.
func completionScript(app *kong.Node, shell string) string {
	var b strings.Builder
	if shell == "zsh" {
		b.WriteString("autoload -U +X bashcompinit && bashcompinit\n")
	}
	b.WriteString(`_wherobots_audit() {
  local path="" word words
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
`)
	for _, node := range commandNodes(app) {
		fmt.Fprintf(&b, "      \"%s\") path=\"%s\" ;;\n", commandPath(node), commandPath(node))
	}
	b.WriteString("    esac\n  done\n  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n")
	if valued := valuedFlags(app); len(valued) > 0 {
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n",
			strings.Join(valued, "|"))
	}
	b.WriteString("  esac\n  case \"$path\" in\n")
	for _, node := range append([]*kong.Node{app}, commandNodes(app)...) {
		fmt.Fprintf(&b, "    \"%s\") words=\"%s\" ;;\n", commandPath(node), strings.Join(wordsAfter(app, node), " "))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _wherobots_audit wherobots-audit
`)
	return b.String()
}

// commandNodes are all commands below node.
func commandNodes(node *kong.Node) (all []*kong.Node) {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			all = append(append(all, child), commandNodes(child)...)
		}
	}
	return all
}

// commandPath is the words that lead to a command, each after a space; "" for the program itself.
func commandPath(node *kong.Node) string {
	if node.Parent == nil {
		return ""
	}
	return commandPath(node.Parent) + " " + node.Name
}

// wordsAfter are the commands and flags that may follow.
func wordsAfter(app, node *kong.Node) (words []string) {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			words = append(words, child.Name)
		}
	}
	flags := node.Flags
	if node != app {
		flags = append(append([]*kong.Flag{}, flags...), app.Flags...)
	}
	for _, flag := range flags {
		words = append(words, "--"+flag.Name)
	}
	return words
}

// valuedFlags are those that a value follows.
func valuedFlags(app *kong.Node) (names []string) {
	seen := make(map[string]bool)
	for _, node := range append([]*kong.Node{app}, commandNodes(app)...) {
		for _, flag := range node.Flags {
			if flag.IsBool() || seen[flag.Name] {
				continue
			}
			seen[flag.Name] = true
			names = append(names, "--"+flag.Name)
			if flag.Short != 0 {
				names = append(names, "-"+string(flag.Short))
			}
		}
	}
	return names
}
