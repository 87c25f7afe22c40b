package exporter_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// ids.txt has the event_ids of November that the SIEM has, one a line. What it lacks is written to missing.txt.
func ExampleVerify() {
	settings := map[string]string{"checkpoint_path": "/var/lib/fluent-bit/wherobots_audit.json"}
	cfg, err := exporter.ParseConfig(func(key string) string { return settings[key] })
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := os.Open("ids.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ids.Close()
	missing, err := os.Create("missing.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer missing.Close()
	report, err := exporter.Verify(context.Background(), cfg, exporter.VerifyOptions{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		IDs: ids, Missing: missing,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report.String())
	if !report.Proved() {
		os.Exit(4)
	}
}
