package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
)

// verifyCommand compares a stretch of the export with a checkpoint's digests, the endpoint's count and a SIEM's ids.
type verifyCommand struct {
	endpointFlags
	From       string `help:"Beginning of the stretch: RFC 3339, or an age such as -30d; by default all there is."`
	To         string `help:"Its end, which it does not include; by default up to where was collected."`
	Checkpoint string `help:"File of checkpoint_path: what was handed over. It may be in use."`
	IDs        string `name:"ids" placeholder:"FILE" help:"event_ids of the SIEM, one a line, or JSON lines; - is stdin."`
	Emit       string `placeholder:"FILE" help:"Write the events that --ids lacks there, as JSON lines; - is stdout."`
	By         string `enum:"day,hour" default:"day" help:"Print a line a day, or an hour."`
	Schema     string `enum:"raw,ecs,ocsf" default:"raw" help:"Shape of the records of --emit: raw, ecs or ocsf."`
}

func (v *verifyCommand) Run(c *console) error {
	options, err := v.options()
	if err != nil {
		return err
	}
	cfg, err := v.settings()
	if err != nil {
		return err
	}
	if v.IDs != "" {
		list, err := v.list(c)
		if err != nil {
			return err
		}
		defer list.Close()
		options.IDs = list
	}
	switch v.Emit {
	case "":
		return v.compare(c, cfg, options, c.out, func() error { return nil })
	case "-": // stdout is the events'
		return v.emit(c, cfg, options, c.err, c.out)
	}
	var verdict error
	err = writeFile("--emit", v.Emit, append(besides(v.Checkpoint), v.IDs), func(out io.Writer) error {
		verdict = v.emit(c, cfg, options, c.out, out)
		if isVerdict(verdict) {
			return nil
		}
		return verdict
	})
	if err != nil {
		return err
	}
	return verdict
}

// emit compares, and writes what is missing to out.
func (v *verifyCommand) emit(
	c *console, cfg exporter.Config, options exporter.VerifyOptions, report, out io.Writer,
) error {
	lines := newJSONLines(out, "")
	options.Emit = lines.print
	return v.compare(c, cfg, options, report, lines.flush)
}

// isVerdict reports whether err says what the comparison has shown: it came to its end.
func isVerdict(err error) bool {
	var exit *exitError
	return errors.As(err, &exit) && exit.cause == nil
}

func (v *verifyCommand) compare(
	c *console, cfg exporter.Config, options exporter.VerifyOptions, report io.Writer, flush func() error,
) error {
	ctx, stop := interruptible()
	defer stop()
	shown := newProgress(c.err, options.From, options.To)
	options.Progress = func(through time.Time) { shown.at(through, 0) }
	options.Say = func(line string) {
		shown.clear()
		fmt.Fprintln(c.err, line)
	}
	got, err := exporter.Verify(ctx, cfg, options)
	shown.clear()
	switch err := errors.Join(err, flush()); {
	case errors.Is(err, context.Canceled):
		return &exitError{exitInterrupted, errors.New("interrupted")}
	case err != nil:
		return err
	}
	if c.json {
		err = printJSON(report, proofOf(got))
	} else {
		v.print(report, got)
	}
	if err != nil {
		return err
	}
	return judgement(got)
}

// judgement is the exit code: what differs matters more than what could not be read.
func judgement(r exporter.Report) error {
	switch {
	case r.Missing+r.Extra+r.Disagreeing+r.Count(verify.Differs) > 0:
		return &exitError{exitDifference, nil}
	case r.Count(verify.Unread) > 0:
		return &exitError{exitCut, nil}
	case !r.Proved(): // nothing could be compared
		return &exitError{exitFailed, nil}
	}
	return nil
}

// options are those that the command line says.
func (v *verifyCommand) options() (options exporter.VerifyOptions, err error) {
	if v.Emit != "" && v.IDs == "" {
		return options, &exitError{exitUsage, errors.New("--emit writes what --ids lacks: say --ids")}
	}
	if v.Checkpoint == "" && v.From == "" {
		return options, &exitError{exitUsage, errors.New("say --checkpoint, or --from and --ids")}
	}
	now := time.Now()
	if options.From, err = moment("from", v.From, now); err != nil {
		return options, err
	}
	if options.To, err = moment("to", v.To, now); err != nil {
		return options, err
	}
	options.Alone = v.Checkpoint == ""
	return options, nil
}

// settings are those of the command line; what a checkpoint was collected from is known from it.
func (v *verifyCommand) settings() (exporter.Config, error) {
	if v.Checkpoint != "" {
		summary, err := moves.Show(v.Checkpoint, time.Now())
		if err != nil {
			return exporter.Config{}, err
		}
		if v.Endpoint == "" {
			v.Endpoint = summary.Endpoint
		}
		if v.Search == "" {
			v.Search = summary.SearchTerm
		}
	}
	return v.config(map[string]string{"schema": v.Schema, "checkpoint_path": v.Checkpoint})
}

func (v *verifyCommand) list(c *console) (io.ReadCloser, error) {
	if v.IDs == "-" {
		return io.NopCloser(c.in), nil
	}
	return os.Open(v.IDs)
}

// print prints a table, a line a day or an hour, and what is to be said of the whole.
func (v *verifyCommand) print(out io.Writer, r exporter.Report) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\tthe same\tdiffer\tnot compared\tunread\texported\tmissing\n", v.By)
	for _, line := range linesOf(r, v.By == "hour") {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", line.start,
			line.Same, line.Differ, line.NotCompared, line.Unread, line.Exported, line.Missing)
	}
	_ = table.Flush() // the writer keeps its error for the next line
	fmt.Fprintf(out, "\n%s", r)
}

// hours is a line of the table: so many hours are …
type hours struct {
	start                             string
	Same, Differ, NotCompared, Unread int
	Exported, Missing                 int // events
}

func linesOf(r exporter.Report, hourly bool) (lines []hours) {
	form := time.DateOnly
	if hourly {
		form = "2006-01-02T15Z07:00"
	}
	for _, hour := range r.Hours {
		start := hour.Start.UTC().Format(form)
		if len(lines) == 0 || lines[len(lines)-1].start != start {
			lines = append(lines, hours{start: start})
		}
		line := &lines[len(lines)-1]
		line.Exported += hour.Exported
		line.Missing += hour.Missing
		switch hour.State {
		case verify.Same:
			line.Same++
		case verify.Differs:
			line.Differ++
		case verify.NotCompared:
			line.NotCompared++
		case verify.Unread:
			line.Unread++
		}
	}
	return lines
}

// proof is a report as JSON.
type proof struct {
	From         time.Time   `json:"from"`
	To           time.Time   `json:"to"`
	Proved       bool        `json:"proved"`
	Same         int         `json:"hours_same"`
	Differ       int         `json:"hours_differ"`
	NotCompared  int         `json:"hours_not_compared"`
	Unread       int         `json:"hours_unread"`
	Counted      bool        `json:"count_compared"` // with the endpoint's, of all that is old enough
	Exported     int         `json:"exported"`
	TooYoung     int         `json:"too_young"` // of the exported: whether they are missing was not compared
	Unprovable   int         `json:"without_event_id"`
	Listed       *int        `json:"listed,omitempty"` // ids of the SIEM
	Missing      int         `json:"missing"`
	Extra        int         `json:"extra"`
	ExtraIDs     []string    `json:"extra_ids,omitempty"`
	Disagreeing  int         `json:"count_disagrees_hours"`
	CountsFailed string      `json:"count_not_compared,omitempty"`
	Hours        []proofHour `json:"hours"`
}

type proofHour struct {
	Start     time.Time `json:"start"`
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Exported  int       `json:"exported"`
	Collected int       `json:"handed_over"`
	Missing   int       `json:"missing"`
	Counted   *int64    `json:"counted,omitempty"` // where the endpoint's count disagrees
}

var stateNames = map[verify.State]string{
	verify.Same: "same", verify.Differs: "differs", verify.NotCompared: "not_compared", verify.Unread: "unread",
}

func proofOf(r exporter.Report) proof {
	p := proof{
		From: r.From, To: r.To, Proved: r.Proved(),
		Same: r.Count(verify.Same), Differ: r.Count(verify.Differs),
		NotCompared: r.Count(verify.NotCompared), Unread: r.Count(verify.Unread),
		Counted: r.Counted && r.CountsFailed == "", Exported: r.Exported, TooYoung: r.TooYoung, Unprovable: r.Unprovable,
		Missing: r.Missing, Extra: r.Extra, ExtraIDs: r.ExtraIDs, Disagreeing: r.Disagreeing, CountsFailed: r.CountsFailed,
		Hours: []proofHour{},
	}
	if r.Compared {
		p.Listed = &r.Listed
	}
	for _, hour := range r.Hours {
		h := proofHour{
			Start: hour.Start, State: stateNames[hour.State], Reason: hour.Reason, Exported: hour.Exported,
			Collected: hour.Collected, Missing: hour.Missing,
		}
		if hour.Counted >= 0 {
			h.Counted = &hour.Counted
		}
		p.Hours = append(p.Hours, h)
	}
	return p
}

// printJSON prints one document.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
