package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// with makes a lookup function of what is configured.
func with(pairs ...string) func(string) string {
	values := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(key string) string { return values[key] }
}

func TestDefaults(t *testing.T) {
	cfg, err := parseConfig(with("api_key", "key-1"), with())
	require.NoError(t, err)
	assert.Equal(t, "https://api.cloud.wherobots.com", cfg.Endpoint.String())
	assert.Equal(t, "http://127.0.0.1:2020", cfg.EngineURL.String())
	cfg.Endpoint, cfg.EngineURL = nil, nil
	assert.Equal(t, Config{
		Credentials: source.Credentials{APIKey: "key-1"}, Start: Start{age: 90 * day}, PollInterval: time.Minute,
		Overlap: 10 * time.Minute, MaxWindow: 30 * day,
		RequestTimeout: 5 * time.Minute, RetryMaxInterval: 5 * time.Minute, StalledAfter: 15 * time.Minute,
		CheckpointPath: "/var/lib/fluent-bit/wherobots_audit.json",
		CommitOn:       CommitHandoff, BatchBytes: 11_000_000, Schema: schema.Raw, TLSVerify: true,
		ReconcileInterval: 6 * time.Hour, DeepReconcileInterval: 7 * day, ReconcileWindow: day, CountCheck: true,
		StatusInterval: time.Hour,
		given:          "api_key ***; the others have their defaults",
	}, cfg)
}

func TestEverySettingIsRead(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("token-1\n"), 0o600))
	ca := exportertest.WriteCA(t, dir)
	pseudonyms := filepath.Join(dir, "pseudonyms")
	require.NoError(t, os.WriteFile(pseudonyms, []byte(strings.Repeat("0", 64)), 0o600))
	proxyUser := filepath.Join(dir, "proxy")
	require.NoError(t, os.WriteFile(proxyUser, []byte("user:password"), 0o600))
	given := map[string]string{
		"endpoint": "HTTP://Localhost:8080/base/", "bearer_token_file": token, "search_term": " delete ",
		"start_time": "2026-01-02T03:04:05+01:00",
		"end_time":   "2026-02-01T00:00:00.5Z", "poll_interval": "30s", "overlap": "1h", "max_window": "2d",
		"request_timeout":    "90s",
		"retry_max_interval": "1m30s", "stalled_after": "2h", "checkpoint_path": "state.json",
		"commit_on": "delivery", "engine_url": "http://127.0.0.1:2021/fb/",
		"engine_input": "audit", "batch_bytes": "1.5m", "schema": "ocsf", "tls_ca_file": ca, "tls_verify": "Off",
		"reconcile_interval":      "0",
		"deep_reconcile_interval": "0", "reconcile_window": "1d12h", "status_events": "yes", "status_interval": "2h",
		"count_check": "off", "exit_when_complete": "on", "organization": "Acme GmbH", "organization_id": "org-7",
		"pseudonymize": "User_Name, source_ip,user_name", "pseudonymize_key_file": pseudonyms,
		"proxy": "HTTP://proxy.example:3128/", "proxy_credentials_file": proxyUser,
		"api_key_file_next": token + ".next", "credential_expires": "2026-12-31",
	}
	asked := make(map[string]bool)
	cfg, err := parseConfig(func(key string) string {
		asked[key] = true
		return given[key]
	}, with(environmentKey, "other"))
	require.NoError(t, err)
	for key := range given {
		assert.True(t, asked[key], key)
	}
	assert.Equal(t, "http://localhost:8080/base", cfg.Endpoint.String())
	assert.Equal(t, "http://127.0.0.1:2021/fb", cfg.EngineURL.String())
	assert.Equal(t, `endpoint "HTTP://Localhost:8080/base/", api_key_file_next "`+token+`.next", `+
		`bearer_token_file "`+token+`", credential_expires "2026-12-31", search_term " delete ", `+
		`start_time "2026-01-02T03:04:05+01:00"`, cfg.given[:strings.Index(cfg.given, ", end_time")])
	assert.Contains(t, cfg.given, `schema "ocsf", `)
	cfg.given = ""
	assert.Equal(t, "http://proxy.example:3128", cfg.Proxy.URL.String())
	cfg.Proxy.URL = nil
	cfg.Endpoint, cfg.EngineURL = nil, nil
	here, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, Config{
		Credentials:       source.Credentials{BearerTokenFile: token, APIKeyFileNext: token + ".next"},
		CredentialExpires: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), SearchTerm: " delete ",
		Start: Start{at: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)}, ExitWhenComplete: true,
		Organization: schema.Organization{Name: "Acme GmbH", ID: "org-7"},
		Pseudonymize: []string{"user_name", "source_ip"}, PseudonymizeKeyFile: pseudonyms,
		Proxy: source.Proxy{CredentialsFile: proxyUser},
		End:   time.Date(2026, 2, 1, 0, 0, 0, 5e8, time.UTC), PollInterval: 30 * time.Second, Overlap: time.Hour,
		MaxWindow:      2 * day,
		RequestTimeout: 90 * time.Second, RetryMaxInterval: 90 * time.Second, StalledAfter: 2 * time.Hour,
		CheckpointPath: filepath.Join(here, "state.json"),
		CommitOn:       CommitDelivery, EngineInput: "audit", BatchBytes: 1_500_000, Schema: schema.OCSF, TLSCAFile: ca,
		ReconcileWindow: 36 * time.Hour, StatusEvents: true, StatusInterval: 2 * time.Hour,
	}, cfg)
}

// wrongSetting is pairs of keys and values, and what is said of them.
type wrongSetting struct {
	pairs []string
	want  string
}

const (
	oneCredential = "exactly one of api_key, api_key_file, bearer_token, bearer_token_file"
	allowedProxy  = "; allowed: " + proxyAllowed
	allowedURL    = "; allowed: a base URL such as https://api.cloud.wherobots.com"
)

var wrongSettings = []wrongSetting{
	{[]string{"endpoint", "ftp://example.com"}, `endpoint "ftp://example.com": is neither http nor https` + allowedURL},
	{[]string{"endpoint", "api.example.com"}, `endpoint "api.example.com": is neither http nor https` + allowedURL},
	{[]string{"endpoint", "https://"}, `endpoint "https://": has no host` + allowedURL},
	{
		[]string{"endpoint", "https://me:pass@word@example.com/x"},
		`endpoint "https://***@example.com/x": has a user name in it` + allowedURL,
	},
	{
		[]string{"endpoint", "me:password@example.com"},
		`endpoint "***@example.com": is neither http nor https` + allowedURL,
	},
	{[]string{"endpoint", "https:/me:password@example.com"}, `endpoint "***@example.com": has no host` + allowedURL},
	{
		[]string{"endpoint", "https://me:pass word@example.com"},
		`endpoint "https://***@example.com": is not a URL` + allowedURL,
	},
	{
		[]string{"endpoint", "https://me:password%40example.com"},
		`endpoint "https://***@example.com": is not a URL` + allowedURL,
	},
	{[]string{"endpoint", "https://me:password"}, `endpoint "https://me:***": is not a URL` + allowedURL},
	{[]string{"endpoint", "https:/me:1password/x"}, `endpoint "https:/me:***": has no host` + allowedURL},
	{
		[]string{"endpoint", "//me:password@example.com"},
		`endpoint "***@example.com": is neither http nor https` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com?api_key=hush"},
		`endpoint "https://example.com?***": has a query or fragment` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com/?"},
		`endpoint "https://example.com/?***": has a query or fragment` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com#hush"},
		`endpoint "https://example.com#***": has a query or fragment` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com:0"},
		`endpoint "https://example.com:0": has a port that does not exist` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com:65536"},
		`endpoint "https://example.com:65536": has a port that does not exist` + allowedURL,
	},
	{
		[]string{"endpoint", "https://example.com/audit-log/export/"},
		`endpoint "https://example.com/audit-log/export/": is more than the base: leave /audit-log/export off` + allowedURL,
	},
	{
		[]string{"start_time", "yesterday"},
		`start_time "yesterday": is not allowed; allowed: RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z, or ` +
			`now, or an age such as -24h or -90d`,
	},
	{
		[]string{"start_time", "24h"},
		`start_time "24h": is not allowed; allowed: RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z, or now, ` +
			`or an age such as -24h or -90d`,
	},
	{
		[]string{"start_time", "--24h"},
		`start_time "--24h": is not allowed; allowed: RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z, or now, ` +
			`or an age such as -24h or -90d`,
	},
	{
		[]string{"end_time", "2026-01-31 00:00:00"},
		`end_time "2026-01-31 00:00:00": is not allowed; allowed: RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z`,
	},
	{
		[]string{"end_time", "0001-01-01T00:00:00Z"},
		`end_time "0001-01-01T00:00:00Z": is not allowed; allowed: RFC 3339 with a time zone, such as 2026-01-31T00:00:00Z`,
	},
	{
		[]string{"start_time", "2026-01-31T00:00:00Z", "end_time", "2026-01-31T01:00:00+01:00"},
		`end_time "2026-01-31T01:00:00+01:00": is not after start_time "2026-01-31T00:00:00Z"; allowed: a later time`,
	},
	{
		[]string{"exit_when_complete", "on"},
		`exit_when_complete "on": a collection without end_time is never complete; allowed: off, or on with end_time`,
	},
	{[]string{"proxy", "proxy.example:3128"}, `proxy "proxy.example:3128": is not a URL` + allowedProxy},
	{[]string{"proxy", "ftp://p.example"}, `proxy "ftp://p.example": is of a kind that is not known` + allowedProxy},
	{[]string{"proxy", "http://"}, `proxy "http://": has no host` + allowedProxy},
	{
		[]string{"proxy", "http://me:hush@proxy.example"},
		`proxy "http://***@proxy.example": has a user name in it, which belongs into proxy_credentials_file` + allowedProxy,
	},
	{[]string{"proxy", "http://p.example/x"}, `proxy "http://p.example/x": has a path, query or fragment` + allowedProxy},
	{[]string{"proxy", "http://p.example:0"}, `proxy "http://p.example:0": has a port that does not exist` + allowedProxy},
	{
		[]string{"proxy", "None", "proxy_credentials_file", "/run/proxy"},
		"proxy_credentials_file: is for no proxy, since proxy is none; allowed: with another proxy",
	},
	{[]string{"tls_key_file", "/run/k"}, "tls_key_file: is the key of no certificate; allowed: with tls_cert_file"},
	{[]string{"tls_cert_file", "/run/c"}, "tls_cert_file: has no key; allowed: with tls_key_file"},
	{
		[]string{"organization", "a\tb"},
		`organization "a\tb": is not allowed; allowed: text of at most 200 bytes, of characters that can be printed`,
	},
	{
		[]string{"organization_id", strings.Repeat("x", 201)},
		`organization_id "` + strings.Repeat("x", 117) + `…": is not allowed; allowed: text of at most 200 bytes, of ` +
			`characters that can be printed`,
	},
	{
		[]string{"pseudonymize", "user_name, event_id"},
		`pseudonymize "user_name, event_id": is not allowed; allowed: a list of user_id, user_name, source_ip`,
	},
	{
		[]string{"pseudonymize", "user_name"},
		`pseudonymize "user_name": has no key; allowed: with pseudonymize_key_file`,
	},
	{
		[]string{"pseudonymize_key_file", "/run/k"},
		"pseudonymize_key_file: is the key of no pseudonyms; allowed: with pseudonymize",
	},
	{
		[]string{"poll_interval", "60"},
		`poll_interval "60": is not a duration; allowed: a duration from 1s to 24h, such as 60s`,
	},
	{
		[]string{"poll_interval", "999ms"},
		`poll_interval "999ms": is not allowed; allowed: a duration from 1s to 24h, such as 60s`,
	},
	{
		[]string{"poll_interval", "1d1ns"},
		`poll_interval "1d1ns": is not allowed; allowed: a duration from 1s to 24h, such as 60s`,
	},
	{
		[]string{"poll_interval", "99999999999d"},
		`poll_interval "99999999999d": is not a duration; allowed: a duration from 1s to 24h, such as 60s`,
	},
	{[]string{"overlap", "-10m"}, `overlap "-10m": is not allowed; allowed: a duration from 0s to 7d, such as 10m`},
	{[]string{"max_window", "91d"}, `max_window "91d": is not allowed; allowed: a duration from 1s to 90d, such as 30d`},
	{
		[]string{"request_timeout", "0"},
		`request_timeout "0": is not allowed; allowed: a duration from 1s to 24h, such as 5m`,
	},
	{
		[]string{"retry_max_interval", "soon\nish"},
		`retry_max_interval "soon\nish": is not a duration; allowed: a duration from 1s to 24h, such as 5m`,
	},
	{
		[]string{"reconcile_interval", "59s"},
		`reconcile_interval "59s": is not allowed; allowed: 0, or a duration from 1m to 90d, such as 6h`,
	},
	{
		[]string{"reconcile_window", "30s"},
		`reconcile_window "30s": is not allowed; allowed: a duration from 1m to 90d, such as 24h`,
	},
	{
		[]string{"overlap", "2d"},
		`reconcile_window "24h": is not longer than overlap "2d", so that reconciliation would find nothing; allowed: ` +
			`a longer time, or reconcile_interval 0`,
	},
	{
		[]string{"batch_bytes", "64KiB"},
		`batch_bytes "64KiB": is not a size; allowed: a size from 64K to 64M (K = 1000, as in Fluent Bit)`,
	},
	{
		[]string{"batch_bytes", "-8M"},
		`batch_bytes "-8M": is not a size; allowed: a size from 64K to 64M (K = 1000, as in Fluent Bit)`,
	},
	{
		[]string{"batch_bytes", "1.2.3M"},
		`batch_bytes "1.2.3M": is not a size; allowed: a size from 64K to 64M (K = 1000, as in Fluent Bit)`,
	},
	{
		[]string{"batch_bytes", "1G"},
		`batch_bytes "1G": is not allowed; allowed: a size from 64K to 64M (K = 1000, as in Fluent Bit)`,
	},
	{
		[]string{"batch_bytes", strings.Repeat("9", 400) + "M"},
		`batch_bytes "` + strings.Repeat("9", 117) + `…": is not a size; allowed: a size from 64K to 64M (K = 1000, as in ` +
			`Fluent Bit)`,
	},
	{[]string{"ocsf_class", "coarse"}, `ocsf_class "coarse": is not allowed; allowed: api, fine`},
	{
		[]string{"ocsf_class", "fine", "schema", "ecs"},
		`ocsf_class "fine": says how schema ocsf is written, and schema is ecs; allowed: schema ocsf, or no ocsf_class`,
	},
	{[]string{"schema", "otel"}, `schema "otel": is not allowed; allowed: raw, ecs, ocsf`},
	{[]string{"commit_on", "always"}, `commit_on "always": is not allowed; allowed: handoff, delivery`},
	{[]string{"tls_verify", "onn"}, `tls_verify "onn": is not allowed; allowed: on or off`},
	{[]string{"count_check", "on"}, `count_check "on": is not allowed; allowed: auto, off`},
	{[]string{"status_events", "1"}, `status_events "1": is not allowed; allowed: on or off`},
	{
		[]string{"status_listen", "localhost:2020"},
		`status_listen "localhost:2020": is the address of Fluent Bit's own server (engine_url), which could not start; ` +
			"allowed: another port, such as 2112",
	},
	{
		[]string{"status_listen", "0.0.0.0:2021", "engine_url", "http://127.0.0.1:2021"},
		`status_listen "0.0.0.0:2021": is the address of Fluent Bit's own server (engine_url), which could not start; ` +
			"allowed: another port, such as 2112",
	},
	{
		[]string{"commit_on", "delivery", "engine_url", "2020"},
		`engine_url "2020": is neither http nor https; allowed: a base URL such as http://127.0.0.1:2020`,
	},
	{
		[]string{"api_key", ""},
		"api_key: no credential is set; allowed: " + oneCredential + ", or " + variableNames() + " in the environment",
	},
	{
		[]string{"api_key", "${WHEROBOTS API KEY}"},
		`api_key: has a space in it; allowed: the credential alone, without a word such as "Bearer"`,
	},
	{
		[]string{"bearer_token", "hush"},
		"api_key, bearer_token: only one credential can be used; allowed: " + oneCredential,
	},
	{
		[]string{"api_key", "", "bearer_token", "Bearer hush"},
		`bearer_token: has a space in it; allowed: the credential alone, without a word such as "Bearer"`,
	},
	{[]string{"api_key", "", "bearer_token", "hush\x00hush"}, "bearer_token: has a character in it that no " +
		"credential has; allowed: printable ASCII"},
}

// Messages are an interface: each is pinned.
func TestWrongSettings(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, []byte(" \n"), 0o600))
	short := filepath.Join(dir, "short")
	require.NoError(t, os.WriteFile(short, []byte("hush-hush"), 0o600))
	files := []wrongSetting{
		{
			[]string{"tls_ca_file", dir + "/none.pem"},
			`tls_ca_file "` + dir + `/none.pem": cannot be read: no such file or directory; allowed: a file with ` +
				`certificates in PEM`,
		},
		{
			[]string{"tls_ca_file", empty},
			`tls_ca_file "` + empty + `": has no certificate in it; allowed: a file with certificates in PEM`,
		},
		{
			[]string{"proxy_credentials_file", dir},
			`proxy_credentials_file "` + dir + `": is not a regular file`,
		},
		{
			[]string{"tls_cert_file", "/none", "tls_key_file", "/none"},
			`tls_cert_file "/none": cannot be read: no such file or directory`,
		},
		{
			[]string{"pseudonymize", "user_id", "pseudonymize_key_file", empty},
			`pseudonymize_key_file "` + empty + `": is empty`,
		},
		{
			[]string{"pseudonymize", "user_id", "pseudonymize_key_file", short},
			`pseudonymize_key_file "` + short + `": is shorter than 32 bytes, so that it could be guessed`,
		},
		{
			[]string{"pseudonymize", "user_id", "pseudonymize_key_file", "hush-hush-hush-hush-hush-hush-hush-hush"},
			"pseudonymize_key_file (its value, which is not shown, is not a path): cannot be read: no such file or directory",
		},
		{[]string{"api_key_file_next", dir}, `api_key_file_next "` + dir + `": is not a regular file`},
		{
			[]string{"credential_expires", "next year"},
			`credential_expires "next year": is not allowed; allowed: a date such as 2026-12-31, or RFC 3339 with a time ` +
				`zone, such as 2026-12-31T12:00:00Z`,
		},
		{[]string{"api_key", "", "bearer_token_file", dir}, `bearer_token_file "` + dir + `": is not a regular file`},
	}
	for _, test := range slices.Concat(wrongSettings, files) {
		_, err := parseConfig(with(append([]string{"api_key", "hush-hush"}, test.pairs...)...), with())
		if assert.Error(t, err, test.want) {
			assert.Equal(t, test.want, err.Error())
			assert.NotContains(t, err.Error(), "hush")
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := parseConfig(with("poll_interval", "1", "schema", "x", "tls_verify", "maybe", "end_time", "never"), with())
	require.Error(t, err)
	var keys []string
	for _, line := range strings.Split(err.Error(), "\n") {
		key, _, _ := strings.Cut(line, " ")
		keys = append(keys, key)
	}
	assert.Equal(t, []string{"end_time", "poll_interval", "schema", "tls_verify", "api_key:"}, keys)
}

func TestKeyOfTheEnvironment(t *testing.T) {
	cfg, err := parseConfig(with(), with(environmentKey, " key-of-env\n"))
	require.NoError(t, err)
	assert.Equal(t, source.Secret("key-of-env"), cfg.Credentials.APIKey)

	cfg, err = parseConfig(with("bearer_token", "token-1"), with(environmentKey, "key-of-env"))
	require.NoError(t, err)
	assert.Empty(t, string(cfg.Credentials.APIKey), "what is configured wins")

	_, err = parseConfig(with(), with(environmentKey, "two\nlines"))
	assert.EqualError(t, err, "WHEROBOTS_API_KEY: has more than one line; allowed: the credential alone")

	for _, name := range []string{"WHEROBOTS_API_KEY_FILE", "WHEROBOTS_BEARER_TOKEN_FILE"} {
		_, err = parseConfig(with(), with(environmentKey, "key-of-env", name, "/run/secrets/key"))
		assert.EqualError(t, err, "WHEROBOTS_API_KEY, "+name+": only one credential can be used; allowed: "+oneCredential)
	}

	t.Setenv(environmentKey, "key-of-process")
	cfg, err = Parse(with())
	require.NoError(t, err)
	assert.Equal(t, source.Secret("key-of-process"), cfg.Credentials.APIKey)
}

// What writes the file need not be faster than Fluent Bit.
func TestCredentialFilesOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	cfg, err := parseConfig(with(), with("WHEROBOTS_API_KEY_FILE", file+"\n"))
	require.NoError(t, err)
	assert.Equal(t, source.Credentials{APIKeyFile: file, Variable: "WHEROBOTS_API_KEY_FILE"}, cfg.Credentials)

	cfg, err = parseConfig(with(), with("WHEROBOTS_BEARER_TOKEN_FILE", file))
	require.NoError(t, err)
	assert.Equal(t, source.Credentials{BearerTokenFile: file, Variable: "WHEROBOTS_BEARER_TOKEN_FILE"}, cfg.Credentials)

	cfg, err = parseConfig(with("api_key_file", file), with("WHEROBOTS_API_KEY_FILE", dir))
	require.NoError(t, err, "what is configured wins")
	assert.Equal(t, source.Credentials{APIKeyFile: file}, cfg.Credentials)

	_, err = parseConfig(with(), with("WHEROBOTS_API_KEY_FILE", dir))
	assert.EqualError(t, err, `WHEROBOTS_API_KEY_FILE "`+dir+`": is not a regular file`)
	_, err = parseConfig(with(), with("WHEROBOTS_API_KEY_FILE", "Wb-0123456789"))
	assert.EqualError(t, err, "WHEROBOTS_API_KEY_FILE (its value, which is not shown, is not a path): cannot be read: "+
		"no such file or directory")
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		pairs []string
		want  []string
	}{
		{nil, nil},
		{[]string{"endpoint", "http://127.0.0.1:1"}, nil},
		{[]string{"endpoint", "http://[::1]:1"}, nil},
		{[]string{"endpoint", "http://localhost"}, nil},
		{
			[]string{"endpoint", "http://example.com/x/"},
			[]string{`endpoint "http://example.com/x": the credential and the events travel unencrypted; use https`},
		},
		{[]string{"tls_verify", "off"}, []string{"tls_verify off: whoever is between here and the endpoint can read the " +
			"credential; name your own CA in tls_ca_file instead"}},
		{[]string{"status_listen", "127.0.0.1:2112"}, nil},
		{
			[]string{"status_listen", ":2112"},
			[]string{`status_listen ":2112": whoever can connect to it can read the state of the collection, such as file ` +
				`names and errors; there is no password`},
		},
		{
			[]string{"start_time", "-91d"},
			[]string{`start_time "-91d": the endpoint keeps events for 90 days only; what is older is gone`},
		},
		{
			[]string{"start_time", "2999-01-01T00:00:00Z"},
			[]string{`start_time "2999-01-01T00:00:00Z": is in the future; without a checkpoint nothing is collected until ` +
				`then`},
		},
		{
			[]string{"start_time", "now", "end_time", "2020-01-01T00:00:00Z"},
			[]string{`end_time "2020-01-01T00:00:00Z": is before start_time "now"; without a checkpoint nothing is collected`},
		},
		{
			[]string{"overlap", "0", "reconcile_interval", "0"},
			[]string{"overlap 0 with reconcile_interval 0: an event that appears in the export after its time was read is " +
				"never collected"},
		},
	} {
		cfg, err := parseConfig(with(append([]string{"api_key", "key-1"}, test.pairs...)...), with())
		require.NoError(t, err)
		assert.Equal(t, test.want, cfg.Warnings())
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	cfg, err := parseConfig(with("api_key", "hush-hush"), with())
	require.NoError(t, err)
	cfg.Credentials.BearerToken = "hush-hush"
	hex := fmt.Sprintf("%x", "hush-hush")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		for _, value := range []any{cfg, &cfg, cfg.Credentials.APIKey} {
			text := fmt.Sprintf(verb, value)
			assert.NotContains(t, text, "hush-hush", verb)
			assert.NotContains(t, strings.ToLower(text), hex, verb)
		}
	}
	assert.Contains(t, fmt.Sprintf("%+v", cfg), "APIKey:[redacted]")
	assert.Equal(t, "[redacted]", cfg.Credentials.APIKey.GoString())
	encoded, err := json.Marshal(cfg)
	require.NoError(t, err)
	assert.Contains(t, string(encoded), `"APIKey":"[redacted]","APIKeyFile":""`)
	assert.NotContains(t, string(encoded), "hush")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", cfg.Credentials.APIKey, "config", cfg)
	assert.NotContains(t, log.String(), "hush")
	assert.Empty(t, source.Secret("").String(), "that nothing is set may be seen")
}

func TestSettingsTable(t *testing.T) {
	table := Table()
	rows := strings.Split(strings.TrimSpace(table), "\n")
	assert.Len(t, rows, len(settings)+2)
	for _, row := range rows {
		assert.Equal(t, 5, strings.Count(row, "|"), row)
	}
	assert.Contains(
		t, table,
		"\n| `poll_interval` | `60s` | pause between two polls once caught up | a duration from 1s to 24h, such as 60s |\n",
	)
	for _, s := range settings {
		assert.NotEmpty(t, s.text, s.key)
		assert.NotEmpty(t, s.allowed, s.key)
	}
}
