package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter"
)

// checkpointCommand has the commands that look at a checkpoint, move it, and take it elsewhere.
type checkpointCommand struct {
	Checkpoint string `default:"${checkpoint}" help:"File of checkpoint_path; by default in $$WHEROBOTS_STATE_DIR."`

	Show    checkpointShow    `cmd:"" help:"Say where the collection stands."`
	Rewind  checkpointRewind  `cmd:"" help:"Move it back: what happened since is sent again."`
	Forward checkpointForward `cmd:"" help:"Move it forward: what happens between is never collected."`
	Export  checkpointExport  `cmd:"" help:"Write it as one portable JSON document."`
	Import  checkpointImport  `cmd:"" help:"Read that document, on another machine."`
}

// usualCheckpoint is where the shipped configurations have it.
func usualCheckpoint() string {
	return filepath.Join(cmp.Or(os.Getenv(stateVariable), "/var/lib/fluent-bit"), "wherobots_audit.json")
}

// refused gives an error about a move the exit code of a wrong command line.
func refused(err error) error {
	if errors.Is(err, moves.ErrNotAllowed) || errors.Is(err, moves.ErrWouldLose) {
		return &exitError{exitUsage, err}
	}
	return err
}

type checkpointShow struct{}

func (checkpointShow) Run(c *console, of *checkpointCommand) error {
	s, err := moves.Show(of.Checkpoint, time.Now())
	if err != nil {
		return fmt.Errorf("--checkpoint: %w", err)
	}
	if c.json {
		return printJSON(c.out, s)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	line("endpoint", "%s", s.Endpoint)
	if s.SearchTerm != "" {
		line("search_term", "%q", s.SearchTerm)
	}
	if s.UsedBy != "" {
		line("used by", "%s", s.UsedBy)
	}
	if !s.Begun {
		line("through", "the collection has not begun yet")
		return table.Flush()
	}
	line("through", "%s, %s ago", stamp(s.Through), (time.Duration(s.LagSeconds) * time.Second).String())
	line("began at", "%s", stamp(s.From))
	line("reconciled", "%s", stamp(s.Reconciled))
	if !s.DeepBegan.IsZero() {
		line("deep reconciliation", "since %s, compared up to %s", stamp(s.DeepBegan), stamp(s.Deep))
	}
	line("digests", "%d hours with events, %s – %s; %d minutes", s.Hours, stamp(s.FirstHour), stamp(s.LastHour), s.Minutes)
	line("identities", "%d, and %d strays", s.Identities, s.Strays)
	if s.RowLimit > 0 {
		line("row limit", "%d", s.RowLimit)
	}
	line("columns", "%s", strings.Join(s.Columns, ", "))
	line("refused events", "%d", s.Refused)
	for _, m := range s.Moves {
		line(string(m.Kind), "%s", moveText(m))
	}
	return table.Flush()
}

func moveText(m checkpoint.Move) string {
	text := fmt.Sprintf("at %s from %s to %s", stamp(m.At), stamp(m.From), stamp(m.To))
	if m.Reason != "" {
		text += ": " + m.Reason
	}
	if !m.Told {
		text += " (the next start says so)"
	}
	return text
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

type checkpointRewind struct {
	To     string `required:"" help:"From when on events are sent again, from its full hour: RFC 3339, or an age."`
	Reason string `required:"" help:"Why; the next start says it in its log and as a status event."`
}

func (r *checkpointRewind) Run(c *console, of *checkpointCommand) error {
	now := time.Now()
	to, err := moment("to", r.To, now)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.Reason) == "" {
		return &exitError{exitUsage, errors.New("--reason: say why")}
	}
	move, err := moves.Rewind(of.Checkpoint, to, r.Reason, now)
	return moved(c, move, err, "from the next start on, everything that happened since is sent again")
}

type checkpointForward struct {
	To        string `required:"" help:"Where to go on: RFC 3339, or an age."`
	Reason    string `help:"Why; the next start says it in its log and as a status event."`
	AcceptGap bool   `help:"What happened between is never collected, and that is meant."`
}

func (f *checkpointForward) Run(c *console, of *checkpointCommand) error {
	now := time.Now()
	to, err := moment("to", f.To, now)
	if err != nil {
		return err
	}
	move, err := moves.Forward(of.Checkpoint, to, f.Reason, f.AcceptGap, now)
	return moved(c, move, err, "what happened between is never collected; the next start reports the gap")
}

// moved says what was done.
func moved(c *console, move checkpoint.Move, err error, what string) error {
	switch {
	case err != nil:
		return refused(err)
	case c.json:
		return printJSON(c.out, move)
	}
	_, err = fmt.Fprintf(c.out, "the checkpoint was moved from %s to %s: %s\n", stamp(move.From), stamp(move.To), what)
	return err
}

type checkpointExport struct {
	Out string `default:"-" placeholder:"FILE" help:"Where to write the document; - is stdout."`
}

func (x *checkpointExport) Run(c *console, of *checkpointCommand) error {
	var got moves.Exported
	export := func(out io.Writer) (err error) {
		got, err = moves.Export(out, of.Checkpoint, exporter.Version, time.Now())
		return err
	}
	var err error
	if x.Out == "-" {
		err = export(c.out)
	} else {
		err = writeFile("--out", x.Out, besides(of.Checkpoint), export)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "exported: everything up to %s is done; %d refused events\n", stamp(got.Through), got.Refused)
	if got.Holder != "" {
		fmt.Fprintf(c.err, "the checkpoint is in use by %s: what it collects from now on would be sent again elsewhere\n",
			got.Holder)
	}
	if got.Unread > 0 {
		fmt.Fprintf(c.err, "%d lines of %s.refused.jsonl cannot be read and are not in it\n", got.Unread, of.Checkpoint)
	}
	return nil
}

type checkpointImport struct {
	In        string `default:"-" placeholder:"FILE" help:"The document; - is stdin."`
	Replace   bool   `help:"Replace the checkpoint that is there."`
	AcceptGap bool   `help:"What was not collected between the two is never collected, and that is meant."`
}

func (i *checkpointImport) Run(c *console, of *checkpointCommand) error {
	in := io.NopCloser(c.in)
	if i.In != "-" {
		file, err := os.Open(i.In)
		if err != nil {
			return err
		}
		in = file
	}
	defer in.Close()
	got, err := moves.Import(in, of.Checkpoint, i.Replace, i.AcceptGap, time.Now())
	switch {
	case err != nil:
		return refused(err)
	case c.json:
		return printJSON(c.out, got)
	}
	_, err = fmt.Fprintf(c.out, "imported: the next start goes on from %s; %d refused events are kept beside it\n",
		stamp(got.Through), got.Refused)
	return err
}
