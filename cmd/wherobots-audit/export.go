package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// exportCommand prints the events of a stretch.
type exportCommand struct {
	endpointFlags
	From    string `required:"" help:"Beginning of the stretch: RFC 3339, now, or an age such as -24h or -90d."`
	To      string `help:"Its end, which it does not include; by default the present."`
	Schema  string `enum:"raw,ecs,ocsf" default:"raw" help:"Shape of the records: raw, ecs or ocsf."`
	Format  string `enum:"jsonl,csv" default:"jsonl" help:"jsonl, or csv (with raw)."`
	TimeKey string `placeholder:"FIELD" help:"Put the record's own time into this field, as Fluent Bit's outputs do."`
}

func (x *exportCommand) Run(c *console) error {
	if x.Format == "csv" && (x.Schema != "raw" || x.TimeKey != "") {
		return &exitError{exitUsage, errors.New("--format csv is for --schema raw without --time-key")}
	}
	now := time.Now()
	from, err := moment("from", x.From, now)
	if err != nil {
		return err
	}
	to, err := moment("to", x.To, now)
	if err != nil {
		return err
	}
	cfg, err := x.config(map[string]string{"schema": x.Schema})
	if err != nil {
		return err
	}
	var out printer = newJSONLines(c.out, x.TimeKey)
	if x.Format == "csv" {
		out = newTable(c.out)
	}
	until := to
	if until.IsZero() {
		until = now
	}
	got, err := stream(c, cfg, exporter.ExportOptions{From: from, To: to}, out, newProgress(c.err, from, until))
	if c.json {
		err = errors.Join(err, json.NewEncoder(c.err).Encode(summaryOf(got, err)))
	} else if err == nil && got.Young {
		fmt.Fprintf(c.err, "the end is younger than overlap: events of the last %s may still appear\n", cfg.Overlap)
	}
	return err
}

// exportSummary is what export says with --json, on stderr.
type exportSummary struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Through time.Time `json:"through"` // up to where it was read
	Events  int       `json:"events"`
	Young   bool      `json:"young"` // events of the end may still appear
	Doubts  []string  `json:"doubts"`
	Error   string    `json:"error,omitempty"`
}

func summaryOf(got exporter.Exported, err error) exportSummary {
	s := exportSummary{
		From: got.From, To: got.To, Through: got.Through, Events: got.Events, Young: got.Young,
		Doubts: append([]string{}, got.Doubts...),
	}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// stream prints what an export gives, and says how it ended.
func stream(
	c *console, cfg exporter.Config, options exporter.ExportOptions, out printer, shown *progress,
) (exporter.Exported, error) {
	ctx, stop := interruptible()
	defer stop()
	events := 0
	options.Each = func(event []byte) error {
		events++
		return out.print(event)
	}
	options.Say = func(line string) {
		shown.clear()
		fmt.Fprintln(c.err, line)
	}
	var failed error
	options.Progress = func(through time.Time) {
		shown.at(through, events)
		if err := out.flush(); err != nil && failed == nil {
			failed = err
			stop() // nobody reads
		}
	}
	got, err := exporter.Export(ctx, cfg, options)
	shown.clear()
	if failed == nil {
		failed = out.flush()
	}
	return got, verdict(got, err, failed)
}

// verdict is the error of a command whose export ended so.
func verdict(got exporter.Exported, err, failed error) error {
	through := got.Through.UTC().Format(time.RFC3339)
	switch {
	case failed != nil:
		return fmt.Errorf("cannot write: %w", failed)
	case errors.Is(err, context.Canceled):
		return &exitError{exitInterrupted, fmt.Errorf(
			"interrupted: all up to %s was printed, %d events; go on with --from %s", through, got.Events, through)}
	case err != nil && exporter.IsCut(err):
		return &exitError{exitCut, fmt.Errorf("%w; all up to %s was printed", err, through)}
	case err != nil:
		return err
	case len(got.Doubts) > 0:
		doubts := make([]error, len(got.Doubts))
		for i, doubt := range got.Doubts {
			doubts[i] = errors.New(doubt)
		}
		return &exitError{exitCut, errors.Join(doubts...)}
	}
	return nil
}
