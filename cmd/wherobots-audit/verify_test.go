package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
)

// The output that docs/proof.md explains is what verify prints, of a run that was really made.
func TestTheOutputThatTheDocsExplain(t *testing.T) {
	first := time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC)
	r := exporter.Report{
		From: first.Add(37*time.Minute + 38*time.Second), To: time.Date(2026, 11, 29, 1, 37, 31, 0, time.UTC),
		Exported: 4456, TooYoung: 156, Missing: 1, Compared: true, Listed: 4443, Counted: true, Overlap: 10 * time.Minute,
	}
	r.Through = r.To
	for i := range 27 {
		hour := verify.Hour{Start: first.Add(time.Duration(i) * time.Hour), Counted: -1}
		switch i {
		case 0:
			hour.State, hour.Reason = verify.NotCompared, "the collection began later, or within the hour"
			hour.Exported = 54
		case 1: // how many there were in each hour is not shown
			hour.Exported = 4000
		case 14:
			hour.Missing = 1
		case 25:
			hour.Exported = 402
		case 26:
			hour.State, hour.Reason = verify.NotCompared, "the collection has not passed the end of this hour"
		}
		r.Hours = append(r.Hours, hour)
	}
	var out bytes.Buffer
	(&verifyCommand{By: "day"}).print(&out, r)
	text, err := os.ReadFile("../../docs/proof.md")
	require.NoError(t, err)
	require.Contains(t, string(text), fmt.Sprintf("--ids ids.txt\n%s```\n", out.String()))
}
