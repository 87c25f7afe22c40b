package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

// engine is the Fluent Bit that is measured, or the bundled host.
type engine struct {
	program string
	real    bool // Fluent Bit itself
	version string
	plugin  string
}

// findEngine goes by the rule of `make run`: FLUENT_BIT, else the one on the PATH, else the bundled host.
func findEngine(build string) engine {
	e := engine{plugin: filepath.Join(build, "in_wherobots_audit.so")}
	name := os.Getenv("FLUENT_BIT")
	if name == "" {
		name = "fluent-bit"
	}
	if path, err := exec.LookPath(name); err == nil && name != "none" {
		e.program, e.real, e.version = path, true, versionOf(path)
		return e
	}
	e.program = filepath.Join(build, "host")
	return e
}

// engineRun is one way to bring a backfill through the engine.
type engineRun struct {
	title    string
	rows     int
	dense    bool              // all in one window
	settings map[string]string // of the plugin
	exec     bool              // curl and a regular expression instead of the plugin
}

// backfill compares the plugin in the engine with the way that needs no plugin.
func (b *bench) backfill() (string, error) {
	rows := b.plan.backfill
	runs := []engineRun{{title: "this plugin, defaults", rows: rows}}
	if _, err := exec.LookPath("curl"); err == nil && b.engine.real {
		runs = append(runs, engineRun{title: "`exec` with curl, `regex` parser", rows: rows, exec: true})
	}
	results := make([]figures, len(runs))
	for range b.plan.runs {
		for i, r := range runs {
			o, err := b.inEngine(r)
			if err != nil {
				return "", fmt.Errorf("%s: %w", r.title, err)
			}
			results[i] = append(results[i], o)
		}
	}
	if b.plan.runs == 1 { // quick
		return b.backfillTable(runs, results), nil
	}
	others, err := b.once(b.variants())
	if err != nil {
		return "", err
	}
	return b.backfillTable(append(runs, b.variants()...), append(results, others...)), nil
}

// once runs all of these at the same time: they mostly wait for the next second.
func (b *bench) once(runs []engineRun) ([]figures, error) {
	results, errs := make([]figures, len(runs)), make([]error, len(runs))
	var all sync.WaitGroup
	for i, r := range runs {
		all.Go(func() {
			o, err := b.inEngine(r)
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", r.title, err)
			}
			results[i] = figures{o}
		})
	}
	all.Wait()
	return results, errors.Join(errs...)
}

func (b *bench) backfillTable(runs []engineRun, results []figures) string {
	t := newTable(
		"backfill in the engine → `null`", "rows", "CPU s", "CPU s a million rows", "of `exec`",
		"rows/s", "peak MiB",
	)
	for i, r := range runs {
		f, ratio := results[i], ""
		if i < 2 && len(runs) > 1 && runs[1].exec {
			ratio = share(f.over(results[1], cpu))
		}
		t.row(r.title, count(r.rows), fmt.Sprintf("%.2f", f.median(cpu)),
			fmt.Sprintf("%.2f", f.median(cpu)*1e6/float64(r.rows)), ratio,
			fmt.Sprintf("%.0f", float64(r.rows)/f.median(wall)), fmt.Sprintf("%.0f", f.median(peak)))
	}
	t.WriteString("\nUnless all are in one window, the events are spread over ten days, so that the plugin reads " +
		"them in windows of a day and more. The engine takes one batch a second, and a batch holds at most " +
		"`batch_bytes`: as long as the endpoint answers faster, that bounds rows/s (with `commit_on: delivery` also the " +
		"time that deliveries take to show). `exec` reads all in one go, keeps no place and drops nothing that it has " +
		"seen. What has no ratio was measured once, beside the others; with few rows the engine's start and its " +
		"seconds of waiting weigh more, so compare runs of as many rows.\n")
	return t.String()
}

// variants are settings that change the figures.
func (b *bench) variants() []engineRun {
	middle := b.plan.sizes[len(b.plan.sizes)/2]
	return []engineRun{
		{title: "this plugin, defaults", rows: b.plan.sizes[0]},
		{title: "this plugin, `batch_bytes: 2M`", rows: b.plan.sizes[0], settings: map[string]string{"batch_bytes": "2M"}},
		{
			title: "this plugin, `commit_on: delivery`", rows: b.plan.sizes[0],
			settings: map[string]string{"commit_on": "delivery"},
		},
		{title: "this plugin, `schema: ecs`", rows: b.plan.sizes[0], settings: map[string]string{"schema": "ecs"}},
		{title: "this plugin, `schema: ocsf`", rows: b.plan.sizes[0], settings: map[string]string{"schema": "ocsf"}},
		{title: "this plugin, all rows in one window", rows: middle, dense: true},
		{
			title: "the same, `batch_bytes: 32M`", rows: middle, dense: true,
			settings: map[string]string{"batch_bytes": "32M"},
		},
		{
			title: "the same, `batch_bytes: 64M`", rows: middle, dense: true,
			settings: map[string]string{"batch_bytes": "64M"},
		},
	}
}

// inEngine runs the engine until its output has all rows.
func (b *bench) inEngine(r engineRun) (outcome, error) {
	dir, err := os.MkdirTemp(b.scratch, "engine-")
	if err != nil {
		return outcome{}, err
	}
	port, err := loopback.Port()
	if err != nil {
		return outcome{}, err
	}
	cmd, err := b.engineCommand(r, dir, port)
	if err != nil {
		return outcome{}, err
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var result outcome
	err = awaitRecords(port, r.rows, ended)
	result.Wall = time.Since(began).Seconds()
	if err == nil {
		result.Peak, err = memoryOf(cmd.Process.Pid, "VmHWM")
	}
	if err = errors.Join(err, endEngine(cmd, ended)); err != nil {
		return result, fmt.Errorf("%w; log:\n%s", err, log.Bytes())
	}
	result.Rows, result.CPU = r.rows, cpuOf(cmd.ProcessState)
	return result, nil
}

// endEngine asks the engine to end, and makes it if it does not.
func endEngine(cmd *exec.Cmd, ended <-chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-ended:
		return nil
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
		return errors.New("did not end")
	}
}

func (b *bench) engineCommand(r engineRun, dir string, port int) (*exec.Cmd, error) {
	kind := kindDays
	if r.dense {
		kind = kindPlain
	}
	settings := b.settings(dir, port, b.source.endpoint(kind, r.rows))
	settings["end_time"] = b.source.anchor.Add(days).Format(time.RFC3339)
	for key, value := range r.settings {
		settings[key] = value
	}
	if !b.engine.real {
		args := []string{"--plugin", b.engine.plugin, "--http", strconv.Itoa(port), "--out", os.DevNull}
		for key, value := range settings {
			args = append(args, "-p", key+"="+value)
		}
		return exec.Command(b.engine.program, args...), nil
	}
	if r.exec {
		return b.realCommand(dir, port, execConfig(b.source.endpoint(kind, r.rows)+"/audit-log/export"))
	}
	return b.realCommand(dir, port, pluginConfig(settings), "-e", b.engine.plugin)
}

// settings are those that the plugin needs to collect an export.
func (b *bench) settings(dir string, port int, endpoint string) map[string]string {
	return map[string]string{
		"endpoint": endpoint, "api_key": "bench",
		"checkpoint_path": filepath.Join(dir, "checkpoint.json"),
		"start_time":      b.source.anchor.Format(time.RFC3339),
		"engine_url":      fmt.Sprintf("http://127.0.0.1:%d", port),
	}
}

// realCommand runs Fluent Bit with a configuration that follows the service section.
func (b *bench) realCommand(dir string, port int, text string, args ...string) (*exec.Cmd, error) {
	config := filepath.Join(dir, "fluent-bit.yaml")
	text = fmt.Sprintf("service:\n  flush: 1\n  grace: 1\n  log_level: warn\n  http_server: on\n  http_listen: "+
		"127.0.0.1\n  http_port: %d\n  storage.metrics: on\n", port) + text
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return exec.Command(b.engine.program, append(args, "-c", config)...), nil
}

const nullOutput = "  outputs:\n    - name: null\n      match: '*'\n"

func pluginConfig(settings map[string]string) string {
	var b strings.Builder
	b.WriteString("pipeline:\n  inputs:\n    - name: wherobots_audit\n      tag: audit\n")
	for key, value := range settings {
		fmt.Fprintf(&b, "      %s: %q\n", key, value)
	}
	return b.String() + nullOutput
}

// execConfig is the way without a plugin: curl once, a regular expression for the columns.
func execConfig(address string) string {
	var fields []string
	for _, name := range strings.Split(strings.TrimSpace(header), ",") {
		fields = append(fields, `(?<`+name+`>"(?:[^"]|"")*"|[^,]*)`)
	}
	return "parsers:\n  - name: audit\n    format: regex\n    regex: '^" + strings.Join(fields, ",") + "'\n" +
		"    time_key: event_time\n    time_keep: on\n    time_format: '%Y-%m-%dT%H:%M:%S.%LZ'\n" +
		"pipeline:\n  inputs:\n    - name: exec\n      tag: audit\n      oneshot: true\n      parser: audit\n      " +
		"command: curl -s '" + address + "'\n" + nullOutput
}

const (
	recordsPatience = time.Minute // how long the engine may go on without a new record
	recordsInterval = time.Second // between questions: each costs the engine CPU time
)

// awaitRecords waits until the engine's output has rows records.
func awaitRecords(port, rows int, ended <-chan error) error {
	client := http.Client{Timeout: recordsPatience}
	had, since := 0, time.Now()
	for time.Since(since) < recordsPatience {
		select {
		case err := <-ended:
			return fmt.Errorf("ended with %d of %d records: %w", had, rows, errors.Join(err, errors.New("exit")))
		case <-time.After(recordsInterval):
		}
		records, err := outputRecords(&client, port)
		if err == nil && records != had {
			had, since = records, time.Now()
		}
		if had >= rows {
			return nil
		}
	}
	return fmt.Errorf("stopped at %d of %d records", had, rows)
}

// outputRecords is what the engine's only output has delivered.
func outputRecords(client *http.Client, port int) (int, error) {
	answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/api/v1/metrics", port))
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	var metrics struct {
		Output map[string]struct {
			Records int `json:"proc_records"`
		} `json:"output"`
	}
	if err := json.Unmarshal(text, &metrics); err != nil {
		return 0, err
	}
	for _, o := range metrics.Output {
		return o.Records, nil
	}
	return 0, nil
}
