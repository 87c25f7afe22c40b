package e2e

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
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
	plugin  string        // the shared object; "" = the one that was built
	memory  bool          // memory storage instead of filesystem
	port    int           // of the monitoring API; 0 = none
	logFile bool          // the engine's log goes to a file of its own
	flags   []string      // of the bundled host
	env     []string      // of the process
	sink    *refusingSink // where a real engine delivers to instead of the file
	pipeline
}

// pipeline is what lies behind the inputs; its zero value is one output that takes
// everything. Both hosts have it.
type pipeline struct {
	filters       []filter
	emitterOnDisk bool
	outputs       []output
}

// filter is grep, which drops, or rewrite_tag, which re-emits records as
// "siem.audit". It applies to actions whose name contains text; "" is all of them.
type filter struct{ name, text string }

// output is a destination for tags that fit match, here with the tag "audit" and
// with what filters make of it.
type output struct {
	name, match string
	refuses     bool // every delivery, to be tried again
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

func (r *rig) so() string { return cmp.Or(r.plugin, plugin) }

func (bundled) name() string { return "bundled" }

func (b bundled) command(_ *testing.T, r *rig) *exec.Cmd {
	args := []string{"--plugin", r.so(), "--out", r.path("out"), "--log-level", "4"}
	args = append(args, "--deliver-after-ms", "100") // as a real engine's flush lets chunks wait
	if !r.memory {
		args = append(args, "--storage-path", r.path("storage"))
	}
	if r.port != 0 {
		args = append(args, "--http", strconv.Itoa(r.port))
	}
	args = append(args, b.pipeline(r.pipeline)...)
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

// pipeline returns the flags for it.
func (bundled) pipeline(p pipeline) []string {
	var args []string
	for _, f := range p.filters {
		args = append(args, map[string]string{"grep": "--grep", "rewrite_tag": "--rewrite"}[f.name], f.text)
	}
	if p.emitterOnDisk {
		args = append(args, "--emitter-on-disk")
	}
	for _, o := range p.outputs {
		text := o.name + ",match=" + o.match
		if o.refuses {
			text += ",refuse=1"
		}
		args = append(args, "--output", text)
	}
	return args
}

// engine is a real Fluent Bit.
type engine struct{ path string }

func (engine) name() string { return "fluent-bit" }

func (e engine) command(t *testing.T, r *rig) *exec.Cmd {
	t.Helper()
	service := e.service(r)
	config := map[string]any{"service": service, "pipeline": map[string]any{
		"inputs": e.inputs(r), "filters": e.filters(r.pipeline), "outputs": e.outputs(t, r, service),
	}}
	text, err := yaml.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.path("fluent-bit.yaml"), text, 0o600))
	return exec.Command(e.path, "-e", r.so(), "-c", r.path("fluent-bit.yaml"))
}

func (engine) service(r *rig) map[string]any {
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
	return service
}

func (engine) inputs(r *rig) []any {
	var inputs []any
	for _, settings := range r.inputs {
		input := map[string]any{"name": "wherobots_audit", "storage.type": "filesystem"}
		if len(r.outputs) > 0 || len(r.filters) > 0 {
			input["tag"] = settings["alias"]
		}
		if r.memory {
			input["storage.type"] = "memory"
		}
		for key, value := range settings {
			input[key] = value
		}
		inputs = append(inputs, input)
	}
	return inputs
}

func (engine) filters(p pipeline) []any {
	filters := []any{}
	for _, f := range p.filters {
		settings := map[string]any{"name": f.name, "match": "audit"}
		if f.name == "grep" {
			settings["exclude"] = "action_name " + cmp.Or(f.text, ".")
		} else {
			settings["rule"] = "$action_name " + cmp.Or(f.text, ".") + " siem.audit false"
		}
		if f.name == "rewrite_tag" && p.emitterOnDisk {
			settings["emitter_storage.type"] = "filesystem"
		}
		filters = append(filters, settings)
	}
	return filters
}

// outputs may change how soon the service tries again.
func (e engine) outputs(t *testing.T, r *rig, service map[string]any) []any {
	t.Helper()
	file := map[string]any{"name": "file", "match": "*", "path": r.dir, "file": "out", "retry_limit": "no_limits"}
	if r.sink == nil && len(r.outputs) == 0 {
		return []any{file}
	}
	service["scheduler.base"], service["scheduler.cap"] = 1, 2
	if r.sink != nil {
		r.sink.writeTo(r.path("out"))
		match := "*"
		if len(r.outputs) > 0 {
			match = r.outputs[0].match
		}
		return []any{e.post(t, r.sink, match)}
	}
	var outputs []any
	for _, o := range r.outputs {
		one := maps.Clone(file)
		if o.refuses {
			one = e.post(t, newRefusingSink(t, 1), "")
		}
		one["alias"], one["match"] = o.name, o.match
		outputs = append(outputs, one)
	}
	return outputs
}

func (engine) post(t *testing.T, sink *refusingSink, match string) map[string]any {
	t.Helper()
	where, err := url.Parse(sink.url)
	require.NoError(t, err)
	return map[string]any{
		"name": "http", "match": match, "host": where.Hostname(), "port": where.Port(), "format": "json_lines",
		"retry_limit": "no_limits",
	}
}

// figures reads the engine's figures, all of one moment, by name and labels; empty
// if there are none yet.
func (r *rig) figures() map[string]string {
	figures := map[string]string{}
	text := get("http://127.0.0.1:" + strconv.Itoa(r.port) + "/api/v2/metrics/prometheus")
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			figures[strings.TrimPrefix(name, "fluentbit_")] = value
		}
	}
	return figures
}

// chunkFiles returns the length of the content of each chunk file, by its name in
// the storage path; -1 = not even a header.
func (r *rig) chunkFiles(t *testing.T) map[string]int {
	t.Helper()
	names, err := filepath.Glob(r.path("storage/*/*.flb"))
	require.NoError(t, err)
	files := map[string]int{}
	for _, name := range names {
		short := strings.TrimPrefix(name, r.path("storage")+"/")
		data, err := os.ReadFile(name)
		switch {
		case os.IsNotExist(err): // delivered meanwhile
		case len(data) < 24:
			files[short] = -1
		default:
			files[short] = int(binary.BigEndian.Uint32(data[10:14]))
		}
	}
	return files
}

// before reports whether this is an engine before major.minor; the bundled host is
// like the newest.
func before(h host, major, minor int) bool {
	var itsMajor, itsMinor int
	_, err := fmt.Sscanf(engineVersion, "%d.%d", &itsMajor, &itsMinor)
	return h != hosts[0] && err == nil && (itsMajor < major || itsMajor == major && itsMinor < minor)
}

// The figures of one input and of the emitter of its filter.
const (
	inputRecords   = `input_records_total{name="audit"}`
	emitterRecords = `input_records_total{name="emitter_for_rewrite_tag.0"}`
	unmatchedDrops = `routing_logs_drop_records_total{input="audit",output="unmatched"}`
)

var (
	takesAll   = []output{{name: "siem", match: "*"}}
	refusesAll = []output{{name: "siem", match: "*", refuses: true}}
)

// figuresOfHosts are what the engine tells in situations that the rules of hand-over rest on.
var figuresOfHosts = map[string]struct {
	pipeline
	memory bool
	routes bool // tells figures that are there from 4.2
	want   map[string]string
}{
	"delivered": {pipeline: pipeline{outputs: takesAll}, want: map[string]string{
		inputRecords: "50", `output_proc_records_total{name="siem"}`: "50", "storage_chunks": "0",
	}},
	"delivered, by input": {pipeline: pipeline{outputs: takesAll}, routes: true, want: map[string]string{
		`routing_logs_records_total{input="audit",output="siem"}`: "50", unmatchedDrops: "",
	}},
	"refused, on disk": {pipeline: pipeline{outputs: refusesAll}, want: map[string]string{
		inputRecords: "50", `output_proc_records_total{name="siem"}`: "0", "storage_fs_chunks": "1",
		"storage_mem_chunks":                        "0",
		`output_dropped_records_total{name="siem"}`: "0",
	}},
	"refused, in memory": {pipeline: pipeline{outputs: refusesAll}, memory: true, want: map[string]string{
		inputRecords: "50", "storage_fs_chunks": "0", "storage_mem_chunks": "1",
	}},
	"no output matches": {pipeline: pipeline{outputs: []output{{name: "siem", match: "other"}}}, want: map[string]string{
		inputRecords: "50", `output_proc_records_total{name="siem"}`: "0", "storage_chunks": "0",
	}},
	"no output matches, said": {
		pipeline: pipeline{outputs: []output{{name: "siem", match: "other"}}}, routes: true,
		want: map[string]string{unmatchedDrops: "50"},
	},
	"one of two outputs refuses": {
		pipeline: pipeline{outputs: []output{{name: "siem", match: "*"}, {name: "archive", match: "a*", refuses: true}}},
		want: map[string]string{
			`output_proc_records_total{name="siem"}`: "50", `output_proc_records_total{name="archive"}`: "0",
			"storage_chunks": "1",
		},
	},
	"dropped by a filter": {pipeline: pipeline{
		filters: []filter{{name: "grep"}}, outputs: takesAll,
	}, want: map[string]string{
		inputRecords: "50", `filter_drop_records_total{name="grep.0"}`: "50", "storage_chunks": "0",
		`output_proc_records_total{name="siem"}`: "0",
	}},
	"re-emitted, the emitter in memory": {
		pipeline: pipeline{
			filters: []filter{{name: "rewrite_tag"}},
			outputs: []output{{name: "siem", match: "siem.*", refuses: true}},
		},
		want: map[string]string{
			inputRecords: "50", emitterRecords: "50", `filter_drop_records_total{name="rewrite_tag.0"}`: "50",
			`filter_emit_records_total{name="rewrite_tag.0"}`: "50", "storage_fs_chunks": "0", "storage_mem_chunks": "1",
		},
	},
	"re-emitted, the emitter on disk": {
		pipeline: pipeline{
			filters: []filter{{name: "rewrite_tag"}}, emitterOnDisk: true,
			outputs: []output{{name: "siem", match: "siem.*", refuses: true}},
		},
		want: map[string]string{
			inputRecords: "50", emitterRecords: "50", "storage_fs_chunks": "1", "storage_mem_chunks": "0",
		},
	},
}

// What the engine's figures say of fifty records in one batch, by what lies behind
// the input. "" = there is no such figure. Whatever is concluded from such figures
// rests on this.
func TestFiguresOfHosts(t *testing.T) {
	t.Parallel()
	for name, c := range figuresOfHosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				if c.routes && before(h, 4, 2) {
					t.Skip("figures of routes are there from 4.2")
				}
				s := newSource(t, past(50)...)
				r := newRig(t, h, s.url).set("start_time", "-7h", "commit_on", "handoff")
				r.pipeline, r.memory, r.port = c.pipeline, c.memory, freePort(t)
				r.set("engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
				if h == hosts[0] {
					r.flags = []string{"--tag", "audit", "--grace-ms", "0"}
				}
				p := r.start(t)
				var last map[string]string
				p.until(15*time.Second, "the figures", func() bool {
					last = r.figures()
					return len(last) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(c.want)), func(figure string) bool {
						return last[figure] != c.want[figure]
					})
				})
				p.kill()
			})
		})
	}
}

// A disk that is full takes records away after they were counted, and leaves empty
// chunks that stay; with room again, later records arrive.
func TestBundledHostWithAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(50)...)
	r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", "handoff")
	r.port = freePort(t)
	limit := r.path("limit")
	require.NoError(t, os.WriteFile(limit, []byte("5000"), 0o600)) // a header fits, fifty records do not
	r.flags = []string{"--storage-limit", "@" + limit}
	p := r.start(t)
	var figures map[string]string
	p.until(10*time.Second, "counted records and the error", func() bool {
		figures = r.figures()
		return figures[`input_records_total{name="audit"}`] == "50" &&
			figures[`logger_logs_total{message_type="error"}`] != "0"
	})
	require.Equal(t, "1", figures["storage_chunks"], "the empty chunk")
	require.Equal(t, "0", figures[`output_proc_records_total{name="stdout.0"}`])
	require.Equal(t, []int{0}, slices.Collect(maps.Values(r.chunkFiles(t))), "content of the chunk file")

	require.NoError(t, os.WriteFile(limit, []byte("4096"), 0o600)) // not even a header
	s.Add(late(s, 1)...)
	p.until(10*time.Second, "a file without a header", func() bool {
		return slices.Contains(slices.Collect(maps.Values(r.chunkFiles(t))), -1)
	})
	require.Equal(t, "50", r.figures()[`input_records_total{name="audit"}`], "records without a chunk are not counted")

	require.NoError(t, os.WriteFile(limit, []byte("1000000"), 0o600))
	s.Add(late(s, 2)...)
	p.until(10*time.Second, "later records", func() bool { return r.lines(t) > 0 })
	// A chunk is counted until it is let go, which is after its records are written.
	p.until(10*time.Second, "the empty chunk alone", func() bool { return r.figures()["storage_chunks"] == "1" })
	p.kill()
}

// late returns n further events that happen now.
func late(s *source, n int) []exportertest.Event {
	return exportertest.Generate(int64(len(s.Events())), n, time.Now().Add(-time.Second), time.Now())
}

// A main thread that is slow leaves what was handed over in the ring for so long;
// and a chunk that is refused for good counts as an error and is not tried again.
func TestBundledHostThatIsSlowOrRefusesForGood(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(50)...)
	r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", "handoff")
	r.port = freePort(t)
	r.flags = []string{"--write-delay-ms", "3000", "--reject", s.Events()[7].ID}
	p := r.start(t)
	p.until(10*time.Second, "a request", func() bool { return len(s.Requests()) > 0 })
	asked := time.Now()
	var figures map[string]string
	p.until(15*time.Second, "the refusal", func() bool {
		figures = r.figures()
		return figures[`output_dropped_records_total{name="stdout.0"}`] == "50" &&
			figures[`output_errors_total{name="stdout.0"}`] != "0"
	})
	require.Greater(t, time.Since(asked), 2900*time.Millisecond, "2.3 s at most without the delay")
	require.Equal(t, "1", figures[`output_errors_total{name="stdout.0"}`])
	require.Equal(t, "0", figures[`output_retries_total{name="stdout.0"}`])
	require.Zero(t, r.lines(t))
	p.kill()
}

// Chunks in memory pause the input at the limit; what is in the ring meanwhile is
// kept, and arrives.
func TestBundledHostPausesAtItsLimit(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(3000)...)
	// With handoff, since delivery hands over one batch until something is proven.
	r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", "handoff", "batch_bytes", "100K")
	r.port, r.memory = freePort(t), true
	r.set("engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
	r.flags = []string{"--mem-buf-limit", "50000", "--ring-ms", "2500", "--down-ms", "9000"}
	p := r.start(t)
	p.until(9*time.Second, "a pause with a batch in the ring", func() bool {
		figures := r.figures()
		writes, _ := strconv.Atoi(figures[`input_ring_buffer_writes_total{name="audit"}`])
		return writes > 1 && figures[`input_ingestion_paused{name="audit"}`] == "1"
	})
	written, err := strconv.Atoi(r.figures()[`input_bytes_total{name="audit"}`])
	require.NoError(t, err)
	require.Less(t, written, 110_000, "bytes: one batch, the others are in the ring")
	p.until(60*time.Second, "every event", func() bool { return r.lines(t) >= 3000 })
	require.True(t, p.logged("audit resume (mem buf overlimit)")())
	p.stop()
	requireEach(t, s.Events(), r.records(t, 0))
}

// An append to a full ring is tried for a second and then lost; the engine says so
// in one figure.
func TestBundledHostWithAFullRing(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(3000)...)
	r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", "handoff", "batch_bytes", "100K")
	r.port = freePort(t)
	r.flags = []string{"--ring-capacity", "1", "--ring-ms", "5000"}
	p := r.start(t)
	p.until(15*time.Second, "an append that is given up", func() bool {
		return r.figures()[`input_ring_buffer_retry_failures_total{name="audit"}`] == "1"
	})
	require.True(t, p.logged("could not enqueue records into the ring buffer")())
	p.kill()
}

// Where chunks are and what their files look like: below the instance's name, not
// its alias, with the length of the content in the header.
func TestChunkFilesOfHosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filters []filter
		stream  string
	}{
		"of the input":  {nil, "wherobots_audit.0"},
		"of an emitter": {[]filter{{name: "rewrite_tag"}}, "emitter.2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s := newSource(t, past(50)...)
				r := newRig(t, h, s.url).set("start_time", "-7h", "commit_on", "handoff")
				r.filters, r.emitterOnDisk = c.filters, true
				r.outputs = []output{{name: "siem", match: "*", refuses: true}}
				p := r.start(t)
				var file string
				p.until(10*time.Second, "a file with content", func() bool {
					for name, length := range r.chunkFiles(t) {
						if length > 0 && strings.HasPrefix(name, c.stream+"/") {
							file = name
						}
					}
					return file != ""
				})
				p.kill()
				data, err := os.ReadFile(r.path("storage/" + file))
				require.NoError(t, err)
				content := data[24+binary.BigEndian.Uint16(data[22:]):][:binary.BigEndian.Uint32(data[10:])]
				require.Equal(t, byte(0x92), content[0], "begins with an event")
				for _, e := range s.Events() {
					require.Contains(t, string(content), e.ID)
				}
			})
		})
	}
}
