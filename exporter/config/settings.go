package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

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
	words    []string // the only ones allowed; nil = there are no such
	kind     kind     // fills in allowed, hidden, isURL, words and set, where several settings have them alike
}

// errNotAllowed is what set returns when setting.allowed says all there is to say.
var errNotAllowed = errors.New("is not allowed")

var settings = complete([]setting{
	{
		key:      "endpoint",
		standard: "https://api.cloud.wherobots.com",
		text:     "base URL of the API; a path before `/audit-log/export` is kept",
		kind:     baseURL(func(c *Config, u parsedURL) { c.Endpoint = u }),
	},
	{
		key: "api_key",
		text: "API key, sent as `X-API-Key`. Of the four credentials exactly one is set; without any, the environment " +
			"has it: `WHEROBOTS_API_KEY`, `WHEROBOTS_API_KEY_FILE` or `WHEROBOTS_BEARER_TOKEN_FILE`",
		kind: secretText(func(c *Config, value string) { c.Credentials.APIKey = source.Secret(value) }),
	},
	{
		key:  "api_key_file",
		text: "file with the API key; it is read again for every request, so that a new key needs no restart",
		kind: anyText(func(c *Config, value string) { c.Credentials.APIKeyFile = value }),
	},
	{
		key: "api_key_file_next",
		text: "file with another API key, which is used when the credential is refused (401, 403), and until that is " +
			"replaced; it may come later",
		kind: anyText(func(c *Config, value string) { c.Credentials.APIKeyFileNext = value }),
	},
	{
		key:  "bearer_token",
		text: "token, sent as `Authorization: Bearer`",
		kind: secretText(func(c *Config, value string) { c.Credentials.BearerToken = source.Secret(value) }),
	},
	{
		key:  "bearer_token_file",
		text: "file with the token; read again for every request",
		kind: anyText(func(c *Config, value string) { c.Credentials.BearerTokenFile = value }),
	},
	{
		key:     "credential_expires",
		text:    "when the credential expires: a line and a status event say so 30, 7 and 1 days before, and then",
		allowed: dateAllowed,
		set:     func(c *Config, value string) (err error) { c.CredentialExpires, err = parseDate(value); return err },
	},
	{
		key:  "search_term",
		text: "only events with this text in one of their fields; the endpoint decides what matches",
		kind: anyText(func(c *Config, value string) { c.SearchTerm = value }),
	},
	{
		key:      "start_time",
		standard: "-90d",
		text:     "where to begin without a checkpoint",
		allowed:  startAllowed,
		set:      func(c *Config, value string) (err error) { c.Start, err = parseStart(value); return err },
	},
	{
		key:     "end_time",
		text:    "stop there, for one-off backfills; without it the collection never ends",
		allowed: timeAllowed,
		set:     func(c *Config, value string) (err error) { c.End, err = parseTime(value); return err },
	},
	{
		key:      "exit_when_complete",
		standard: "off",
		text: "with `end_time`: Fluent Bit ends, with status 0, when everything up to there is delivered and " +
			"committed, of all inputs of this plugin",
		kind: boolean(func(c *Config) *bool { return &c.ExitWhenComplete }),
	},
	{
		key:      "poll_interval",
		standard: "60s",
		text:     "pause between two polls once caught up",
		kind:     duration(time.Second, day, func(c *Config) *time.Duration { return &c.PollInterval }),
	},
	{
		key:      "min_request_interval",
		standard: "0",
		text: "least time between two requests of all inputs of one Fluent Bit that have the same host in `endpoint`; they " +
			"take turns ([organisations.md](organisations.md#requests-one-after-another)); 0 = none",
		kind: optionalDuration(
			time.Millisecond, time.Minute, func(c *Config) *time.Duration { return &c.MinRequestInterval },
		),
	},
	{
		key:      "overlap",
		standard: "10m",
		text:     "how far before the checkpoint every poll starts, for events that appear late",
		kind:     duration(0, 7*day, func(c *Config) *time.Duration { return &c.Overlap }),
	},
	{
		key:      "max_window",
		standard: "30d",
		text: "longest time range of one request; requests begin with a day, and grow to that as long as " +
			"their answers are small",
		kind: duration(time.Second, source.Retention, func(c *Config) *time.Duration { return &c.MaxWindow }),
	},
	{
		key:      "request_timeout",
		standard: "5m",
		text:     "longest time to wait for one whole response; time in which Fluent Bit is paused does not count",
		kind:     duration(time.Second, day, func(c *Config) *time.Duration { return &c.RequestTimeout }),
	},
	{
		key:      "retry_max_interval",
		standard: "5m",
		text: "longest pause between two tries after failures; only a `Retry-After` of the endpoint makes it " +
			"longer, up to 1h",
		kind: duration(time.Second, day, func(c *Config) *time.Duration { return &c.RetryMaxInterval }),
	},
	{
		key:      "stalled_after",
		standard: "15m",
		text: "how long the collection may make no progress before it says so: no request succeeds, " +
			"or what was handed over does not become safe",
		kind: duration(time.Minute, day, func(c *Config) *time.Duration { return &c.StalledAfter }),
	},
	{
		key: "status_listen",
		text: "address that answers `/livez`, `/readyz`, `/status` and `/metrics`, see [health.md](health.md); several " +
			"inputs may share one; without it there is none",
		allowed: "an address and a port such as 127.0.0.1:2112",
		set:     func(c *Config, value string) (err error) { c.StatusListen, err = parseListen(value); return err },
	},
	{
		key:      "checkpoint_path",
		standard: "/var/lib/fluent-bit/wherobots_audit.json",
		text:     "file that says where the collection stands; one for each instance",
		allowed:  "a file path",
		set:      func(c *Config, value string) (err error) { c.CheckpointPath, err = filepath.Abs(value); return err },
	},
	{
		key:      "checkpoint_lock",
		standard: "refuse",
		text: "what to do where another process holds the checkpoint: `refuse` to start after 15 seconds, or `wait` until " +
			"it ends, as a standby",
		kind: oneOf([]string{"refuse", "wait"}, func(c *Config, value string) { c.Standby = value == "wait" }),
	},
	{
		key:      "commit_on",
		standard: string(CommitHandoff),
		text: "when the checkpoint may pass events: `handoff` when Fluent Bit has them in its storage, `delivery` " +
			"when every output has delivered them",
		kind: oneOf(
			[]string{string(CommitHandoff), string(CommitDelivery)},
			func(c *Config, value string) { c.CommitOn = CommitOn(value) },
		),
	},
	{
		key:      "engine_url",
		standard: "http://127.0.0.1:2020",
		text: "Fluent Bit's own HTTP server: needed by `commit_on delivery`, and by `handoff` wherever a batch " +
			"cannot be read in the storage as it was handed over",
		kind: baseURL(func(c *Config, u parsedURL) { c.EngineURL = u }),
	},
	{
		key:  "engine_input",
		text: "the instance's alias, where it cannot tell its own name (before Fluent Bit 4.1) and there are several",
		kind: anyText(func(c *Config, value string) { c.EngineInput = value }),
	},
	{
		key:      "batch_bytes",
		standard: "11M",
		text:     "most bytes handed over to Fluent Bit at once, which is once a second",
		allowed:  "a size from 64K to 64M (K = 1000, as in Fluent Bit)",
		set: func(c *Config, value string) (err error) {
			c.BatchBytes, err = parseSize(value, 64_000, 64_000_000)
			return err
		},
	},
	{
		key:      "schema",
		standard: string(schema.Raw),
		text:     "the shape of the records",
		kind: oneOf(
			[]string{string(schema.Raw), string(schema.ECS), string(schema.OCSF)},
			func(c *Config, value string) { c.Schema = schema.Name(value) },
		),
	},
	{
		key:  "organization",
		text: "name of the organization whose audit log it is, for every record, the status events and the metrics",
		kind: label(func(c *Config) *string { return &c.Organization.Name }),
	},
	{
		key:  "organization_id",
		text: "its id, likewise",
		kind: label(func(c *Config) *string { return &c.Organization.ID }),
	},
	{
		key: "pseudonymize",
		text: "columns whose values are replaced by pseudonyms (HMAC-SHA-256) in every record, see " +
			"[privacy.md](privacy.md)",
		allowed: pseudonymsAllowed,
		set:     func(c *Config, value string) (err error) { c.Pseudonymize, err = parseColumns(value); return err },
	},
	{
		key:  "pseudonymize_key_file",
		text: "file with the key of the pseudonyms, at least 32 bytes; read at the start",
		kind: anyText(func(c *Config, value string) { c.PseudonymizeKeyFile = value }),
	},
	{
		key:      "ocsf_class",
		standard: "api",
		text: "with `schema: ocsf`: `api` writes every event as API Activity (6003), `fine` as the " +
			"[class that fits it](schema.md#ocsf_class-fine)",
		kind: oneOf([]string{"api", "fine"}, func(c *Config, value string) { c.fineOCSF = value == "fine" }),
	},
	{
		key:     "tls_ca_file",
		text:    "certificates that are trusted besides the system's",
		allowed: "a file with certificates in PEM",
		set: func(c *Config, value string) error {
			c.TLSCAFile = value
			_, err := source.LoadRoots(value)
			return err
		},
	},
	{
		key:      "tls_verify",
		standard: "on",
		text:     "check the endpoint's certificate",
		kind:     boolean(func(c *Config) *bool { return &c.TLSVerify }),
	},
	{
		key: "tls_cert_file",
		text: "certificate that this side shows (mTLS), in PEM, its chain after it; with `tls_key_file`. Both are read " +
			"again for every connection, and a change makes a new one",
		kind: anyText(func(c *Config, value string) { c.TLSCertFile = value }),
	},
	{
		key:  "tls_key_file",
		text: "the key of `tls_cert_file`, in PEM and not encrypted",
		kind: anyText(func(c *Config, value string) { c.TLSKeyFile = value }),
	},
	{
		key:      "proxy",
		standard: "environment",
		text: "how requests leave: by this proxy, whatever the endpoint; as `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` " +
			"of the environment say; or by `none`",
		allowed: proxyAllowed,
		isURL:   true,
		set:     func(c *Config, value string) error { return parseProxy(&c.Proxy, value) },
	},
	{
		key:  "proxy_credentials_file",
		text: "file with `user:password` for the proxy, also for the environment's; it is read again for every request",
		kind: anyText(func(c *Config, value string) { c.Proxy.CredentialsFile = value }),
	},
	{
		key:      "reconcile_interval",
		standard: "6h",
		text:     "how often what was read is compared with the export again; 0 = never",
		kind: optionalDuration(
			time.Minute, source.Retention,
			func(c *Config) *time.Duration { return &c.ReconcileInterval },
		),
	},
	{
		key:      "deep_reconcile_interval",
		standard: "7d",
		text: "how long a pass takes over all that lies behind `reconcile_window` and that the endpoint still has; " +
			"0 = never",
		kind: optionalDuration(
			time.Minute, source.Retention,
			func(c *Config) *time.Duration { return &c.DeepReconcileInterval },
		),
	},
	{
		key:      "reconcile_window",
		standard: "24h",
		text:     "how far back is compared; longer than `overlap`",
		kind:     duration(time.Minute, source.Retention, func(c *Config) *time.Duration { return &c.ReconcileWindow }),
	},
	{
		key:      "status_interval",
		standard: "1h",
		text: "with `status_events`, how often `alive` says that the collection is up, and `hour` what was handed over; " +
			"0 = never",
		kind: optionalDuration(
			time.Minute, source.Retention, func(c *Config) *time.Duration { return &c.StatusInterval },
		),
	},
	{
		key:      "count_check",
		standard: "auto",
		text: "`auto`: where `GET /audit-log` tells how many events there are, what was read is compared with that; " +
			"`off`: it is not asked",
		kind: oneOf([]string{"auto", "off"}, func(c *Config, value string) { c.CountCheck = value == "auto" }),
	},
	{
		key:      "status_events",
		standard: "off",
		text:     "send the plugin's own events (gaps, refusals, late findings) along with the audit events",
		kind:     boolean(func(c *Config) *bool { return &c.StatusEvents }),
	},
})

// complete applies each setting's kind.
func complete(settings []setting) []setting {
	for i := range settings {
		if s := &settings[i]; s.kind != nil {
			s.kind(s)
		}
	}
	return settings
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
