package e2e

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// host is a program that loads the shared object.
type host interface {
	name() string
	// command returns the process for a run, which may write into r.dir.
	command(t *testing.T, r *rig) *exec.Cmd
	// parse reads one line of the output file.
	parse(line []byte) (record, error)
}

// rig is everything a host needs for one test: where it keeps its files, the
// instances and how records are stored. A restart uses the same rig.
type rig struct {
	host    host
	dir     string
	inputs  []map[string]string
	memory  bool          // memory storage instead of filesystem
	port    int           // of the monitoring API; 0 = none
	logFile bool          // the engine's log goes to a file of its own
	flags   []string      // of the bundled host
	sink    *refusingSink // where a real engine delivers to instead of the file
}

// newRig has one instance with the settings that every test wants: fast polls,
// and a checkpoint of its own.
func newRig(t *testing.T, h host, endpoint string) *rig {
	t.Helper()
	r := &rig{host: h, dir: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "storage"), 0o700))
	r.add("audit", map[string]string{"endpoint": endpoint, "api_key": testKey})
	return r
}

// add puts in another instance.
func (r *rig) add(alias string, settings map[string]string) {
	input := map[string]string{
		"alias":              alias,
		"poll_interval":      "1s",
		"overlap":            "30s",
		"retry_max_interval": "1s",
		"start_time":         "-2d",
		"checkpoint_path":    filepath.Join(r.dir, alias+".json"),
	}
	for key, value := range settings {
		input[key] = value
	}
	r.inputs = append(r.inputs, input)
}

// set changes settings of the first instance; an empty value takes one out.
func (r *rig) set(pairs ...string) *rig {
	for n := 0; n < len(pairs); n += 2 {
		if r.inputs[0][pairs[n]] = pairs[n+1]; pairs[n+1] == "" {
			delete(r.inputs[0], pairs[n])
		}
	}
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// bundled is e2e/host.
type bundled struct{ path string }

func (bundled) name() string { return "bundled" }

func (b bundled) command(_ *testing.T, r *rig) *exec.Cmd {
	args := []string{"--plugin", plugin, "--out", r.path("out"), "--log-level", "4"}
	if !r.memory {
		args = append(args, "--storage-path", r.path("storage"))
	}
	if r.port != 0 {
		args = append(args, "--http", strconv.Itoa(r.port))
	}
	args = append(args, r.flags...)
	for _, input := range r.inputs {
		args = append(args, "--input", input["alias"])
		for key, value := range input {
			if key != "alias" {
				args = append(args, "-p", key+"="+value)
			}
		}
	}
	return exec.Command(b.path, args...)
}

// engine is a real Fluent Bit.
type engine struct{ path string }

func (engine) name() string { return "fluent-bit" }

func (e engine) command(t *testing.T, r *rig) *exec.Cmd {
	t.Helper()
	service := map[string]any{
		"flush":        0.5,
		"grace":        5,
		"log_level":    "debug",
		"storage.path": r.path("storage"),
		"hot_reload":   "on",
	}
	if r.port != 0 {
		service["http_server"] = "on"
		service["http_listen"] = "127.0.0.1"
		service["http_port"] = r.port
		service["storage.metrics"] = "on"
	}
	if r.logFile {
		service["log_file"] = r.path("engine.log")
	}
	var inputs []any
	for _, settings := range r.inputs {
		input := map[string]any{"name": "wherobots_audit", "storage.type": "filesystem"}
		if r.memory {
			input["storage.type"] = "memory"
		}
		for key, value := range settings {
			input[key] = value
		}
		inputs = append(inputs, input)
	}
	output := map[string]any{"name": "file", "match": "*", "path": r.dir, "file": "out", "retry_limit": "no_limits"}
	if r.sink != nil {
		r.sink.writeTo(r.path("out"))
		where, err := url.Parse(r.sink.url)
		require.NoError(t, err)
		output = map[string]any{
			"name": "http", "match": "*", "host": where.Hostname(), "port": where.Port(), "format": "json_lines", "retry_limit": "no_limits",
		}
		service["scheduler.base"], service["scheduler.cap"] = 1, 2
	}
	config := map[string]any{"service": service, "pipeline": map[string]any{"inputs": inputs, "outputs": []any{output}}}
	text, err := yaml.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.path("fluent-bit.yaml"), text, 0o600))
	return exec.Command(e.path, "-e", plugin, "-c", r.path("fluent-bit.yaml"))
}
