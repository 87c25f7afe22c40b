package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/golden"
)

var variable = regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)

// isPluginsFile tells the file that the configurations name from the configurations.
func isPluginsFile(path string) bool { return filepath.Base(path) == "plugins.yaml" }

// shipped are the configurations in conf/, with the variables that have no default set.
func shipped(t *testing.T) []string {
	t.Helper()
	yaml, _ := filepath.Glob("../../conf/*.yaml")
	files := append(slices.DeleteFunc(yaml, isPluginsFile), "../../conf/fluent-bit.conf")
	require.Greater(t, len(files), 8)
	t.Setenv("WHEROBOTS_API_KEY", "something")
	seemBuilt(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range variable.FindAllStringSubmatch(string(text), -1) {
			t.Setenv(name[1], "something")
		}
	}
	return files
}

// seemBuilt lets the shipped configurations name a shared object that is there.
func seemBuilt(t *testing.T) {
	t.Helper()
	object := filepath.Join(t.TempDir(), "in_wherobots_audit.so")
	require.NoError(t, os.WriteFile(object, nil, 0o600))
	file := filepath.Join(t.TempDir(), "plugins.yaml")
	require.NoError(t, os.WriteFile(file, []byte("plugins:\n  - "+object+"\n"), 0o600))
	t.Setenv("WHEROBOTS_PLUGINS_FILE", file)
}

func TestAllShippedConfigurationsPass(t *testing.T) {
	for _, file := range shipped(t) {
		code, out, _ := try("check", "--offline", "-c", file)
		require.Zero(t, code, out)
		require.Contains(t, out, "→ ")
	}
}

func TestCheckWithoutAFileThatCanBeRead(t *testing.T) {
	code, _, text := try("check", "--offline", "-c", "/nowhere.yaml")
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "/nowhere.yaml")
	t.Chdir(t.TempDir())
	if _, err := os.Stat("/etc/fluent-bit"); err != nil {
		code, _, text = try("check")
		require.Equal(t, exitUsage, code)
		require.Contains(t, text, "-c FILE")
	}
}

// trial is an endpoint and a configuration that polls it.
type trial struct {
	server *exportertest.Server
	file   string
	dir    string
}

func newTrial(t *testing.T, options exportertest.Options) *trial {
	t.Helper()
	options.APIKey = "right-key-0123456789"
	tr := &trial{server: exportertest.New(options), dir: t.TempDir()}
	listener := httptest.NewServer(tr.server)
	t.Cleanup(listener.Close)
	now := time.Now()
	tr.server.Add(exportertest.Generate(1, 120, now.Add(-50*time.Minute), now.Add(-10*time.Minute))...)
	tr.file = filepath.Join(tr.dir, "fluent-bit.yaml")
	text, err := os.ReadFile("../../conf/fluent-bit.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(tr.file, text, 0o600))
	t.Setenv("WHEROBOTS_ENDPOINT", listener.URL)
	t.Setenv("WHEROBOTS_API_KEY", options.APIKey)
	t.Setenv("WHEROBOTS_STATE_DIR", tr.dir)
	seemBuilt(t)
	return tr
}

// check runs the command and returns the texts of what it found, by level and rule.
func (tr *trial) check(t *testing.T, flags ...string) (code int, found map[string]string) {
	t.Helper()
	code, out, errors := try(append([]string{"--json", "check", "-c", tr.file}, flags...)...)
	if key := os.Getenv("WHEROBOTS_API_KEY"); key != "" {
		require.NotContains(t, out+errors, key)
	}
	var report checkReport
	require.NoError(t, json.Unmarshal([]byte(out), &report), "%s%s", out, errors)
	found = make(map[string]string)
	for _, f := range report.Findings {
		found[string(f.Level)+" "+f.Rule] += f.Text + "\n"
	}
	return code, found
}

func TestCheckOfAnEndpointThatIsWell(t *testing.T) {
	code, found := newTrial(t, exportertest.Options{}).check(t)
	require.Zero(t, code, found)
	require.Contains(t, found["ok credential"], "accepts it")
	require.Contains(t, found["ok rows"], "120 events of the last hour")
	require.Contains(t, found["ok columns"], "12 of 12")
	require.Contains(t, found["ok clock"], "within")
	require.Contains(t, found["ok count"], "as many")
	require.Contains(t, found["ok row-limit"], "none shows")
	require.Contains(t, found["ok proxy"], "none")
	require.Contains(t, found["ok checkpoint-state"], "none yet")
	require.NotEmpty(t, found["ok disk"]+found["warning disk"])
}

func TestCheckFindsIllsOfTheEndpoint(t *testing.T) {
	for _, ill := range []struct {
		name    string
		change  func(*exportertest.Answers)
		code    int
		finding string
		says    string
	}{
		{"clock ahead", func(a *exportertest.Answers) { a.DateOffset = -time.Hour }, exitFailed, "warning clock", "ahead of"},
		{"clock behind", func(a *exportertest.Answers) { a.DateOffset = time.Hour }, exitFailed, "warning clock", "behind"},
		{"no date", func(a *exportertest.Answers) { a.NoDate = true }, exitDone, "note clock", "no date"},
		{"column", func(a *exportertest.Answers) { a.Extra = []string{"session"} }, exitDone, "note columns", "session"},
		{
			"no column", func(a *exportertest.Answers) { a.Without = []string{"source_ip"} }, exitFailed, "warning columns",
			"source_ip",
		},
		{"limit", func(a *exportertest.Answers) { a.Limit.Rows = 100 }, exitFailed, "warning row-limit", "cuts answers off"},
		{"count", func(a *exportertest.Answers) { a.Count.Off = 3 }, exitFailed, "warning count", "123 events"},
		{"no count", func(a *exportertest.Answers) { a.Count.Status = 404 }, exitDone, "note count", "does not count"},
		{"page", func(a *exportertest.Answers) { a.Fault.HTML = true }, exitUsage, "error endpoint", "not"},
		{"down", func(a *exportertest.Answers) { a.Fault.Status = 503 }, exitUsage, "error endpoint", "503"},
	} {
		t.Run(ill.name, func(t *testing.T) {
			tr := newTrial(t, exportertest.Options{})
			tr.server.SetAnswers(ill.change)
			code, found := tr.check(t)
			require.Contains(t, found[ill.finding], ill.says, "%v", found)
			require.Equal(t, ill.code, code, "%v", found)
		})
	}
}

func TestCheckFindsAWrongKey(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	t.Setenv("WHEROBOTS_API_KEY", "wrong-key-0123456789")
	code, found := tr.check(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, found["error credential"], "401")
	require.Contains(t, found["error credential"], "set another, then start again")
}

func TestCheckFindsAKeyFileThatIsMissing(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	t.Setenv("WHEROBOTS_API_KEY", "")
	t.Setenv("WHEROBOTS_API_KEY_FILE", filepath.Join(tr.dir, "no-key"))
	code, found := tr.check(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, found["error credential"], "no-key")
	require.Contains(t, found["error credential"], "write it there; the plugin starts without it")
	require.Empty(t, found["note clock"], "nothing was asked")
	code, found = tr.check(t, "--offline")
	require.Zero(t, code)
	require.Contains(t, found["note credential-file"], "no-key is not there")
}

func TestCheckFindsAProxyThatIsNotThere(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	text, err := os.ReadFile(tr.file)
	require.NoError(t, err)
	const tag = "tag: wherobots.audit"
	changed := strings.Replace(string(text), tag, tag+"\n      proxy: http://127.0.0.1:1", 1)
	require.NoError(t, os.WriteFile(tr.file, []byte(changed), 0o600))
	code, found := tr.check(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, found["ok proxy"], "127.0.0.1:1, of the setting proxy")
	require.Contains(t, found["error proxy"], "connection refused")
}

func TestCheckTellsWhoseCertificateItIs(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	secure := httptest.NewTLSServer(tr.server)
	defer secure.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Setenv("WHEROBOTS_ENDPOINT", secure.URL)
	code, found := tr.check(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, found["error tls"], "tls_ca_file")

	text, err := os.ReadFile(tr.file)
	require.NoError(t, err)
	const tag = "tag: wherobots.audit"
	for setting, want := range map[string]string{
		"tls_ca_file: " + exportertest.WriteCA(t, tr.dir): "ok tls", "tls_verify: off": "warning tls",
	} {
		changed := strings.Replace(string(text), tag, tag+"\n      "+setting, 1)
		require.NoError(t, os.WriteFile(tr.file, []byte(changed), 0o600))
		_, found = tr.check(t)
		require.Contains(t, found[want], "O=Acme Co", "%v", found)
		require.Contains(t, found[want], "until 20")
	}
}

func TestCheckFindsAPlaceThatCannotBeWritten(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	t.Setenv("WHEROBOTS_STATE_DIR", filepath.Join(tr.dir, "nowhere"))
	code, found := tr.check(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, found["error checkpoint-directory"], "nowhere")
}

func TestCheckLeavesNothingBehind(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	tr.check(t)
	left, err := os.ReadDir(tr.dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	requests := len(tr.server.Requests())
	tr.check(t, "--offline")
	require.Len(t, tr.server.Requests(), requests, "asks offline")
}

func TestCheckWatchesForLateEvents(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	now := time.Now()
	tr.server.Add(exportertest.Event{
		ID: "late", Time: now.Add(-20 * time.Minute), Action: "x", Visible: now.Add(time.Second),
	})
	code, found := tr.check(t, "--watch", "3s")
	require.Equal(t, exitFailed, code)
	require.Contains(t, found["warning overlap"], "at least 40m is recommended")
}

//go:generate go test -run ^TestRulesAreDocumented$ -update .

func TestRulesAreDocumented(t *testing.T) {
	golden.Part(t, "../../docs/command.md", "rules", rules.Table())
}

// A whole session as a person sees it.
func TestCheckAsText(t *testing.T) {
	tr := newTrial(t, exportertest.Options{})
	code, out, _ := try("check", "-c", tr.file)
	require.Zero(t, code)
	require.True(t, strings.HasSuffix(out, "good: nothing needs to be changed\n"), out)

	text, err := os.ReadFile(tr.file)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "tag: wherobots.audit", "tag: nobody", 1)
	require.NoError(t, os.WriteFile(tr.file, []byte(changed), 0o600))
	_, out, _ = try("check", "--offline", "-c", tr.file)
	require.Contains(t, out, ", tag nobody → no output\n")
}
