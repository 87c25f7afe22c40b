package main

import (
	"fmt"
	"os"
	"regexp"
)

// renderCommand writes configurations for engines that do not understand `${NAME:-default}`: those before 5.0.6.
type renderCommand struct {
	Expand string `required:"" placeholder:"FILE" help:"Fill in each default, or the environment's value."`
}

func (r renderCommand) Run(c *console) error {
	text, err := os.ReadFile(r.Expand)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	_, err = fmt.Fprint(c.out, expandDefaults(string(text), os.Getenv))
	return err
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
