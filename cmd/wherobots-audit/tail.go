package main

import (
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// tailCommand prints the newest events, and goes on with --follow.
type tailCommand struct {
	endpointFlags
	Follow   bool          `short:"f" help:"Go on: print events as they appear, each event_id once, until Ctrl-C."`
	Since    string        `default:"-10m" help:"Where to begin: RFC 3339, or an age such as -10m or -2h."`
	Interval time.Duration `default:"5s" help:"Pause between two polls with --follow."`
	Schema   string        `enum:"raw,ecs,ocsf" default:"raw" help:"Shape of the records: raw, ecs or ocsf."`
	TimeKey  string        `placeholder:"FIELD" help:"Put the record's own time into this field."`
}

func (t *tailCommand) Run(c *console) error {
	now := time.Now()
	since, err := moment("since", t.Since, now)
	if err != nil {
		return err
	}
	cfg, err := t.config(map[string]string{"schema": t.Schema, "poll_interval": t.Interval.String()})
	if err != nil {
		return err
	}
	shown := newProgress(c.err, since, now)
	if t.Follow {
		shown.out = nil // it has no end
	}
	options := exporter.ExportOptions{From: since, Follow: t.Follow}
	_, err = stream(c, cfg, options, newJSONLines(c.out, t.TimeKey), shown)
	var end *exitError
	if t.Follow && errors.As(err, &end) && end.code == exitInterrupted {
		return &exitError{exitInterrupted, nil} // that is how it ends
	}
	return err
}
