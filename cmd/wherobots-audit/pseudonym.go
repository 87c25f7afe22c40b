package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
)

// pseudonymCommand tells whoever may read the key which pseudonym stands for a value.
type pseudonymCommand struct {
	KeyFile string   `required:"" help:"The file of pseudonymize_key_file."`
	Values  []string `arg:"" help:"User ids, names or addresses; - reads them from stdin, one a line."`
}

// pseudonymAnswer is one line of --json.
type pseudonymAnswer struct {
	Value     string `json:"value"`
	Pseudonym string `json:"pseudonym"`
}

func (p pseudonymCommand) Run(c *console) error {
	key, err := pseudonym.LoadKey(p.KeyFile)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("--key-file: %w; name the file of the setting, of the machine that collects", err)
		}
		return &exitError{exitUsage, err}
	}
	values := p.Values
	if len(values) == 1 && values[0] == "-" {
		if values, err = stdinLines(c); err != nil {
			return err
		}
	}
	answers := make([]pseudonymAnswer, 0, len(values))
	for _, value := range values {
		answers = append(answers, pseudonymAnswer{value, key.Of(value)})
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(answers)
	}
	for _, a := range answers {
		if _, err := fmt.Fprintln(c.out, a.Pseudonym); err != nil {
			return err
		}
	}
	return nil
}

// stdinLines reads them.
func stdinLines(c *console) (lines []string, err error) {
	scanner := bufio.NewScanner(c.in)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}
