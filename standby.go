package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// open prepares an instance. While a standby waits, Fluent Bit is still starting: it notes SIGTERM and SIGINT, and
// looks at the note only when Init is over. So they are taken here for that time, and end the wait; Init fails then,
// and Fluent Bit ends without having taken anything over from the storage (4.1 and later; before that it would run on
// without the input and take it all, so there the signals are left alone).
func open(h host, config exporter.Config) (*exporter.Exporter, error) {
	say := func(line string) { h.log(exporter.LevelInfo, line) }
	if !config.Standby || h.name == "" { // which before 4.1 is not told
		return exporter.New(context.Background(), config, say)
	}
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	e, err := exporter.New(ctx, config, say)
	asked := ctx.Err() != nil
	restore()                // gives the signals back to Fluent Bit's handlers
	if asked && err == nil { // it came right when the wait was over: the engine shall know
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
	return e, err
}

// levelOf is the level of the line about an Init that failed.
func levelOf(err error) exporter.Level {
	if errors.Is(err, exporter.ErrEnded) {
		return exporter.LevelInfo
	}
	return exporter.LevelError
}
