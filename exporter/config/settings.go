package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// setting is one key of the [INPUT] section. The table of them is the one place to read the defaults and what
// is allowed; the documentation's table is made of it.
type setting struct {
	key      string
	standard string // the default, as it would be written; "" = not set
	allowed  string // completes "allowed: "
	text     string // what it means, for the documentation
	hidden   bool   // the value is a secret
	isURL    bool   // the value may have a password in it
	set      func(c *Config, value string) error
}

// errNotAllowed is what set returns when setting.allowed says all there is to say.
var errNotAllowed = errors.New("is not allowed")

var credentialKeys = []string{"api_key", "api_key_file", "bearer_token", "bearer_token_file"}

var settings = []setting{
	baseURLSetting("endpoint", "https://api.cloud.wherobots.com", "base URL of the API; a path before "+
		"`/audit-log/export` is kept",
		func(c *Config, u parsedURL) { c.Endpoint = u }),
	hiddenSetting("api_key", "API key, sent as `X-API-Key`. Of the four credentials exactly one is set; without any, "+
		"`WHEROBOTS_API_KEY` of the environment is the API key",
		func(c *Config, value string) { c.Credentials.APIKey = source.Secret(value) }),
	textSetting("api_key_file", "file with the API key; it is read again for every request, so that a new key needs "+
		"no restart",
		func(c *Config, value string) { c.Credentials.APIKeyFile = value }),
	hiddenSetting(
		"bearer_token", "token, sent as `Authorization: Bearer`",
		func(c *Config, value string) { c.Credentials.BearerToken = source.Secret(value) },
	),
	textSetting("bearer_token_file", "file with the token; read again for every request",
		func(c *Config, value string) { c.Credentials.BearerTokenFile = value }),
	textSetting("search_term", "only events with this text in one of their fields; the endpoint decides what matches",
		func(c *Config, value string) { c.SearchTerm = value }),
	{
		key: "start_time", standard: "-90d", allowed: startAllowed, text: "where to begin without a checkpoint",
		set: func(c *Config, value string) (err error) { c.Start, err = parseStart(value); return err },
	},
	{
		key: "end_time", allowed: timeAllowed, text: "stop there, for one-off backfills; without it the collection " +
			"never ends",
		set: func(c *Config, value string) (err error) { c.End, err = parseTime(value); return err },
	},
	durationSetting("poll_interval", "60s", time.Second, day, "pause between two polls once caught up",
		func(c *Config) *time.Duration { return &c.PollInterval }),
	durationSetting("overlap", "10m", 0, 7*day, "how far before the checkpoint every poll starts, for events that "+
		"appear late",
		func(c *Config) *time.Duration { return &c.Overlap }),
	durationSetting("max_window", "24h", time.Second, source.Retention, "longest time range of one request",
		func(c *Config) *time.Duration { return &c.MaxWindow }),
	durationSetting("request_timeout", "5m", time.Second, day, "longest time to wait for one whole response; time in "+
		"which Fluent Bit is paused does not count",
		func(c *Config) *time.Duration { return &c.RequestTimeout }),
	durationSetting("retry_max_interval", "5m", time.Second, day, "longest pause between two tries after failures; "+
		"only a `Retry-After` of the endpoint makes it longer, up to 1h",
		func(c *Config) *time.Duration { return &c.RetryMaxInterval }),
	durationSetting("stalled_after", "15m", time.Minute, day,
		"how long nothing may go on before that is told: no request succeeds, or what was handed over does not become safe",
		func(c *Config) *time.Duration { return &c.StalledAfter }),
	{
		key: "checkpoint_path", standard: "/var/lib/fluent-bit/wherobots_audit.json", allowed: "a file path",
		text: "file that says where the collection stands; one for each instance",
		set:  func(c *Config, value string) (err error) { c.CheckpointPath, err = filepath.Abs(value); return err },
	},
	oneOfSetting("commit_on", string(CommitHandoff), []string{string(CommitHandoff), string(CommitDelivery)},
		"when the checkpoint may pass events: `handoff` when Fluent Bit has them in its storage, `delivery` when every "+
			"output has delivered them",
		func(c *Config, value string) { c.CommitOn = CommitOn(value) }),
	baseURLSetting("engine_url", "http://127.0.0.1:2020", "Fluent Bit's own HTTP server: needed by `commit_on "+
		"delivery`, and by `handoff` wherever a batch cannot be read in the storage as it was handed over",
		func(c *Config, u parsedURL) { c.EngineURL = u }),
	textSetting(
		"engine_input",
		"the instance's alias, where it cannot tell its own name (before Fluent Bit 4.1) and there are several",
		func(c *Config, value string) { c.EngineInput = value },
	),
	{
		key: "batch_bytes", standard: "8M", allowed: "a size from 64K to 64M (K = 1000, as in Fluent Bit)",
		text: "most bytes handed over to Fluent Bit at once, which is once a second",
		set: func(c *Config, value string) (err error) {
			c.BatchBytes, err = parseSize(value, 64_000, 64_000_000)
			return err
		},
	},
	oneOfSetting("schema", string(schema.Raw),
		[]string{string(schema.Raw), string(schema.ECS), string(schema.OCSF)}, "the shape of the records",
		func(c *Config, value string) { c.Schema = schema.Name(value) }),
	{
		key: "tls_ca_file", allowed: "a file with certificates in PEM", text: "certificates that are trusted besides " +
			"the system's",
		set: func(c *Config, value string) error {
			c.TLSCAFile = value
			_, err := source.LoadRoots(value)
			return err
		},
	},
	booleanSetting(
		"tls_verify", "on", "check the endpoint's certificate",
		func(c *Config) *bool { return &c.TLSVerify },
	),
	optionalDurationSetting("reconcile_interval", "6h", time.Minute, source.Retention,
		"how often what was read is compared with the export again; 0 = never",
		func(c *Config) *time.Duration { return &c.ReconcileInterval }),
	durationSetting("reconcile_window", "24h", time.Minute, source.Retention, "how far back is compared; longer than "+
		"`overlap`",
		func(c *Config) *time.Duration { return &c.ReconcileWindow }),
	booleanSetting("status_events", "off", "send the plugin's own events (gaps, refusals, late findings) along with "+
		"the audit events",
		func(c *Config) *bool { return &c.StatusEvents }),
}

// shown is the value as messages may show it.
func (s setting) shown(value string) string {
	if s.hidden {
		return ""
	}
	if s.isURL {
		value = withoutPassword(value)
	}
	return shownURL(value)
}

// explain completes a message about a refused value.
func (s setting) explain(err error) string {
	if errors.Is(err, errNotAllowed) {
		return "is not allowed; allowed: " + s.allowed
	}
	return err.Error() + "; allowed: " + s.allowed
}

func textSetting(key, text string, set func(*Config, string)) setting {
	return setting{
		key: key, allowed: "text", text: text,
		set: func(c *Config, value string) error {
			set(c, value)
			return nil
		},
	}
}

// hidden is text that must not be shown.
func hiddenSetting(key, meaning string, set func(*Config, string)) setting {
	s := textSetting(key, meaning, set)
	s.hidden = true
	return s
}

func baseURLSetting(key, standard, text string, set func(*Config, parsedURL)) setting {
	return setting{
		key:      key,
		standard: standard,
		allowed:  "a base URL such as " + standard,
		text:     text,
		isURL:    true,
		set: func(c *Config, value string) error {
			u, err := parseBaseURL(value)
			if err == nil {
				set(c, u)
			}
			return err
		},
	}
}

func durationSetting(
	key, standard string, least, most time.Duration, text string, field func(*Config) *time.Duration,
) setting {
	allowed := fmt.Sprintf(
		"a duration from %s to %s, such as %s", logline.Duration(least), logline.Duration(most),
		standard,
	)
	return setting{
		key: key, standard: standard, allowed: allowed, text: text,
		set: func(c *Config, value string) error {
			d, err := parseDuration(value)
			if err != nil {
				return err
			}
			if d < least || d > most {
				return errNotAllowed
			}
			*field(c) = d
			return nil
		},
	}
}

// optionalDuration is a duration that may be 0 as well.
func optionalDurationSetting(
	key, standard string, least, most time.Duration, text string, field func(*Config) *time.Duration,
) setting {
	s := durationSetting(key, standard, least, most, text, field)
	bounded := s.set
	s.allowed = "0, or " + s.allowed
	s.set = func(c *Config, value string) error {
		if d, err := parseDuration(value); err == nil && d == 0 {
			*field(c) = 0
			return nil
		}
		return bounded(c, value)
	}
	return s
}

func booleanSetting(key, standard, text string, field func(*Config) *bool) setting {
	return setting{
		key: key, standard: standard, allowed: "on or off", text: text,
		set: func(c *Config, value string) (err error) {
			*field(c), err = parseBool(value)
			return err
		},
	}
}

func oneOfSetting(key, standard string, values []string, text string, set func(*Config, string)) setting {
	return setting{
		key: key, standard: standard, allowed: strings.Join(values, ", "), text: text,
		set: func(c *Config, value string) error {
			for _, v := range values {
				if v == value {
					set(c, value)
					return nil
				}
			}
			return errNotAllowed
		},
	}
}

// Table is the table of all settings in Markdown, for the documentation.
func Table() string {
	var b strings.Builder
	b.WriteString("| key | default | meaning | allowed |\n|---|---|---|---|\n")
	for _, s := range settings {
		standard := ""
		if s.standard != "" {
			standard = "`" + s.standard + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.key, standard, s.text, s.allowed)
	}
	return b.String()
}
