package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// actionCommand tells what an action will be called in the SIEM. It makes a record of each name and shows what is in
// it, so that it cannot say anything else than what is sent.
type actionCommand struct {
	Names []string `arg:"" name:"name" help:"Names of actions; - reads them from stdin, one a line."`
}

// actionMeaning is what records have because of an action's name; a line of --json.
type actionMeaning struct {
	Action string    `json:"action"`
	ECS    ecsEvent  `json:"ecs"`
	API    ocsfEvent `json:"ocsf_api"`  // with ocsf_class api
	Fine   ocsfEvent `json:"ocsf_fine"` // with ocsf_class fine
}

// ecsEvent is what a name decides in a record of schema ecs.
type ecsEvent struct {
	Event struct {
		Category []string `json:"category"`
		Type     []string `json:"type"`
		Outcome  string   `json:"outcome"`
	} `json:"event"`
}

// ocsfEvent is what a name decides in a record of schema ocsf, and the severity, which is the same for all.
type ocsfEvent struct {
	ClassUID     int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	ActivityID   int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	TypeUID      int    `json:"type_uid"`
	TypeName     string `json:"type_name"`
	StatusID     int    `json:"status_id"`
	Status       string `json:"status"`
	SeverityID   int    `json:"severity_id"`
	Severity     string `json:"severity"`
}

// String has the activity's caption: activity_name is the action's own name where OCSF has no number for it.
func (o ocsfEvent) String() string {
	caption := strings.TrimPrefix(o.TypeName, o.ClassName+": ")
	return fmt.Sprintf("%d %s: %d %s", o.ClassUID, o.ClassName, o.ActivityID, caption)
}

func (a actionCommand) Run(c *console) error {
	names := a.Names
	if slices.Contains(names, "-") {
		if len(names) > 1 {
			return &exitError{exitUsage, errors.New("- stands alone: names come from stdin or from the command line")}
		}
		lines, err := stdinLines(c)
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "" })
	}
	meanings, err := meaningsOf(names)
	if err != nil {
		return err
	}
	if !c.json {
		return printMeanings(c.out, meanings)
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	for _, m := range meanings {
		if err := encoder.Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// meaningsOf makes records of nothing but a name.
func meaningsOf(names []string) ([]actionMeaning, error) {
	columns, _ := event.NewColumns(event.ColumnNames[:]) // which are all that a response needs
	encoders := make(map[schema.Name]*schema.Encoder)
	for _, shape := range []schema.Name{schema.ECS, schema.OCSF, schema.OCSFFine} {
		encoders[shape] = schema.New(shape, columns)
	}
	meanings := make([]actionMeaning, 0, len(names))
	for _, name := range names {
		row := &event.Row{Columns: columns, Fields: make([][]byte, event.NumColumns), Time: time.Unix(0, 0).UTC()}
		row.Fields[event.ActionName] = []byte(name)
		m := actionMeaning{Action: name}
		for shape, part := range map[schema.Name]any{schema.ECS: &m.ECS, schema.OCSF: &m.API, schema.OCSFFine: &m.Fine} {
			text, err := msgpack.JSON(encoders[shape].Append(nil, row))
			if err == nil {
				err = json.Unmarshal(text, part)
			}
			if err != nil {
				return nil, fmt.Errorf("%q: %w", name, err)
			}
		}
		meanings = append(meanings, m)
	}
	return meanings, nil
}

func printMeanings(out io.Writer, meanings []actionMeaning) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "action\tevent.category\tevent.type\tevent.outcome\tocsf_class: api\tocsf_class: fine")
	for _, m := range meanings {
		e := m.ECS.Event
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", visible(m.Action), strings.Join(e.Category, ", "),
			strings.Join(e.Type, ", "), e.Outcome, m.API, m.Fine)
	}
	return table.Flush()
}

// visible quotes a name that a terminal would not show as it is.
func visible(name string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, hidden) {
		return strconv.Quote(name)
	}
	return name
}
