package figures

// table is the one place to read what is shown. Prometheus' habits hold: counters end in _total, units are base units,
// a time that is not known is 0.
var table = []Figure{
	yesNo(
		"up", "1 while the last request succeeded; 0 before the first, and while requests fail.",
		func(s Stats) bool { return s.Up },
	),
	yesNo(
		"stalled", "1 while nothing has gone on for stalled_after: no request succeeds, or nothing becomes safe.",
		func(s Stats) bool { return s.Stalled },
	),
	gauge(
		"lag_seconds", "From the checkpoint to the server's present.",
		func(s Stats) float64 { return s.LagSeconds },
	),
	gauge(
		"checkpoint_timestamp_seconds", "Everything up to this Unix time is safe.",
		func(s Stats) float64 { return s.ThroughSeconds },
	),
	gauge(
		"last_success_timestamp_seconds", "When a request was answered last; 0 = never since the start.",
		func(s Stats) float64 { return s.LastSuccess },
	),
	gauge(
		"last_commit_timestamp_seconds", "When the checkpoint was saved last; 0 = never since the start.",
		func(s Stats) float64 { return s.LastCommit },
	),
	gauge(
		"last_event_timestamp_seconds",
		"Time of the newest event handed over, after a restart to the minute; 0 = none is known.",
		func(s Stats) float64 { return s.LastEvent },
	),
	gauge(
		"retention_left_seconds",
		"Until the endpoint drops what the checkpoint has not passed (90 days); below 0 events are gone.",
		func(s Stats) float64 { return s.RetentionLeftSeconds },
	),
	{
		Name: "requests_total", Kind: Counter,
		Help: "Requests for events by outcome: rows, no rows, sent again, too much for the endpoint, or a person is needed.",
		Samples: func(s Stats) (samples []Sample) {
			for outcome, n := range s.Outcomes {
				samples = append(samples, Sample{[]Label{{"outcome", Outcome(outcome).String()}}, float64(n)})
			}
			return samples
		},
	},
	count(
		"request_failures", "Windows that could not be read and are asked for again, answers that look cut off included.",
		func(s Stats) int64 { return s.Failures },
	),
	count("response_bytes", "Bytes of answers after decompression.", func(s Stats) int64 { return s.Bytes }),
	count("rows", "Rows read, those of the overlap included.", func(s Stats) int64 { return s.Rows }),
	count(
		"duplicates", "Rows that had been handed over before and were not handed over again: mostly the overlap's.",
		func(s Stats) int64 { return s.Duplicates },
	),
	count("records", "Records made for hand-over.", func(s Stats) int64 { return s.Records }),
	count("handed_over_bytes", "Bytes of these records.", func(s Stats) int64 { return s.HandedOver }),
	count("bad_rows", "Records whose row could not be read whole.", func(s Stats) int64 { return s.BadRows }),
	count(
		"changed_events", "Records that are another version of an event forwarded before.",
		func(s Stats) int64 { return s.Changed },
	),
	count(
		"late_events", "Records that appeared after their time had been read.",
		func(s Stats) int64 { return s.Late },
	),
	{
		Name: "event_lateness_seconds", Kind: Spread,
		Help: "How long after it happened an event appeared, at least: 0 if its time had not been read before, " +
			"the overlap if only reconciliation found it. Without backfills.",
		Histogram: func(s Stats) Histogram { return s.Lateness },
	},
	gauge(
		"overlap_seconds", "The setting overlap: lateness beyond it is left to reconciliation.",
		func(s Stats) float64 { return s.OverlapSeconds },
	),
	count(
		"reconciled_events", "Records that only reconciliation found.",
		func(s Stats) int64 { return s.Reconciled },
	),
	count(
		"copies", "Records that reconciliation handed over again since it could not tell which were missing.",
		func(s Stats) int64 { return s.Copies },
	),
	count("count_requests", "Requests for a count of events.", func(s Stats) int64 { return s.Counts }),
	count(
		"count_mismatches", "Times that the endpoint counted more events than it exported.",
		func(s Stats) int64 { return s.Mismatches },
	),
	gauge(
		"row_limit", "Rows that the endpoint answers at most without saying so; 0 = no such limit is known.",
		func(s Stats) float64 { return float64(s.RowLimit) },
	),
	gauge("window_seconds", "Length of the next request at most.", func(s Stats) float64 { return s.WindowSeconds }),
	yesNo(
		"backfill", "1 while more is read than usual polls have, until all of it is safe.",
		func(s Stats) bool { return s.Backfill },
	),
	gauge(
		"backfill_ratio", "Share of the backfill's time that is read, from 0 to 1; 1 without a backfill.",
		func(s Stats) float64 { return s.BackfillRatio },
	),
	gauge(
		"waiting_batches", "Batches that are made and not safe yet.",
		func(s Stats) float64 { return float64(s.WaitingBatches) },
	),
	yesNo(
		"hold", "1 while nothing is handed over: Fluent Bit has paused the input, or drains.",
		func(s Stats) bool { return s.Held },
	),
	count("commits", "Checkpoints saved.", func(s Stats) int64 { return s.Commits }),
	count(
		"refetches", "Times that handed-over records may have been lost and were fetched again.",
		func(s Stats) int64 { return s.Refetches },
	),
	count(
		"set_aside_events", "Events that an output refused for good and that were kept beside the checkpoint.",
		func(s Stats) int64 { return s.SetAside },
	),
	gauge(
		"refused_events", "Of these, those that are kept there now, of earlier runs too.",
		func(s Stats) float64 { return float64(s.RefusedEvents) },
	),
	gauge(
		"credential_age_seconds",
		"Since the credential's file was written, or, without a file, since it was used first in this run.",
		func(s Stats) float64 { return s.CredentialAgeSeconds },
	),
	gauge(
		"credential_expiry_timestamp_seconds",
		"When the credential expires: a JWT's `exp`, or `credential_expires`; 0 = not known.",
		func(s Stats) float64 { return s.CredentialExpires },
	),
	{
		Name: "build_info", Kind: Level, Help: "Always 1: the plugin's version and the shape of its records.",
		Samples: func(s Stats) []Sample { return []Sample{{[]Label{{"version", s.Version}, {"schema", s.Schema}}, 1}} },
	},
}
