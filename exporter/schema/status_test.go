package schema

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

var statusKinds = []Kind{
	StatusStarted, StatusRetentionGap, StatusCheckpointReset, StatusRefused, StatusRefusedOver, StatusStalled,
	StatusStalledOver,
	StatusReconciled, StatusOverlapTooShort, StatusRefetched, StatusSetAside, StatusColumnsChanged,
	StatusRowLimit, StatusRowGap, StatusRewound, StatusGapAccepted, StatusAlive, StatusHour,
	StatusCountMismatch, StatusCredentialSwitched, StatusCredentialExpires,
}

// TestEveryStatusConforms: each kind is a valid event in each schema, full or with nothing but its kind.
func TestEveryStatusConforms(t *testing.T) {
	ecs, ocsf := readECSFacts(t), readOCSFFacts(t)
	for _, kind := range append(statusKinds, "of a later version") {
		for _, s := range []Status{
			{Kind: kind, Time: caseTime},
			{Kind: kind, Time: caseTime, From: caseTime, To: caseTime, Count: 1, Message: "m", Detail: "d\xff"},
		} {
			ecs.check(t, records.Record(t, AppendStatus(nil, ECS, s)))
			require.NoError(t, ocsf.check(records.Record(t, AppendStatus(nil, OCSF, s))), kind)
		}
	}
}

func TestStatusInRaw(t *testing.T) {
	s := Status{
		Kind: StatusRefetched, Time: caseTime, From: caseTime.Add(-time.Hour), To: caseTime, Count: 7,
		Message: "m", Detail: "d",
	}
	require.Equal(t, map[string]any{
		"record_type": "wherobots_audit_status",
		"event_id":    "status-refetched-1772600767890123456",
		"event_time":  "2026-03-04T05:06:07.890123456Z",
		"status":      "refetched",
		"message":     "m",
		"from":        "2026-03-04T04:06:07.890123456Z",
		"to":          "2026-03-04T05:06:07.890123456Z",
		"count":       int64(7),
		"detail":      "d",
	}, records.Record(t, AppendStatus(nil, Raw, s)))
	require.Equal(t, s.ID(), s.ID(), "sent twice, it is one event")
	require.NotEqual(t, s.ID(), Status{Kind: s.Kind, Time: s.Time.Add(1)}.ID())
}

// TestStatusAppends: like a row's record, it goes behind what is there.
func TestStatusAppends(t *testing.T) {
	s := Status{Kind: StatusStarted, Time: caseTime, Message: "began"}
	for _, schema := range allSchemas {
		batch := AppendStatus(AppendEventHeader(nil, caseTime), schema, s)
		batch = AppendStatus(AppendEventHeader(batch, caseTime.Add(time.Second)), schema, s)
		events := records.Events(t, batch)
		require.Len(t, events, 2)
		require.Equal(t, caseTime.Add(time.Second), events[1].Time)
		require.Equal(t, events[0].Record, events[1].Record)
	}
}

// TestOnlyGapsAreFailures: a status event that says that all is well must not look like an error to a detection.
func TestOnlyGapsAreFailures(t *testing.T) {
	for kind, failure := range map[Kind]bool{
		StatusRetentionGap: true, StatusCheckpointReset: true, StatusRefused: true, StatusOverlapTooShort: true,
		StatusSetAside: true, StatusGapAccepted: true, StatusRewound: false,
		StatusRefusedOver: false, StatusReconciled: false, StatusRefetched: false, StatusColumnsChanged: false,
		StatusStarted: false, StatusRowLimit: false, StatusRowGap: true, StatusCountMismatch: true,
	} {
		event := records.Record(t, AppendStatus(nil, ECS, Status{Kind: kind, Time: caseTime}))["event"].(map[string]any)
		require.Equal(t, failure, event["kind"] == "pipeline_error", kind)
		require.Equal(t, failure, event["outcome"] == "failure", kind)
	}
}
