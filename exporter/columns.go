package exporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// newColumns says when the export's columns are others than those that were committed or told last.
func (n *notices) newColumns(names []string) {
	was := n.columns
	n.columns = names
	added, gone := difference(names, was), difference(was, names)
	if was == nil || len(added)+len(gone) == 0 {
		return
	}
	text := "the export's columns changed: new " + list(added) + "; gone " + list(gone)
	n.log.Warnf("%s; new columns are forwarded under their own names", text)
	n.status(schema.Status{
		Kind:    schema.StatusColumnsChanged,
		Message: text,
		Detail:  logline.Cut(strings.Join(names, ","), columnsDetail),
	})
}

// volatile says once that a column changes while the events stay the same.
func (n *notices) volatile(column string) {
	n.log.Warnf("the column %s changes from answer to answer while the events stay the same: "+
		"a change of it alone is not forwarded", logline.Quoted(n.log.Redact(column)))
}

// sharedID says once that a text in event_id is none.
func (n *notices) sharedID(rows, of int) {
	n.log.Warnf("%d of %d rows of an answer have the same event_id: from now on these count as rows without one, "+
		"and some arrive once more", rows, of)
}

func difference(a, b []string) (only []string) {
	for _, name := range a {
		if !slices.Contains(b, name) {
			only = append(only, name)
		}
	}
	return only
}

// Bounds of what is said of columns: a broken endpoint may have any number of them, with names of megabytes.
const (
	listedNames   = 20
	listedName    = 64       // bytes
	columnsDetail = 16 << 10 // bytes of all names in a status event
)

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	shown := make([]string, 0, listedNames)
	for _, name := range names[:min(len(names), listedNames)] {
		shown = append(shown, logline.Cut(name, listedName))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
