package main

import "github.com/wherobots/in_wherobots_audit/exporter"

// figure is one of the exporter's figures as a metric wherobots_audit_<name> of
// the engine, labelled with the instance's name as the engine's own are.
type figure struct {
	name  string
	help  string
	gauge bool // else a counter
	value func(exporter.Stats) float64
}

// figures is what /api/v2/metrics/prometheus shows.
var figures = []figure{
	{"requests_total", "Export requests sent.", false, func(s exporter.Stats) float64 { return float64(s.Requests) }},
	{
		"request_failures_total", "Export requests that failed and are tried again.", false,
		func(s exporter.Stats) float64 { return float64(s.Failures) },
	},
	{
		"request_refusals_total", "Failures that need a person: credentials, permissions, settings.",
		false, func(s exporter.Stats) float64 { return float64(s.Refused) },
	},
	{
		"response_bytes_total", "Bytes of answers after decompression.", false,
		func(s exporter.Stats) float64 { return float64(s.Bytes) },
	},
	{
		"rows_total", "Rows read, those of the overlap included.", false,
		func(s exporter.Stats) float64 { return float64(s.Rows) },
	},
	{
		"records_total", "Records made for hand-over.", false,
		func(s exporter.Stats) float64 { return float64(s.Records) },
	},
	{
		"bad_rows_total", "Records whose row could not be read whole.", false,
		func(s exporter.Stats) float64 { return float64(s.BadRows) },
	},
	{
		"changed_events_total", "Records that are another version of an event forwarded before.", false,
		func(s exporter.Stats) float64 { return float64(s.Changed) },
	},
	{
		"late_events_total", "Records that appeared after their time had been read.", false,
		func(s exporter.Stats) float64 { return float64(s.Late) },
	},
	{
		"reconciled_events_total", "Records that only reconciliation found.", false,
		func(s exporter.Stats) float64 { return float64(s.Reconciled) },
	},
	{
		"reconciliation_copies_total",
		"Records that reconciliation handed over again since it could not tell which were missing.",
		false, func(s exporter.Stats) float64 { return float64(s.Copies) },
	},
	{
		"set_aside_events_total", "Events that an output refused for good and that are kept beside the checkpoint.",
		false, func(s exporter.Stats) float64 { return float64(s.SetAside) },
	},
	{
		"count_requests_total", "Requests for a count of events.", false,
		func(s exporter.Stats) float64 { return float64(s.Counts) },
	},
	{
		"count_mismatches_total", "Times that the endpoint counted more events than it exported.", false,
		func(s exporter.Stats) float64 { return float64(s.Mismatches) },
	},
	{
		"refetches_total", "Times that handed-over records may have been lost and were fetched again.",
		false, func(s exporter.Stats) float64 { return float64(s.Refetches) },
	},
	{"commits_total", "Checkpoints saved.", false, func(s exporter.Stats) float64 { return float64(s.Commits) }},
	{
		"lateness_seconds", "Longest time from an event to its first appearance.", true,
		func(s exporter.Stats) float64 { return s.LatenessSeconds },
	},
	{
		"lag_seconds", "From the checkpoint to the server's present.", true,
		func(s exporter.Stats) float64 { return s.LagSeconds },
	},
	{
		"checkpoint_timestamp_seconds", "Everything up to this Unix time is safe.", true,
		func(s exporter.Stats) float64 { return s.ThroughSeconds },
	},
}
