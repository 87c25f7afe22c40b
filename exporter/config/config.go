// Package config reads the settings of one [INPUT] section, and says of each wrong value what is allowed.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Config is what one [INPUT] section says. ParseConfig makes it; a Config made by hand is not checked.
type Config struct {
	Endpoint *url.URL // base URL, without trailing slash

	Credentials       source.Credentials
	CredentialExpires time.Time // zero = not known

	SearchTerm string
	Start      Start
	End        time.Time // zero = never stop

	ExitWhenComplete bool // with End: the process ends when all is delivered

	PollInterval     time.Duration
	Overlap          time.Duration
	MaxWindow        time.Duration
	RequestTimeout   time.Duration
	RetryMaxInterval time.Duration
	StalledAfter     time.Duration

	MinRequestInterval time.Duration // zero = none

	StatusListen string // host:port; "" = nobody is answered

	CheckpointPath string // absolute
	Standby        bool   // checkpoint_lock wait
	CommitOn       CommitOn
	EngineURL      *url.URL // base URL of Fluent Bit's monitoring API; CommitHandoff asks it too, but does without
	EngineInput    string   // name of this instance there; empty = found by itself
	BatchBytes     int
	Schema         schema.Name
	Organization   schema.Organization

	Pseudonymize        []string // of pseudonym.Columns; none = events are forwarded as they are
	PseudonymizeKeyFile string

	TLSCAFile   string
	TLSVerify   bool
	TLSCertFile string
	TLSKeyFile  string
	Proxy       source.Proxy

	ReconcileInterval     time.Duration // zero = never
	DeepReconcileInterval time.Duration // likewise
	StatusInterval        time.Duration // likewise
	ReconcileWindow       time.Duration
	CountCheck            bool // count_check auto
	StatusEvents          bool

	fineOCSF bool   // ocsf_class fine
	given    string // see Given
}

// CommitOn says when the checkpoint may pass a batch, the setting commit_on.
type CommitOn string

const (
	CommitHandoff  CommitOn = "handoff"  // the engine wrote it into its storage
	CommitDelivery CommitOn = "delivery" // every output has it
)

// Safe is what becomes of events before they count.
func (on CommitOn) Safe() string {
	if on == CommitDelivery {
		return "delivered"
	}
	return "handed over"
}

// Rule completes "the checkpoint passes events", and says why so.
func (on CommitOn) Rule() string {
	if on == CommitDelivery {
		return "when every output has delivered them, since an output may drop what is stored"
	}
	return "when Fluent Bit has stored or delivered them, since a restart finds them there"
}

// Parse reads the settings through get, which returns "" for what is not set. All that is wrong is in the
// error, a line each: the key, the value (never a secret's) and what is allowed. Files that settings name are
// read once, so that a mistyped path is told at start.
func Parse(get func(key string) string) (Config, error) { return parseConfig(get, os.Getenv) }

// parseConfig lets tests bring an environment of their own.
func parseConfig(get, getenv func(string) string) (Config, error) {
	p := parser{given: make(map[string]string), bad: make(map[string]bool)}
	for _, s := range settings {
		p.read(s, get(s.key))
	}
	p.credential(getenv)
	p.way()
	p.pseudonyms()
	p.times()
	p.addresses()
	p.reconciliation()
	p.ocsfClass()
	p.cfg.given = p.changed()
	return p.cfg, errors.Join(p.errs...)
}

// parser collects everything that is wrong.
type parser struct {
	cfg   Config
	given map[string]string // what was set, by key
	bad   map[string]bool   // keys whose value was refused
	errs  []error
}

// changed spells the settings that are not as they are by default, in the order of the table.
func (p *parser) changed() string {
	var list []string
	for _, s := range settings {
		value := p.given[s.key]
		switch {
		case value == "" || value == s.standard:
		case s.hidden:
			list = append(list, s.key+" ***")
		default:
			list = append(list, s.key+" "+s.shown(value))
		}
	}
	if len(list) == 0 {
		return "none differs from its default"
	}
	return strings.Join(list, ", ") + "; the others have their defaults"
}

// read applies the default, then what was given.
func (p *parser) read(s setting, value string) {
	if s.standard != "" {
		if err := s.set(&p.cfg, s.standard); err != nil {
			panic("default of " + s.key + ": " + err.Error()) // cannot happen: TestDefaults parses every default
		}
	}
	if s.key != "search_term" { // spaces may be what is searched for
		value = strings.TrimSpace(value)
	}
	if value == "" {
		return
	}
	p.given[s.key] = value
	if err := s.set(&p.cfg, value); err != nil {
		p.refuse(s.key, s.shown(value), "%s", s.explain(err))
	}
}

func (p *parser) refuse(key, value, format string, args ...any) {
	p.bad[key] = true
	if value != "" {
		key += " " + value
	}
	p.errs = append(p.errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
}

// sound reports whether all of these keys have a value that later checks can rely on.
func (p *parser) sound(keys ...string) bool {
	for _, key := range keys {
		if p.bad[key] {
			return false
		}
	}
	return true
}

// times compares the ends only when both are fixed: an age moves with the clock, and a restart long after a
// backfill must not fail.
func (p *parser) times() {
	if p.cfg.ExitWhenComplete && p.given["end_time"] == "" {
		p.refuse("exit_when_complete", logline.Quoted(p.given["exit_when_complete"]),
			"a collection without end_time is never complete; allowed: off, or on with end_time")
	}
	if !p.sound("start_time", "end_time") || p.cfg.End.IsZero() || p.cfg.Start.at.IsZero() {
		return
	}
	if !p.cfg.End.After(p.cfg.Start.at) {
		p.refuse(
			"end_time", logline.Quoted(p.given["end_time"]), "is not after start_time %s; allowed: a later time",
			logline.Quoted(p.given["start_time"]),
		)
	}
}

func (p *parser) reconciliation() {
	if !p.sound("overlap", "reconcile_interval", "reconcile_window") || p.cfg.ReconcileInterval == 0 {
		return
	}
	if p.cfg.ReconcileWindow <= p.cfg.Overlap {
		p.refuse("reconcile_window", logline.Quoted(logline.Duration(p.cfg.ReconcileWindow)),
			"is not longer than overlap %s, so that reconciliation would find nothing; allowed: a longer time, or "+
				"reconcile_interval 0",
			logline.Quoted(logline.Duration(p.cfg.Overlap)))
	}
}

// ocsfClass makes of the schema ocsf that with a class for each kind of action.
func (p *parser) ocsfClass() {
	switch {
	case !p.cfg.fineOCSF || !p.sound("schema"):
	case p.cfg.Schema == schema.OCSF:
		p.cfg.Schema = schema.OCSFFine
	default:
		p.refuse("ocsf_class", logline.Quoted("fine"),
			"says how schema ocsf is written, and schema is %s; allowed: schema ocsf, or no ocsf_class", p.cfg.Schema)
	}
}

// Given lists the settings that are not as they are by default, for the log; secrets as ***. What is missing there is
// misspelt: Fluent Bit does not pass keys on that nobody asks for.
func (c Config) Given() string { return c.given }

// Warnings tells what is allowed but seldom meant, a line each.
func (c Config) Warnings() []string {
	var out []string
	if c.Endpoint.Scheme == "http" && !isLoopback(c.Endpoint.Hostname()) {
		out = append(
			out,
			fmt.Sprintf(
				"endpoint %s: the credential and the events travel unencrypted; use https",
				logline.Quoted(c.Endpoint.String()),
			),
		)
	}
	if !c.TLSVerify {
		out = append(
			out,
			"tls_verify off: whoever is between here and the endpoint can read the credential; name your own CA in "+
				"tls_ca_file instead",
		)
	}
	if host, _, err := net.SplitHostPort(c.StatusListen); err == nil && !isLoopback(host) {
		out = append(out, fmt.Sprintf("status_listen %s: whoever can connect to it can read the state of the collection, "+
			"such as file names and errors; there is no password", logline.Quoted(c.StatusListen)))
	}
	now := time.Now()
	start := c.Start.At(now)
	switch {
	case now.Sub(start) > source.Retention+time.Minute:
		out = append(
			out,
			fmt.Sprintf(
				"start_time %s: the endpoint keeps events for 90 days only; what is older is gone",
				logline.Quoted(c.Start.String()),
			),
		)
	case start.After(now):
		out = append(
			out,
			fmt.Sprintf(
				"start_time %s: is in the future; without a checkpoint nothing is collected until then",
				logline.Quoted(c.Start.String()),
			),
		)
	}
	if !c.End.IsZero() && !c.End.After(start) && c.Start.at.IsZero() {
		out = append(out, fmt.Sprintf("end_time %s: is before start_time %s; without a checkpoint nothing is collected",
			logline.Quoted(c.End.Format(time.RFC3339)), logline.Quoted(c.Start.String())))
	}
	if c.Overlap == 0 && c.ReconcileInterval == 0 {
		out = append(
			out,
			"overlap 0 with reconcile_interval 0: an event that appears in the export after its time was read is never "+
				"collected",
		)
	}
	return out
}

// isLoopback reports whether what is sent to host stays on this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
