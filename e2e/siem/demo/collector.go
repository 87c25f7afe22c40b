package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// startCollector runs the plugin in the Fluent Bit that FLUENT_BIT names or the PATH has, else in the bundled host.
func (d *demo) startCollector(ctx context.Context) error {
	addresses, err := loopback.Addresses(1)
	if err != nil {
		return err
	}
	_, monitoring, err := net.SplitHostPort(addresses[0])
	if err != nil {
		return err
	}
	path, why := engine()
	if path == "" {
		fmt.Println("demo: the bundled host:", why)
		return d.startHost(ctx, monitoring)
	}
	fmt.Println("demo:", path, "with conf/victorialogs.yaml")
	return d.startEngine(path, monitoring)
}

// engine is a Fluent Bit that can read the shipped configurations, or why there is none.
func engine() (path, why string) {
	name := os.Getenv("FLUENT_BIT")
	if name == "" {
		name = "fluent-bit"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", "there is no " + name
	}
	output, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", err.Error()
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(string(output), "Fluent Bit v%d.%d.%d", &major, &minor, &patch); err != nil {
		return "", path + " does not say its version"
	}
	if major < 5 || major == 5 && minor == 0 && patch < 6 {
		return "", fmt.Sprintf("the configurations need Fluent Bit 5.0.6, %s is %d.%d.%d", path, major, minor, patch)
	}
	return path, ""
}

// startEngine runs it with the shipped file; only polls come more often, so that there is something to see.
func (d *demo) startEngine(path, monitoring string) error {
	dir := d.folder("fluent-bit")
	shipped, err := os.ReadFile(filepath.Join("conf", "victorialogs.yaml"))
	if err != nil {
		return err
	}
	const before = "      start_time:"
	if !bytes.Contains(shipped, []byte(before)) {
		return errors.New("conf/victorialogs.yaml has no start_time")
	}
	config := filepath.Join(dir, "victorialogs.yaml")
	text := strings.Replace(string(shipped), before, "      poll_interval: 5s\n"+before, 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	plugin, err := filepath.Abs(filepath.Join(d.build, "in_wherobots_audit.so"))
	if err != nil {
		return err
	}
	plugins := filepath.Join(dir, "plugins.conf")
	if err := os.WriteFile(plugins, []byte("[PLUGINS]\n    Path "+plugin+"\n"), 0o600); err != nil {
		return err
	}
	command := exec.Command(path, "-c", config)
	command.Env = append(environment(), "WHEROBOTS_API_KEY=simulated", "WHEROBOTS_ENDPOINT="+d.endpoint.URL(),
		"WHEROBOTS_START_TIME=-1d", "WHEROBOTS_STATE_DIR="+dir, "WHEROBOTS_PLUGINS_FILE="+plugins,
		"FLUENT_BIT_HTTP_PORT="+monitoring, "VICTORIALOGS_HOST="+d.store.Host(), "VICTORIALOGS_PORT="+d.store.Port(),
		"VICTORIALOGS_TLS=off")
	d.collector, err = siem.Launch(dir, "", command)
	return err
}

// startHost runs the bundled host, which writes a file, and sends what it writes.
func (d *demo) startHost(ctx context.Context, monitoring string) error {
	dir := d.folder("host")
	out := filepath.Join(dir, "records")
	command := exec.Command(filepath.Join(d.build, "host"), "--plugin", filepath.Join(d.build, "in_wherobots_audit.so"),
		"--out", out, "--storage-path", d.folder("host/storage"), "--deliver-after-ms", "200", "--http", monitoring,
		"--input", "audit", "-p", "engine_url=http://127.0.0.1:"+monitoring, "-p", "endpoint="+d.endpoint.URL(),
		"-p", "checkpoint_path="+filepath.Join(dir, "checkpoint.json"), "-p", "poll_interval=5s",
		"-p", "start_time=-1d", "-p", "status_events=on")
	command.Env = append(environment(), "WHEROBOTS_API_KEY=simulated")
	var err error
	if d.collector, err = siem.Launch(dir, "", command); err != nil {
		return err
	}
	go d.send(ctx, out)
	return nil
}

// send reads a growing file of JSON lines, and sends what is new to VictoriaLogs until ctx ends.
func (d *demo) send(ctx context.Context, path string) {
	var offset int64
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
		lines, err := grown(path, offset)
		if err != nil || len(lines) == 0 {
			continue // it is not there yet
		}
		if err := d.store.Insert("_stream_fields=app&extra_fields=app=wherobots_audit", named(lines)); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err) // and again with the next lines
			continue
		}
		offset += int64(len(lines))
	}
}

// grown returns the whole lines of a file behind an offset.
func grown(path string, offset int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, offset, 1<<62))
	return text[:bytes.LastIndexByte(text, '\n')+1], err
}

// named gives each record the fields that VictoriaLogs calls time and message.
func named(lines []byte) []byte {
	var all bytes.Buffer
	encoder := json.NewEncoder(&all)
	for line := range bytes.Lines(lines) {
		var record map[string]any
		if json.Unmarshal(line, &record) != nil {
			continue // not written whole when it was killed
		}
		delete(record, "date")
		record["_time"], record["_msg"] = record["event_time"], record["action_name"]
		if record["_msg"] == nil {
			record["_msg"] = record["message"]
		}
		_ = encoder.Encode(record) // a map that was decoded can be encoded
	}
	return all.Bytes()
}

// environment is this process's without the settings of another collector: a second credential would be refused.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "WHEROBOTS_")
	})
}
