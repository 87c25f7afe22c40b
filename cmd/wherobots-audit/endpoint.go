package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// endpointFlags say what is asked and with which settings of the plugin. A secret comes from the environment or a file:
// `ps` shows command lines to everybody.
type endpointFlags struct {
	Endpoint        string            `help:"Base URL of the API; by default WHEROBOTS_ENDPOINT, or the plugin's."`
	APIKeyFile      string            `name:"api-key-file" help:"File with the API key; without it, the environment."`
	BearerTokenFile string            `help:"File with a bearer token, instead of a key."`
	Search          string            `help:"Only events with this text in one of their fields."`
	Set             map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Any other setting of the plugin."`
}

// What the shipped configurations take from the environment counts here too.
const (
	endpointVariable = "WHEROBOTS_ENDPOINT"
	stateVariable    = "WHEROBOTS_STATE_DIR"
)

// secretSettings are never taken from a command line.
var secretSettings = []string{"api_key", "bearer_token"}

// config are the settings, with more of them on top.
func (f *endpointFlags) config(more map[string]string) (exporter.Config, error) {
	given := map[string]string{
		"endpoint":     cmp.Or(f.Endpoint, os.Getenv(endpointVariable)),
		"api_key_file": f.APIKeyFile, "bearer_token_file": f.BearerTokenFile, "search_term": f.Search,
	}
	for key, value := range f.Set {
		if slices.Contains(secretSettings, key) {
			return exporter.Config{}, &exitError{exitUsage, fmt.Errorf(
				"--set %s would show the secret in the list of processes; use a file, or the environment", key)}
		}
		given[key] = value
	}
	for key, value := range more {
		if value != "" {
			given[key] = value
		}
	}
	asked := make(map[string]bool)
	cfg, err := exporter.ParseConfig(func(key string) string {
		asked[key] = true
		return given[key]
	})
	for key := range f.Set {
		if !asked[key] {
			return cfg, &exitError{exitUsage, fmt.Errorf("--set %s: the plugin has no such setting%s", key,
				rules.Meant(key, config.Keys()))}
		}
	}
	if err != nil {
		return cfg, &exitError{exitUsage, err}
	}
	return cfg, nil
}

// moment reads a time of the command line; "" is the zero time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if strings.TrimSpace(text) == "" {
		return time.Time{}, nil
	}
	at, err := config.Moment(text, now)
	if err != nil {
		return at, &exitError{exitUsage, fmt.Errorf("--%s: %w", flag, err)}
	}
	return at.UTC(), nil
}

// interruptible ends with Ctrl-C and SIGTERM.
func interruptible() (ctx context.Context, stop func()) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}
