package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/operations"
)

// What is told of each of the vendor's operations, and of some other names, is what export has in its records.
func TestAnActionMeansWhatRecordsSay(t *testing.T) {
	server, url := simulated(t, 0)
	names := []string{"login_failed", "user_logged_in", "role_granted", "Frobnicate: Gizmo №5", "access denied <x&y>"}
	for _, o := range operations.Read(t, "../../exporter/action/testdata/operations.tsv") {
		names = append(names, o.Name)
	}
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	for _, name := range names {
		server.Add(exportertest.Event{ID: "id " + name, Time: at, Action: name})
	}
	told := make(map[string]actionMeaning)
	code, out, errors := try(append([]string{"--json", "action"}, names...)...)
	require.Zero(t, code, errors)
	for line := range strings.Lines(out) {
		var m actionMeaning
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		told[m.Action] = m
	}
	require.Len(t, told, len(names))
	export := func(args ...string) string {
		code, out, errors := try(append([]string{"export", "--endpoint", url, "--from", "-2h"}, args...)...)
		require.Zero(t, code, errors)
		require.Equal(t, len(names), strings.Count(out, "\n"))
		return out
	}
	for line := range strings.Lines(export("--schema", "ecs")) {
		var action struct{ Event struct{ Action string } }
		var sent ecsEvent
		require.NoError(t, json.Unmarshal([]byte(line), &action))
		require.NoError(t, json.Unmarshal([]byte(line), &sent))
		require.NotEmpty(t, sent.Event.Type)
		require.Equal(t, sent, told[action.Event.Action].ECS, action.Event.Action)
	}
	for class, part := range map[string]func(actionMeaning) ocsfEvent{
		"api":  func(m actionMeaning) ocsfEvent { return m.API },
		"fine": func(m actionMeaning) ocsfEvent { return m.Fine },
	} {
		for line := range strings.Lines(export("--schema", "ocsf", "--set", "ocsf_class="+class)) {
			var action struct{ API struct{ Operation string } }
			var sent ocsfEvent
			require.NoError(t, json.Unmarshal([]byte(line), &action))
			require.NoError(t, json.Unmarshal([]byte(line), &sent))
			require.NotZero(t, sent.ClassUID)
			require.Equal(t, sent, part(told[action.API.Operation]), action.API.Operation)
		}
	}
}

func TestActionsAsText(t *testing.T) {
	code, out, _ := give("deleteNotebook\r\n\nupdateRole\nlogin_failed\nx\x1b[2J\n", "action", "-")
	require.Zero(t, code)
	require.Equal(t, strings.TrimLeft(`
action          event.category  event.type     event.outcome  ocsf_class: api              ocsf_class: fine
deleteNotebook  process         end            unknown        6003 API Activity: 4 Delete  6003 API Activity: 4 Delete
updateRole      iam             admin, change  unknown        6003 API Activity: 3 Update  `+
		`3005 User Access Management: 99 Other
login_failed    authentication  start          failure        6003 API Activity: 99 Other  3002 Authentication: 1 Logon
"x\x1b[2J"      api             info           unknown        6003 API Activity: 99 Other  6003 API Activity: 99 Other
`, "\n"), out)
}

func TestActionsThatAreNotNamed(t *testing.T) {
	code, _, text := try("action")
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "<name>")
	code, _, text = try("action", "-", "user_login")
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "stands alone")
	code, out, _ := try("--json", "action", "-")
	require.Zero(t, code)
	require.Empty(t, out)
	require.Equal(t, "action", completions(t, "act"))
}
