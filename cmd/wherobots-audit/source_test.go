package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const testKey = "wbk-command-secret-0123456789abcdef"

// simulated is an endpoint with n events of the last two days but the last hour.
func simulated(t *testing.T, n int) (server *exportertest.Server, url string) {
	t.Helper()
	server = exportertest.New(exportertest.Options{APIKey: testKey})
	now := time.Now().UTC().Truncate(time.Second)
	server.Add(exportertest.Generate(1, n, now.Add(-48*time.Hour), now.Add(-time.Hour))...)
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	t.Setenv("WHEROBOTS_API_KEY", testKey)
	return server, web.URL
}

// give runs one command line with something on stdin.
func give(in string, args ...string) (code int, out, errors string) {
	var o, e bytes.Buffer
	code = run(args, console{in: strings.NewReader(in), out: &o, err: &e})
	return code, o.String(), e.String()
}

// idsOf are the event_ids of JSON lines.
func idsOf(t *testing.T, lines string) (ids []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var record struct {
			EventID string `json:"event_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &record), line)
		ids = append(ids, record.EventID)
	}
	return ids
}

func sourceIDs(server *exportertest.Server) (ids []string) {
	for _, e := range server.Events() {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestExportPrintsEachEventOnce(t *testing.T) {
	server, url := simulated(t, 3000)
	code, out, errors := try("export", "--endpoint", url, "--from", "-3d")
	require.Zero(t, code, errors)
	require.ElementsMatch(t, sourceIDs(server), idsOf(t, out))
	require.Contains(t, errors, "events of the last 10m0s may still appear")
	require.NotContains(t, out, `\u003c`, "it is no HTML")

	code, out, errors = try("export", "--json", "--endpoint", url, "--from", "-3d", "--to", "-30m", "--schema", "ecs",
		"--time-key", "@timestamp")
	require.Zero(t, code, errors)
	require.True(t, strings.HasPrefix(out, `{"@timestamp":"20`), out[:80])
	var summary exportSummary
	require.NoError(t, json.Unmarshal([]byte(errors), &summary))
	require.Equal(t, 3000, summary.Events)
	require.Empty(t, summary.Doubts)
}

// What the shipped configurations take from the environment counts here too, so that a person says it once.
func TestEndpointAndStateComeFromTheEnvironment(t *testing.T) {
	server, url := simulated(t, 50)
	t.Setenv("WHEROBOTS_ENDPOINT", url)
	code, out, errors := try("export", "--from", "-90d")
	require.Zero(t, code, errors)
	require.ElementsMatch(t, sourceIDs(server), idsOf(t, out))
	require.Contains(t, errors, "the endpoint keeps events for 90 days")
	code, _, errors = try("export", "--from", "-1d", "--endpoint", "http://127.0.0.1:1", "--set", "retry_max_interval=1s")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errors, "127.0.0.1:1", "what is said on the command line comes first")
	code, _, errors = try("export", "--from", "-1d", "--set", "overlp=1m")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "did you mean overlap?")

	dir := t.TempDir()
	t.Setenv("WHEROBOTS_STATE_DIR", dir)
	code, _, errors = try("checkpoint", "show")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errors, filepath.Join(dir, "wherobots_audit.json"))
	require.Contains(t, errors, "--checkpoint")
}

func TestExportAsCSV(t *testing.T) {
	server, url := simulated(t, 500)
	server.SetAnswers(func(a *exportertest.Answers) { a.Extra = []string{"severity"} })
	code, out, errors := try("export", "--endpoint", url, "--from", "-3d", "--format", "csv")
	require.Zero(t, code, errors)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 501)
	require.Equal(t, "event_id", rows[0][0])
	require.Equal(t, otherFields, rows[0][len(rows[0])-1])
	byID := make(map[string][]string)
	for _, row := range rows[1:] {
		byID[row[0]] = row
		require.Contains(t, row[len(row)-1], `"severity"`)
	}
	for _, e := range server.Events() {
		require.Equal(t, e.Action, byID[e.ID][2])
	}
	code, _, errors = try("export", "--endpoint", url, "--from", "-1h", "--format", "csv", "--schema", "ecs")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "--format csv is for --schema raw")
}

func TestAnExportThatIsCutOrRefusedSaysSo(t *testing.T) {
	server, url := simulated(t, 500)
	server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{CutAfter: 5000} })
	code, out, errors := try("export", "--endpoint", url, "--from", "-3d", "--set", "retry_max_interval=1s")
	require.Equal(t, exitCut, code, errors)
	require.Contains(t, errors, "all up to ")
	require.NotEmpty(t, out, "what came is printed")
	server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{} })

	code, _, errors = try("export", "--endpoint", url, "--from", "-100d")
	require.Equal(t, exitCut, code)
	require.Contains(t, errors, "is gone")
	server.SetCredentials("another", "")
	code, _, errors = try("export", "--endpoint", url, "--from", "-3d")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errors, "401")
	require.Contains(t, errors, "that of WHEROBOTS_API_KEY, which is read at the start only: set another, then start")
	require.NotContains(t, errors, testKey)
}

func TestSecretsAreNotTakenFromTheCommandLine(t *testing.T) {
	_, url := simulated(t, 10)
	for _, key := range secretSettings {
		code, _, errors := try("export", "--endpoint", url, "--from", "-1h", "--set", key+"=hush")
		require.Equal(t, exitUsage, code)
		require.Contains(t, errors, "would show the secret")
		require.NotContains(t, errors, "hush")
	}
	code, _, errors := try("export", "--endpoint", url, "--from", "-1h", "--set", "overlpa=3m")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "the plugin has no such setting")
	t.Setenv("WHEROBOTS_API_KEY", "")
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(testKey+"\n"), 0o600))
	code, _, errors = try("export", "--endpoint", url, "--from", "-3d", "--api-key-file", file)
	require.Zero(t, code, errors)
	code, _, errors = try("export", "--endpoint", url, "--from", "yesterday", "--api-key-file", file)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, `--from: "yesterday" is no time; allowed: RFC 3339`)
}

// built returns the program, as a process.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wherobots-audit")
	output, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	return path
}

// A reader that goes away, and Ctrl-C, end it at once: whole lines were printed, and nothing is complained of.
func TestPipesAndInterrupts(t *testing.T) {
	server, url := simulated(t, 4000)
	program := built(t)
	pipe := exec.Command("bash", "-c", `set -o pipefail; "$0" export --endpoint "$1" --from -3d | head -n 3`, program, url)
	var complaints bytes.Buffer
	pipe.Stderr = &complaints
	out, err := pipe.Output()
	require.Error(t, err)
	require.Equal(t, 128+int(syscall.SIGPIPE), pipe.ProcessState.ExitCode(), "as of any other program")
	require.Len(t, idsOf(t, string(out)), 3)
	require.Empty(t, complaints.String())

	follow := exec.Command(program, "tail", "-f", "--endpoint", url, "--since", "-3d", "--interval", "1s")
	stdout, err := follow.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, follow.Start())
	defer func() { _ = follow.Process.Kill() }()
	lines := make(chan string)
	go func() {
		text, _ := io.ReadAll(stdout)
		lines <- string(text)
	}()
	time.Sleep(3 * time.Second)
	server.Add(exportertest.Event{ID: "fresh", Time: time.Now(), Action: "login"})
	time.Sleep(4 * time.Second)
	require.NoError(t, follow.Process.Signal(syscall.SIGINT))
	ids := idsOf(t, <-lines)
	_ = follow.Wait()
	require.Equal(t, exitInterrupted, follow.ProcessState.ExitCode())
	require.ElementsMatch(t, sourceIDs(server), ids)
}

// collected runs the plugin's own collection until all is committed, and returns its checkpoint.
func collected(t *testing.T, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.json")
	settings := map[string]string{
		"endpoint": url, "checkpoint_path": path, "start_time": "-3d", "poll_interval": "1s", "reconcile_interval": "0",
	}
	collect(t, settings, func(through time.Time) bool { return time.Since(through) < 5*time.Second })
	return path
}

func collect(t *testing.T, settings map[string]string, enough func(through time.Time) bool) (records int64) {
	t.Helper()
	cfg, err := exporter.ParseConfig(func(key string) string { return settings[key] })
	require.NoError(t, err)
	e, err := exporter.NewWithoutEngine(cfg)
	require.NoError(t, err)
	e.Start()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if data := e.Next(); len(data) > 0 {
			e.Accepted()
		}
		state, found, err := checkpoint.Read(settings["checkpoint_path"], checkpoint.Source{Endpoint: settings["endpoint"]})
		require.NoError(t, err)
		if found && enough(state.Through) {
			break
		}
		require.True(t, time.Now().Before(end), "%v", e.Lines())
	}
	records = e.Stats().Records
	require.NoError(t, e.Close())
	return records
}

func TestVerifyProvesAndTellsDifferences(t *testing.T) {
	server, url := simulated(t, 2000)
	path := collected(t, url)
	all := sourceIDs(server)
	list := strings.Join(all, "\n")
	code, out, errors := give(list, "verify", "--checkpoint", path, "--ids", "-")
	require.Zero(t, code, out+errors)
	require.Contains(t, out, "No difference was found.")
	require.Contains(t, out, time.Now().UTC().Add(-30*time.Hour).Format(time.DateOnly))

	lost := append([]string{}, all[100], all[900])
	short := strings.ReplaceAll(strings.ReplaceAll(list, lost[0]+"\n", ""), lost[1]+"\n", "") + "\nforeign"
	code, out, errors = give(short, "verify", "--checkpoint", path, "--ids", "-", "--emit", "-")
	require.Equal(t, exitDifference, code)
	require.ElementsMatch(t, lost, idsOf(t, out))
	require.Contains(t, errors, "missing 2 (exported, not in the list), extra 1")

	file := filepath.Join(t.TempDir(), "ids.jsonl")
	var lines strings.Builder
	for _, id := range all {
		fmt.Fprintf(&lines, "{\"event_id\":%q}\n", id)
	}
	require.NoError(t, os.WriteFile(file, []byte(lines.String()), 0o600))
	code, out, errors = try("--json", "verify", "--from", "-60h", "--to", "-1h", "--ids", file, "--endpoint", url)
	require.Zero(t, code, errors)
	var p proof
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.True(t, p.Proved)
	require.Equal(t, 2000, *p.Listed)
	require.GreaterOrEqual(t, len(p.Hours), 59)
	require.Contains(t, p.Hours[3].Reason, "there is no checkpoint")
	require.Equal(t, len(p.Hours), p.NotCompared, "with a digest")
	require.Zero(t, p.Same+p.Differ+p.Unread+p.TooYoung)
	require.True(t, p.Counted)

	code, out, _ = try("verify", "--checkpoint", path, "--by", "hour", "--from", "-20h", "--to", "-10h")
	require.Zero(t, code)
	require.Len(t, strings.Split(strings.Split(out, "\n\n")[0], "\n"), 1+11)
	server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{Status: 503} })
	code, out, errors = try(
		"verify", "--checkpoint", path, "--from", "-20h", "--to", "-18h", "--set", "retry_max_interval=1s",
	)
	require.Equal(t, exitCut, code)
	require.Contains(t, out, "could not be read")
	require.Contains(t, errors, "asks again in ")
}

// A list without the newest events is no proof of them, and a wrong key is told as export tells it.
func TestVerifyDoesNotProveWhatIsTooYoung(t *testing.T) {
	server, url := simulated(t, 100)
	server.Add(exportertest.Generate(2, 30, time.Now().Add(-8*time.Minute), time.Now().Add(-time.Minute))...)
	path := collected(t, url)
	for _, with := range [][]string{{"--checkpoint", path}, {"--endpoint", url}} {
		args := append([]string{"--json", "verify", "--from", "-9m", "--ids", "-"}, with...)
		code, out, errors := give("", args...)
		require.Equal(t, exitFailed, code, out+errors)
		var p proof
		require.NoError(t, json.Unmarshal([]byte(out), &p))
		require.False(t, p.Proved)
		require.Equal(t, 30, p.Exported)
		require.Equal(t, 30, p.TooYoung)
	}
	server.SetCredentials("another", "")
	code, out, errors := try("verify", "--checkpoint", path)
	require.Equal(t, exitFailed, code)
	require.Empty(t, out)
	_, _, want := try("export", "--endpoint", url, "--from", "-3d")
	number := regexp.MustCompile(`req-\d+`)
	require.Equal(t, number.ReplaceAllString(want, "req"), number.ReplaceAllString(errors, "req"))
}

// What a command writes replaces a file of before when it is all there, and never one that it is made of.
func TestFilesOfBeforeAreKeptUntilNewOnesAreThere(t *testing.T) {
	server, url := simulated(t, 200)
	path := collected(t, url)
	state, err := os.ReadFile(path)
	require.NoError(t, err)
	dir := t.TempDir()
	link, backup, ids := filepath.Join(dir, "link"), filepath.Join(dir, "backup"), filepath.Join(dir, "ids")
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, os.WriteFile(backup, []byte("before"), 0o600))
	require.NoError(t, os.WriteFile(ids, []byte(strings.Join(sourceIDs(server)[1:], "\n")), 0o600))

	verify := []string{"verify", "--checkpoint", path, "--ids", ids, "--emit"}
	for _, line := range [][]string{
		{"checkpoint", "export", "--checkpoint", path, "--out", path},
		{"checkpoint", "export", "--checkpoint", path, "--out", link},
		{"checkpoint", "export", "--checkpoint", path, "--out", path + ".lock"},
		append(verify, path), append(verify, ids),
	} {
		code, _, errors := try(line...)
		require.Equal(t, exitUsage, code, line)
		require.Contains(t, errors, "name another file")
	}
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, state, now)

	code, _, _ := try("checkpoint", "export", "--checkpoint", filepath.Join(dir, "none"), "--out", backup)
	require.Equal(t, exitFailed, code)
	kept, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.Equal(t, "before", string(kept))
	code, _, errors := try("checkpoint", "export", "--checkpoint", path, "--out", backup)
	require.Zero(t, code, errors)
	code, _, errors = try("checkpoint", "export", "--checkpoint", path, "--out", os.DevNull)
	require.Zero(t, code, errors)
	code, _, errors = try("checkpoint", "import", "--checkpoint", filepath.Join(dir, "new"), "--in", backup)
	require.Zero(t, code, errors)
	code, _, errors = try(append(verify, backup)...)
	require.Equal(t, exitDifference, code, errors)
	missing, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.Equal(t, sourceIDs(server)[:1], idsOf(t, string(missing)))
}

func TestVerifyNeedsSomethingToCompareWith(t *testing.T) {
	_, url := simulated(t, 10)
	for want, args := range map[string][]string{
		"say --checkpoint, or --from and --ids":       {"verify"},
		"--emit writes what --ids lacks: say --ids":   {"verify", "--from", "-1d", "--emit", "-"},
		"does not exist; name the checkpoint_path":    {"verify", "--checkpoint", filepath.Join(t.TempDir(), "none.json")},
		`--to: "soon" is no time; allowed: RFC 3339`:  {"verify", "--from", "-1d", "--to", "soon"},
		"line 1 of the list of event_ids: a JSON obj": {"verify", "--from", "-1d", "--ids", "-", "--endpoint", url},
	} {
		code, _, errors := give(`{"a":1}`, args...)
		require.NotZero(t, code)
		require.Contains(t, errors, want)
	}
	code, out, _ := try("verify", "--from", "-1d", "--endpoint", url)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "Nothing could be compared.")
}

// The commands as a person types them, with the plugin's own collection between them.
func TestCheckpointsAreMovedAndTaken(t *testing.T) {
	server, url := simulated(t, 1500)
	path := collected(t, url)
	code, out, errors := try("checkpoint", "show", "--checkpoint", path)
	require.Zero(t, code, errors)
	require.Contains(t, out, url)
	require.Regexp(t, `digests +\d+ hours with events`, out)
	code, _, errors = try("checkpoint", "rewind", "--checkpoint", path, "--to", "-20h")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "--reason")
	code, _, errors = try("checkpoint", "rewind", "--checkpoint", path, "--to", "-91d", "--reason", "r")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "the endpoint keeps events for 90 days")
	code, out, errors = try("checkpoint", "rewind", "--checkpoint", path, "--to", "-20h", "--reason", "the index was lost")
	require.Zero(t, code, errors)
	require.Contains(t, out, "everything that happened since is sent again")
	_, out, _ = try("checkpoint", "show", "--checkpoint", path)
	require.Contains(t, out, ": the index was lost (the next start says so)")

	again := 0
	to := time.Now().Add(-20 * time.Hour).Truncate(time.Hour)
	for _, e := range server.Events() {
		if !e.Time.Before(to) {
			again++
		}
	}
	settings := map[string]string{
		"endpoint": url, "checkpoint_path": path, "poll_interval": "1s", "reconcile_interval": "0",
	}
	require.EqualValues(t, again, collect(t, settings, func(through time.Time) bool {
		return time.Since(through) < 5*time.Second
	}))

	elsewhere := filepath.Join(t.TempDir(), "elsewhere.json")
	code, document, errors := try("checkpoint", "export", "--checkpoint", path)
	require.Zero(t, code, errors)
	code, out, errors = give(document, "checkpoint", "import", "--checkpoint", elsewhere)
	require.Zero(t, code, errors)
	require.Contains(t, out, "the next start goes on from ")
	code, _, errors = give(document, "checkpoint", "import", "--checkpoint", elsewhere)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "--replace")
	code, _, errors = give(document[:len(document)/2], "checkpoint", "import", "--checkpoint", elsewhere, "--replace")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errors, "this is no export of a checkpoint, or it is damaged")

	time.Sleep(2 * time.Second)
	code, _, errors = try("checkpoint", "forward", "--checkpoint", elsewhere, "--to", "now")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errors, "if that is meant, say --accept-gap")
	code, out, errors = try("--json", "checkpoint", "forward", "--checkpoint", elsewhere, "--to", "now", "--accept-gap")
	require.Zero(t, code, errors)
	require.Contains(t, out, `"kind": "forwarded"`)
}
