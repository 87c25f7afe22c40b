// Package rules says what in a configuration of Fluent Bit breaks or weakens what the plugin promises: docs/design.md
// and docs/host.md say why. One rule is one function.
package rules

import (
	"fmt"
	"strings"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// PluginName is what inputs of this plugin have as their name.
const PluginName = "wherobots_audit"

// Level says how bad a finding is.
type Level string

const (
	Error   Level = "error"   // it does not work, or events can be lost
	Warning Level = "warning" // it works, but less well than it could
	Note    Level = "note"    // worth knowing
	OK      Level = "ok"      // looked at, and good
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Level Level  `json:"level"`
	Rule  string `json:"rule"`
	Place string `json:"place,omitempty"`
	Text  string `json:"text"`
}

// Input is one input of this plugin, as it is configured.
type Input struct {
	Section fluentconf.Section
	Config  config.Config
	Sound   bool   // Config has no errors
	Name    string // the alias, or what the engine calls it
	Tag     string
	Outputs []fluentconf.Section // those that take its tag

	meant []fluentconf.Section // Outputs, or those that may become it once match is put right
	errs  error                // of Config
}

// subject is what rules look at.
type subject struct {
	*fluentconf.Configuration
	inputs   []*Input
	findings []Finding
	rule     string
}

func (s *subject) say(level Level, at fluentconf.Place, format string, args ...any) {
	s.findings = append(s.findings, Finding{level, s.rule, at.String(), fmt.Sprintf(format, args...)})
}

// lossy is the level of what loses events with commit_on handoff, and only repeats them with delivery.
func lossy(in *Input) Level {
	if in.Config.CommitOn == config.CommitDelivery {
		return Warning
	}
	return Error
}

// all are the rules, in the order of their findings.
var all = []struct {
	name  string
	about string // what breaks it, for the documentation
	check func(*subject)
}{
	{"input", "no input is of this plugin", hasInput},
	{"daemon", "`daemon` is on: a shared object of Go does not survive it", noDaemon},
	{"key", "a key that neither the plugin nor Fluent Bit knows, or that is set twice", eachInput(knownKeys)},
	{"value", "a value that is refused or warned of at start", eachInput(values)},
	{"variable", "a variable without value and default", variables},
	{"plugins", "`plugins_file`, or a shared object that it names, is not there", plugins},
	{"credential-file", "the file of the credential is not there yet: the plugin waits for it", eachInput(credentialFile)},
	{"storage-type", "chunks are in memory: `storage.type` is not filesystem", eachInput(storageType)},
	{"storage-path", "filesystem storage without `storage.path`", eachInput(storagePath)},
	{"mem-buf-limit", "`mem_buf_limit` pauses an input", memBufLimit},
	{
		"engine-api", "`http_server` or `storage.metrics` is off; with `exit_when_complete` the end may never be seen then",
		eachInput(engineAPI),
	},
	{"engine-url", "`engine_url` names another port or address than `http_port` and `http_listen`", eachInput(engineURL)},
	{"status-listen", "`status_listen` has the port of `http_port`: Fluent Bit does not start", eachInput(statusListen)},
	{"checkpoint", "two inputs have one checkpoint", oneCheckpointEach},
	{"turns", "`min_request_interval` leaves no room for a request of each input in a `poll_interval`", requestTurns},
	{"batches", "many inputs with large batches: the memory of all their histories at once", batchesTogether},
	{"match", "no output takes the input's tag", eachInput(someOutput)},
	{"retry-limit", "an output gives up: `retry_limit` is not no_limits", eachInput(retryLimit)},
	{"total-limit", "`storage.total_limit_size` throws the oldest events away", eachInput(totalLimit)},
	{"emitter", "`rewrite_tag` or `multiline` keeps what it emits in memory", eachInput(emitters)},
	{"emitted-tag", "no output takes the tag that `rewrite_tag` gives", eachInput(emittedTags)},
	{"event-id", "a filter or processor removes `event_id`, without which copies cannot be told", eachInput(eventID)},
	{
		"acknowledgement", "an output (`kafka`, `syslog`, `tcp`, `gelf`, `nats`, `forward` without `require_ack_response`) " +
			"does not wait until the destination has the events", eachInput(acknowledgement),
	},
	{"kafka", "librdkafka may drop what the output `kafka` has counted as delivered", eachInput(kafka)},
}

// Names are all rules.
func Names() (names []string) {
	for _, r := range all {
		names = append(names, r.name)
	}
	return names
}

// Table is all rules in Markdown, for the documentation.
func Table() string {
	var b strings.Builder
	b.WriteString("| rule | finds |\n|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.name, r.about)
	}
	return b.String()
}

// Check applies all rules. getenv is the environment of the engine.
func Check(c *fluentconf.Configuration, parse func(func(string) string) (config.Config, error)) ([]*Input, []Finding) {
	s := &subject{Configuration: c, inputs: inputs(c, parse)}
	for _, in := range s.inputs {
		in.meant = meantOutputs(s, in)
	}
	for _, r := range all {
		s.rule = r.name
		r.check(s)
	}
	return s.inputs, s.findings
}

// inputs finds those of this plugin.
func inputs(c *fluentconf.Configuration, parse func(func(string) string) (config.Config, error)) (found []*Input) {
	outputs := c.Of("output")
	all := c.Of("input")
	for _, section := range all {
		if !strings.EqualFold(section.Get("name"), PluginName) {
			continue
		}
		in := &Input{Section: section, Name: fmt.Sprintf("%s.%d", PluginName, len(found))}
		in.Tag = in.Name
		if tag := section.Get("tag"); tag != "" {
			in.Tag = tag
		}
		if alias := section.Get("alias"); alias != "" {
			in.Name = alias
		}
		in.Config, in.errs = parse(section.Get)
		in.Sound = in.errs == nil
		_, routed := section.Find("routes") // its conditions are the engine's business
		for _, output := range outputs {
			// An output without a match takes all of the only input; with storage.path, chunks of an earlier run are another
			// input (seen with 3.2.10 and 5.1.1).
			alone := len(all) == 1 && len(outputs) == 1 && c.Service.Get("storage.path") == ""
			matches := output.Get("match") != "" || output.Get("match_regex") != ""
			if routed || alone && !matches || output.Takes(in.Tag) {
				in.Outputs = append(in.Outputs, output)
			}
		}
		found = append(found, in)
	}
	return found
}

// eachInput makes a rule of one that looks at a single input.
func eachInput(check func(*subject, *Input)) func(*subject) {
	return func(s *subject) {
		for _, in := range s.inputs {
			check(s, in)
		}
	}
}
