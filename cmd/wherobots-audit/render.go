package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fleet"
)

// renderCommand writes configurations: for engines that do not understand `${NAME:-default}`, those before 5.0.6, or
// with an input for each organisation of a list.
type renderCommand struct {
	Expand string `placeholder:"FILE" xor:"what" help:"Fill in each default, or the environment's value."`
	Config string `short:"c" placeholder:"FILE" xor:"what" help:"Configuration whose input each organisation gets."`
	Out    string `placeholder:"DIR" help:"Write files here: organisations.yaml, shard-N.yaml or slice-N.yaml."`
	Shards int    `help:"Spread the organisations over so many files, by a hash of their names."`
	Slices int    `help:"Cut a stretch of time into so many files, for backfills side by side."`
	From   string `default:"-90d" help:"Begin of the first slice: a time, or an age such as -90d."`
	To     string `default:"-0s" help:"End of the last slice."`
	List   string `arg:"" optional:"" help:"List of organisations in YAML, or a folder with a key file for each."`
}

func (r renderCommand) Run(c *console) error {
	if r.Expand != "" {
		text, err := os.ReadFile(r.Expand)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		_, err = fmt.Fprint(c.out, expandDefaults(string(text), os.Getenv))
		return err
	}
	files, err := r.files()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	for _, f := range files {
		if r.Out == "" {
			_, err = c.out.Write(f.Text)
		} else {
			err = errors.Join(os.MkdirAll(r.Out, 0o755), os.WriteFile(filepath.Join(r.Out, f.Name), f.Text, 0o644))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// files are what --config, the list and the other flags ask for.
func (r renderCommand) files() ([]fleet.File, error) {
	switch {
	case r.Config == "":
		return nil, errors.New("render needs --expand FILE, or -c FILE and a list of organisations or --slices N")
	case r.Shards < 0 || r.Slices < 0 || r.Shards > 0 && r.Slices > 0:
		return nil, errors.New("--shards and --slices are positive, and not to be used together")
	case (r.Shards > 0 || r.Slices > 0) && r.Out == "":
		return nil, errors.New("--shards and --slices write several files: give --out DIR")
	case r.List == "" && r.Slices == 0:
		return nil, errors.New("a list of organisations is missing: a file in YAML, or a folder of key files")
	}
	base, err := os.ReadFile(r.Config)
	if err != nil {
		return nil, err
	}
	var organisations []fleet.Organisation
	if r.List != "" {
		if organisations, err = fleet.Read(r.List); err != nil {
			return nil, err
		}
	}
	switch {
	case r.Slices > 0:
		return fleet.Slices(base, organisations, r.Slices, r.From, r.To, time.Now())
	case r.Shards > 0:
		return fleet.Shards(base, organisations, r.Shards)
	default:
		text, err := fleet.Render(base, organisations)
		return []fleet.File{{Name: "organisations.yaml", Text: text}}, err
	}
}

var withDefault = regexp.MustCompile(`\$\{(\w+):-([^}]*)\}`)

// expandDefaults fills in what has a default. What has none is needed, and may be a secret: the engine reads it from
// the environment itself.
func expandDefaults(text string, getenv func(string) string) string {
	return withDefault.ReplaceAllStringFunc(text, func(found string) string {
		parts := withDefault.FindStringSubmatch(found)
		if value := getenv(parts[1]); value != "" {
			return value
		}
		return parts[2]
	})
}
