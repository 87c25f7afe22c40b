package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// syslogOutput is an output of the engine's, in the place of one that is shipped.
const syslogOutput = `  outputs:
    - name: syslog
      match: wherobots.audit
      host: ${HTTP_HOST}
      port: ${HTTP_PORT}
      mode: tcp
      syslog_format: rfc5424
      syslog_maxsize: 65536
      syslog_appname_preset: wherobots
      syslog_severity_preset: 5
      syslog_facility_preset: 13
      syslog_msgid_key: action_name
      syslog_message_key: event_id
      retry_limit: no_limits
`

// TestRealSyslog kills the engine when all events have reached rsyslog, and takes its disk away: each has arrived in a
// message of its own, with its time, and again.
func TestRealSyslog(t *testing.T) {
	t.Parallel()
	s := store(t, siem.StartRsyslog)
	events := lastDay(2_000)
	before, _, found := strings.Cut(readConf(t, "http.yaml"), "  outputs:\n")
	require.True(t, found)
	file := t.TempDir() + "/syslog.yaml"
	require.NoError(t, os.WriteFile(file, []byte(before+syslogOutput), 0o600))
	c := realRun(t, file, events, append(at("HTTP", s.Server), fromLastDay)...)
	arrived := func() map[string][]siem.SyslogMessage {
		messages, err := s.Messages()
		require.NoError(t, err)
		byID := map[string][]siem.SyslogMessage{}
		for _, m := range messages {
			// RFC 5424 wants a byte order mark before UTF-8, which the engine sends.
			if id := strings.TrimPrefix(m.Message, "\ufeff"); !strings.HasPrefix(id, "status-") {
				byID[id] = append(byID[id], m)
			}
		}
		return byID
	}
	c.killWhen("all messages", func() bool { return len(arrived()) >= len(events) })
	c.loseDisk()
	caughtUp := c.caughtUp()
	p := c.start()
	p.until(c.patience, "a commit of everything", caughtUp)
	p.stop()

	byID := arrived()
	require.Len(t, byID, len(events))
	for _, e := range events {
		require.GreaterOrEqual(t, len(byID[e.ID]), 2, e.ID)
		for _, m := range byID[e.ID] {
			require.Equal(t, []string{"109", "wherobots", e.Action}, []string{m.Pri, m.App, m.Msgid})
			stamp, err := time.Parse(time.RFC3339Nano, m.Time)
			require.NoError(t, err)
			require.WithinDuration(t, e.Time, stamp, time.Microsecond)
		}
	}
}
