package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var enginesDoc = flag.String("engines.doc", "", "document that TestEngines writes its table into")

// installed is one Fluent Bit.
type installed struct {
	engine
	version string
}

// installedEngines are those of FLUENT_BITS, separated by colons or blanks; without it the one that all tests use.
func installedEngines(t *testing.T) (found []installed) {
	t.Helper()
	names := strings.FieldsFunc(os.Getenv("FLUENT_BITS"), func(r rune) bool { return r == ':' || r == ' ' })
	for _, name := range names {
		path, version := engineAt(name)
		require.NotEmpty(t, path, "FLUENT_BITS names %s, which does not run", name)
		found = append(found, installed{engine{path}, version})
	}
	if path, version := findEngine(); len(names) == 0 && path != "" {
		found = append(found, installed{engine{path}, version})
	}
	return found
}

func (i installed) before(major, minor, patch int) bool {
	var v [3]int
	_, _ = fmt.Sscanf(i.version, "%d.%d.%d", &v[0], &v[1], &v[2])
	for n, part := range []int{major, minor, patch} {
		if v[n] != part {
			return v[n] < part
		}
	}
	return false
}

// engineTrials are the columns of the table. Each says how it works, and fails if it does not.
var engineTrials = []struct {
	column string
	try    func(t *testing.T, i installed) (how string)
}{
	{"loads", loads},
	{"several inputs", takesSeveral},
	{"metrics", showsMetrics},
	{"delivery", delivers},
	{"shipped files", readsShipped},
	{"reload", reloads},
}

// TestEngines tries what matters with each engine, and compares with the table of docs/engines.md, or writes it. A
// version that the table does not have is not compared.
func TestEngines(t *testing.T) {
	t.Parallel()
	engines := installedEngines(t)
	if len(engines) == 0 {
		t.Skip("no Fluent Bit on the PATH, and neither FLUENT_BITS nor FLUENT_BIT names one")
	}
	var mu sync.Mutex
	rows := make([][]string, len(engines))
	t.Run("tried", func(t *testing.T) {
		for n, i := range engines {
			rows[n] = make([]string, len(engineTrials))
			for column, trial := range engineTrials {
				t.Run(i.version+"/"+trial.column, func(t *testing.T) {
					t.Parallel()
					how := trial.try(t, i)
					mu.Lock()
					defer mu.Unlock()
					rows[n][column] = how
				})
			}
		}
	})
	if t.Failed() {
		return
	}
	var lines []string
	for n, i := range engines {
		lines = append(lines, "| "+i.version+" | "+strings.Join(rows[n], " | ")+" |")
	}
	t.Logf("\n%s", strings.Join(lines, "\n"))
	if *enginesDoc != "" {
		writeBetween(t, *enginesDoc, "<!-- engines:begin -->\n", "<!-- engines:end -->", engineTable(lines))
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "engines.md"))
	require.NoError(t, err)
	for n, i := range engines {
		if strings.Contains(string(text), "\n| "+i.version+" |") {
			assert.Contains(t, string(text), "\n"+lines[n]+"\n", "docs/engines.md; make engines writes it anew")
		}
	}
}

func engineTable(lines []string) string {
	head, rule := "| Fluent Bit |", "|---|"
	for _, trial := range engineTrials {
		head += " " + trial.column + " |"
		rule += "---|"
	}
	return head + "\n" + rule + "\n" + strings.Join(lines, "\n") + "\n"
}

func loads(t *testing.T, i installed) string {
	s := newSource(t, past(20)...)
	r := newRig(t, i.engine, s.url)
	p := r.start(t)
	p.until(30*time.Second, "the events", func() bool { return r.lines(t) >= 20 })
	p.stop()
	requireEach(t, s.Events(), r.records(t, 0))
	return "yes"
}

// takesSeveral has two inputs of organisations of their own in one process. Each commits what it has handed over.
func takesSeveral(t *testing.T, i installed) (how string) {
	one, two := newSource(t, past(20)...), newSource(t, lastHour(30)...)
	r := newRig(t, i.engine, one.url)
	r.port = freePort(t)
	settings := map[string]string{
		"endpoint": two.url, "api_key": testKey, "commit_on": "delivery",
		"engine_url": "http://127.0.0.1:" + strconv.Itoa(r.port),
	}
	r.set("commit_on", "delivery", "engine_url", settings["engine_url"])
	how = "yes"
	if i.before(4, 1, 0) { // they cannot tell their own names
		r.set("engine_input", "audit")
		settings["engine_input"] = "second"
		how = "with `alias` and `engine_input`"
	}
	r.add("second", settings)
	p := r.start(t)
	p.until(30*time.Second, "all events", func() bool { return r.lines(t) >= 50 })
	for _, name := range []string{"audit.json", "second.json"} {
		p.until(30*time.Second, "a commit in "+name, func() bool {
			text, _ := os.ReadFile(r.path(name))
			var file struct{ Through time.Time }
			return json.Unmarshal(text, &file) == nil && time.Since(file.Through) < time.Minute
		})
	}
	p.stop()
	requireEach(t, append(one.Events(), two.Events()...), r.records(t, 0))
	return how
}

func showsMetrics(t *testing.T, i installed) string {
	r := newRig(t, i.engine, newSource(t, past(123)...).url)
	r.port = freePort(t)
	p := r.start(t)
	p.until(30*time.Second, "wherobots_audit_records_total 123", func() bool {
		text := get("http://127.0.0.1:" + strconv.Itoa(r.port) + "/api/v2/metrics/prometheus")
		return regexp.MustCompile(`wherobots_audit_records_total\{name="audit"[^}]*\} 123`).MatchString(text)
	})
	p.stop()
	return "yes"
}

// delivers kills the engine while the destination refuses everything, with either commit_on: nothing is lost.
func delivers(t *testing.T, i installed) string {
	for _, commitOn := range []string{"handoff", "delivery"} {
		s := newSource(t, past(100)...)
		r := newRig(t, i.engine, s.url)
		r.port, r.sink = freePort(t), newRefusingSink(t, 1)
		r.set("commit_on", commitOn, "engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
		stop := s.live(t, 0)
		p := r.start(t)
		p.until(30*time.Second, "refused deliveries", func() bool { return r.sink.count() >= 3 })
		p.kill()
		require.Zero(t, r.lines(t), "the destination refuses")
		r.sink.setShare(0)
		p = r.start(t)
		time.Sleep(time.Second)
		stop()
		p.until(30*time.Second, "every event, commit_on "+commitOn, func() bool {
			missing, _ := compare(s.Events(), r.records(t, 10_000))
			return len(missing) == 0
		})
		p.stop()
	}
	return "nothing lost"
}

// readsShipped has every shipped configuration read, and starts the plainest.
func readsShipped(t *testing.T, i installed) (how string) {
	s := newSource(t, lastHour(20)...)
	dir, port := t.TempDir(), strconv.Itoa(freePort(t))
	env := append(withoutKey(os.Environ()),
		"WHEROBOTS_API_KEY="+testKey, "WHEROBOTS_ENDPOINT="+s.url, "WHEROBOTS_START_TIME=-2h",
		"WHEROBOTS_STATE_DIR="+dir, "FLUENT_BIT_HTTP_PORT="+port)
	how = "as they are"
	path := func(file string) string { return filepath.Join(root, "conf", file) }
	if i.before(5, 0, 6) {
		how = "with `render --expand`"
		path = func(file string) string {
			expand := exec.Command(filepath.Join(root, "build", "wherobots-audit"), "render", "--expand", "conf/"+file)
			expand.Dir, expand.Env = root, env
			text, err := expand.Output()
			require.NoError(t, err)
			expanded := filepath.Join(dir, file)
			require.NoError(t, os.WriteFile(expanded, text, 0o600))
			return expanded
		}
	}
	command := func(file string, args ...string) *exec.Cmd {
		cmd := exec.Command(i.path, append([]string{"-c", path(file)}, args...)...)
		cmd.Dir, cmd.Env = root, append(env, required(t, file)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return cmd
	}
	for _, file := range configurations(t) {
		// What counts is what it says: 3.2.10 crashes after that, where an output has not started (azure_logs_ingestion).
		output, _ := command(file, "--dry-run").CombinedOutput()
		require.Contains(t, string(output), "configuration test is successful", file)
		requireNoComplaint(t, string(output))
	}
	r := &rig{host: i.engine, dir: dir}
	cmd := command("fluent-bit.yaml")
	log, err := os.Create(r.path("log"))
	require.NoError(t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	p := launch(t, r, cmd)
	p.until(30*time.Second, "the events", func() bool { return strings.Count(r.log(t), `"event_id"`) >= 20 })
	p.stop()
	return how
}

// reloads has the same process go on with the configuration that is read again.
func reloads(t *testing.T, i installed) string {
	s := newSource(t, past(20)...)
	r := newRig(t, i.engine, s.url)
	stop := s.live(t, 0)
	p := r.start(t)
	started := "checkpoint " + r.path("audit.json")
	p.until(30*time.Second, "the past events", func() bool { return r.lines(t) >= 20 })
	for n := 1; n <= 2; n++ {
		p.signal(syscall.SIGHUP)
		p.until(30*time.Second, "another start of the input", func() bool { return strings.Count(r.log(t), started) > n })
		before := r.lines(t)
		p.until(30*time.Second, "events after the reload", func() bool { return r.lines(t) > before })
	}
	stop()
	p.until(30*time.Second, "every event", func() bool {
		missing, _ := compare(s.Events(), r.records(t, 10_000))
		return len(missing) == 0
	})
	p.stop()
	return "yes"
}
