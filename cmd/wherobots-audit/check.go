package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/probe"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// checkCommand says whether a configuration of Fluent Bit would work, and keep what the plugin promises.
type checkCommand struct {
	Config  string `name:"config" short:"c" placeholder:"FILE" help:"Fluent Bit's configuration, YAML or classic."`
	Offline bool   `name:"offline" help:"Look at the files only; ask nobody, write nowhere."`

	Watch time.Duration `name:"watch" placeholder:"DURATION" help:"How long to watch for events that appear late."`
}

// usualPlaces are where configurations lie when none is named: here, in the image, in a package.
var usualPlaces = []string{
	"fluent-bit.yaml", "fluent-bit.conf", "conf/fluent-bit.yaml",
	"/fluent-bit/etc/fluent-bit.yaml", "/etc/fluent-bit/fluent-bit.yaml",
	"/fluent-bit/etc/fluent-bit.conf", "/etc/fluent-bit/fluent-bit.conf",
}

// checkReport is what check found.
type checkReport struct {
	File     string          `json:"file"`
	Files    []string        `json:"files"`
	Inputs   []checkedInput  `json:"inputs"`
	Findings []rules.Finding `json:"findings"`
	Verdict  rules.Level     `json:"verdict"` // the worst level; ok when nothing needs to be changed
}

type checkedInput struct {
	Name     string   `json:"name"`
	Tag      string   `json:"tag"`
	Settings string   `json:"settings"`
	Outputs  []string `json:"outputs"`
}

func (k checkCommand) Run(c *console) error {
	file, err := configurationFile(k.Config)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	read, err := fluentconf.Read(file, os.Getenv)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("with %s Fluent Bit does not start: %w", file, err)}
	}
	inputs, findings := rules.Check(read, config.Parse)
	report := checkReport{File: file, Files: read.Files, Findings: findings}
	var needs []probe.Needs
	for _, in := range inputs {
		report.Inputs = append(report.Inputs, describe(in))
		if !k.Offline && in.Sound {
			storage := read.Service.Get("storage.path")
			needs = append(needs, probe.Needs{Name: in.Name, Config: in.Config, StoragePath: storage, Watch: k.Watch})
		}
	}
	report.Findings = append(report.Findings, probe.RunAll(context.Background(), needs)...)
	report.Verdict = worst(report.Findings)
	if err := report.print(c); err != nil {
		return err
	}
	switch report.Verdict {
	case rules.Error:
		return &exitError{code: exitUsage}
	case rules.Warning:
		return &exitError{code: exitFailed}
	}
	return nil
}

// configurationFile is the file that is meant.
func configurationFile(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	for _, place := range usualPlaces {
		if _, err := os.Stat(place); err == nil {
			return place, nil
		}
	}
	return "", errors.New("no configuration is named, and none is in the usual places: use -c FILE")
}

func describe(in *rules.Input) checkedInput {
	d := checkedInput{Name: in.Name, Tag: in.Tag, Settings: in.Config.Given(), Outputs: []string{}}
	for _, output := range in.Outputs {
		d.Outputs = append(d.Outputs, output.Get("name"))
	}
	return d
}

// worst is the level that decides.
func worst(findings []rules.Finding) rules.Level {
	level := rules.OK
	for _, f := range findings {
		switch f.Level {
		case rules.Error:
			return rules.Error
		case rules.Warning:
			level = rules.Warning
		}
	}
	return level
}

// verdicts say what a level means for who reads it.
var verdicts = map[rules.Level]string{
	rules.OK:      "good: nothing needs to be changed",
	rules.Warning: "usable, and something should be changed (warning)",
	rules.Error:   "not usable as it is (error)",
}

func (r checkReport) print(c *console) error {
	if c.json {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	var b strings.Builder
	for _, in := range r.Inputs {
		outputs := cmp.Or(strings.Join(in.Outputs, ", "), "no output")
		fmt.Fprintf(&b, "input %s, tag %s → %s\n", in.Name, in.Tag, outputs)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-7s %s: ", f.Level, f.Rule)
		if f.Place != "" {
			fmt.Fprintf(&b, "%s: ", f.Place)
		}
		fmt.Fprintln(&b, f.Text)
	}
	fmt.Fprintf(&b, "%s: %s\n", r.File, verdicts[r.Verdict])
	_, err := fmt.Fprint(c.out, b.String())
	return err
}
