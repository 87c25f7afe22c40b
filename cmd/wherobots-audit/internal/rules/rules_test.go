package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// good breaks no rule. Tests change one thing.
const good = `service:
  http_server: on
  http_listen: 127.0.0.1
  storage.metrics: on
  storage.path: /tmp/s
pipeline:
  inputs:
    - name: wherobots_audit
      tag: audit
      api_key: hush
      checkpoint_path: /tmp/c.json
      storage.type: filesystem
  filters:
    - name: grep
      match: audit
  outputs:
    - name: http
      match: audit
      retry_limit: no_limits
    - name: stdout
      match: other
`

// large is one more input, whose batches are large.
func large(alias string) string {
	return "    - name: wherobots_audit\n      tag: audit\n      alias: " + alias + "\n      api_key: hush\n" +
		"      checkpoint_path: /tmp/" + alias + ".json\n      storage.type: filesystem\n      batch_bytes: 64M\n"
}

func check(t *testing.T, text string) []Finding {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, err := fluentconf.Read(path, func(string) string { return "" })
	require.NoError(t, err)
	_, findings := Check(c, config.Parse)
	return findings
}

func TestAGoodConfigurationBreaksNoRule(t *testing.T) { require.Empty(t, check(t, good)) }

// broken is, by rule, what changes the good configuration into one that breaks it, and what is said of it.
var broken = []struct {
	rule     string
	level    Level
	old, new string
	says     string
}{
	{"input", Error, "wherobots_audit", "dummy", "no input has the name"},
	{"daemon", Error, "http_server: on", "http_server: on\n  daemon: on", "forks"},
	{"key", Error, "      tag: audit", "      tag: audit\n      shcema: ecs", "did you mean schema?"},
	{"key", Error, "      tag: audit", "      tag: audit\n      tls.verify: off", "did you mean tls_verify?"},
	{"key", Warning, "      tag: audit", "      tag: audit\n      wonderful: yes", "no setting is called wonderful"},
	{"key", Warning, "      tag: audit", "      tag: audit\n      schema: ecs\n      schema: raw", "set twice"},
	{"value", Error, "      tag: audit", "      tag: audit\n      poll_interval: soon", "poll_interval"},
	{"value", Error, "api_key: hush", "bearer_token: ''", "no credential is set"},
	{"value", Warning, "      tag: audit", "      tag: audit\n      tls_verify: off", "tls_verify off"},
	{"variable", Warning, "match: other", "match: other${NOWHERE}", "${NOWHERE}"},
	{"plugins", Error, "http_server: on", "http_server: on\n  plugins_file: /nowhere.yaml", "open /nowhere.yaml"},
	{"plugins", Error, "pipeline:", "plugins:\n  - /nowhere/in_wherobots_audit.so\npipeline:", "not there, seen from"},
	{"credential-file", Note, "api_key: hush", "api_key_file: /run/secrets/key", "file /run/secrets/key is not there"},
	{"storage-type", Warning, "storage.type: filesystem", "storage.type: memory", "waits for delivery"},
	{"storage-type", Warning, "storage.type: filesystem", "commit_on: delivery", "fetched again"},
	{"storage-path", Error, "  storage.path: /tmp/s\n", "", "does not start"},
	{"mem-buf-limit", Warning, "      tag: audit", "      tag: audit\n      mem_buf_limit: 5M", "pauses the input"},
	{"mem-buf-limit", Note, "  inputs:", "  inputs:\n    - name: tail\n      mem_buf_limit: 5M", "of tail"},
	{"engine-api", Warning, "http_server: on", "http_server: off", "cannot prove"},
	{"engine-api", Warning, "  storage.metrics: on\n", "", "cannot prove"},
	{"engine-api", Error, "  storage.metrics: on\n", "", "cannot see"},
	{
		"engine-api", Error, "  storage.metrics: on\n", "",
		"exit_when_complete cannot see",
	},
	{"status-listen", Error, "http_listen: 127.0.0.1", "http_listen: 0.0.0.0", "take another port, such as 2112"},
	{"engine-url", Warning, "http_server: on", "http_server: on\n  http_port: 2021", "port 2020, and http_port is 2021"},
	{"engine-url", Error, "http_server: on", "http_server: on\n  http_port: 2021", "port 2020, and http_port is 2021"},
	{"engine-url", Warning, "http_listen: 127.0.0.1", "http_listen: 127.0.0.2", "http_listen is 127.0.0.2"},
	{
		"checkpoint", Error, "  filters:", "    - name: wherobots_audit\n      tag: audit\n      alias: two\n      " +
			"api_key: hush\n      checkpoint_path: /tmp/../tmp/c.json\n      storage.type: filesystem\n  filters:",
		"one checkpoint",
	},
	{
		"turns", Warning, "  filters:", "    - name: wherobots_audit\n      tag: audit\n      alias: two\n      " +
			"api_key: hush\n      checkpoint_path: /tmp/d.json\n      storage.type: filesystem\n      poll_interval: 20s\n" +
			"      min_request_interval: 30s\n  filters:",
		"2 inputs of one host need 30s for a request each, and poll_interval is 20s",
	},
	{
		"batches", Note, "  filters:", large("two") + large("three") + "  filters:",
		"3 inputs with batches of 139 MB together",
	},
	{"match", Error, "tag: audit", "tag: nobody", "no event goes anywhere"},
	{
		"match", Error, "      match: audit\n      retry_limit: no_limits\n    - name: stdout\n      match: other\n",
		"      match: somebody\n      retry_limit: no_limits\n", "no event goes anywhere",
	},
	{
		"match", Error, "      match: audit\n      retry_limit: no_limits\n    - name: stdout\n      match: other\n",
		"      retry_limit: no_limits\n", "no event goes anywhere",
	},
	{"retry-limit", Error, "      retry_limit: no_limits\n", "", "retry_limit 1"},
	{"retry-limit", Error, "no_limits", "5", "retry_limit 5"},
	{"retry-limit", Warning, "no_limits", "5", "retry_limit 5"},
	{"retry-limit", Error, "name: http", "name: s3", "5 tries"},
	{"total-limit", Error, "retry_limit:", "storage.total_limit_size: 1G\n      retry_limit:", "oldest"},
	{"emitter", Warning, "name: grep", "name: multiline", "emitter_storage.type"},
	{"emitter", Warning, "name: grep", "name: rewrite_tag", "emitter_storage.type"},
	{"emitted-tag", Error, "name: grep", "name: rewrite_tag\n      rule: $a ^x$ lost false", "lost"},
	{"event-id", Error, "name: grep", "name: modify\n      remove: event_id", "removes event_id"},
	{
		"event-id", Error, "      tag: audit",
		"      tag: audit\n      processors:\n        logs:\n          - name: modify\n            rename: event_id id",
		"removes event_id",
	},
	{"acknowledgement", Note, "name: http", "name: kafka", "before a broker"},
	{"acknowledgement", Note, "name: http", "name: syslog\n      mode: tls", "the connection has taken"},
	{"acknowledgement", Note, "name: http", "name: tcp", "the connection has taken"},
	{"acknowledgement", Warning, "name: http", "name: syslog", "UDP"},
	{"acknowledgement", Warning, "name: http", "name: gelf\n      mode: UDP", "UDP"},
	{"acknowledgement", Warning, "name: http", "name: forward", "require_ack_response"},
	{"kafka", Error, "name: http", "name: kafka", "message.timeout.ms to 0"},
	{"kafka", Warning, "name: http", "name: kafka", "30 seconds by default"},
	{"kafka", Warning, "name: http", "name: kafka", "commit_on: delivery"},
	{"kafka", Warning, "name: http", "name: kafka\n      rdkafka.acks: 1", "acks 1"},
	{
		"kafka", Warning, "name: http", "name: kafka\n      rdkafka.topic.metadata.propagation.max.ms: 1000",
		"has yet to make",
	},
	{
		"kafka", Error, "name: http", "name: kafka\n      rdkafka.topic.metadata.propagation.max.ms: 3600000",
		"less than nothing",
	},
}

func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	tried := make(map[string]bool)
	for _, b := range broken {
		text := strings.Replace(good, b.old, b.new, 1)
		require.NotEqual(t, good, text)
		switch {
		case strings.HasPrefix(b.says, "exit_when"):
			text = strings.Replace(text, "tag: audit", "tag: audit\n      end_time: 2026-11-01T00:00:00Z\n"+
				"      exit_when_complete: on", 1)
		case b.rule == "status-listen": // beside engine_url's address, which is refused as a value
			text = strings.Replace(text, "tag: audit", "tag: audit\n      status_listen: 127.0.0.2:2020", 1)
		case b.rule == "engine-api" && b.level == Error, b.rule == "engine-url" && b.level == Error,
			b.rule == "retry-limit" && b.level == Warning:
			text = strings.Replace(text, "tag: audit", "tag: audit\n      commit_on: delivery", 1)
		}
		tried[b.rule] = true
		found := false
		for _, f := range check(t, text) {
			require.NotContains(t, f.Text, "hush")
			found = found || f.Rule == b.rule && f.Level == b.level && strings.Contains(f.Text, b.says)
		}
		require.True(t, found, "%s %s: %q in\n%v\n%s", b.level, b.rule, b.says, check(t, text), text)
	}
	for _, name := range Names() {
		require.True(t, tried[name], "no test breaks rule %s", name)
	}
}

// What is allowed is not complained of.
func TestWhatBreaksNoRule(t *testing.T) {
	for _, change := range [][2]string{
		{"name: grep", "name: rewrite_tag\n      emitter_storage.type: filesystem\n      rule: $a ^x$ other false"},
		{"no_limits", "1000000"},
		{"http_listen: 127.0.0.1", "http_listen: 0.0.0.0"},
		{"      storage.type: filesystem", "      engine_url: http://localhost:2020\n      storage.type: FileSystem"},
		{"      tag: audit", "      tag: ${NOTHING:-audit}"},
		{"      tag: audit", "      tag: audit\n      status_listen: 127.0.0.1:2112"},
		{"storage.type: filesystem", "alias: x"},
		{"name: http", "name: forward\n      require_ack_response: on"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if change[1] == "alias: x" {
			text = strings.Replace(text, "storage.path:", "storage.type: filesystem\n  storage.inherit: on\n  storage.path:", 1)
		}
		require.Empty(t, check(t, text), change[1])
	}
}

// Whoever puts a match right does not have to check again for the rest. An output that takes another input's events is
// not meant.
func TestOutputsThatNoInputReachesAreLookedAt(t *testing.T) {
	unmatched := strings.Replace(good, "      match: audit\n      retry_limit: no_limits\n",
		"      match: audti\n      retry_limit: 3\n      storage.total_limit_size: 1G\n", 1)
	unmatched = strings.Replace(unmatched, "  inputs:\n", "  inputs:\n    - name: tail\n      tag: other\n", 1)
	found := make(map[string]string)
	for _, f := range check(t, unmatched) {
		require.NotContains(t, f.Text, "stdout")
		found[f.Rule] += f.Text
	}
	require.Contains(t, found["match"], "no output matches the tag audit")
	require.Contains(t, found["retry-limit"], "output http gives up after retry_limit 3")
	require.Contains(t, found["total-limit"], "1G")
}
