package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// intake is an HTTP destination of ours: it checks what can be known of a protocol, refuses the first delivery as if it
// were busy, and keeps what comes after.
type intake struct {
	// read returns the records of a request, or what is wrong with it. done means that it was no delivery and is answered.
	read   func(w http.ResponseWriter, r *http.Request) (records []map[string]any, done bool, err error)
	status int // of what is taken

	mu       sync.Mutex
	busy     bool // has refused
	byID     map[string]map[string]any
	problems []string
}

func (s *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	records, done, err := s.read(w, r)
	switch {
	case err != nil:
		s.problems = append(s.problems, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
	case done:
	case !s.busy:
		s.busy = true
		http.Error(w, "busy", http.StatusServiceUnavailable)
	default:
		for _, record := range records {
			id, _ := record["event_id"].(string)
			s.byID[id] = record
		}
		w.WriteHeader(s.status)
	}
}

// destination is a shipped configuration and the intake that it delivers to.
type destination struct {
	file   string
	status int
	env    func(address *url.URL, certificate string) []string
	read   func(http.ResponseWriter, *http.Request) ([]map[string]any, bool, error)
	same   func(t *testing.T, e exportertest.Event, record map[string]any) // besides the fields
}

// TestDestinationsOverHTTP runs the real engine with each of these configurations, TLS verified, against an intake
// that is busy at first.
func TestDestinationsOverHTTP(t *testing.T) {
	cases := make(map[string]destination)
	for _, d := range []destination{sentinel(), datadog(), newRelic(), sumoLogic(), panther(), logScale()} {
		cases[d.file] = d
	}
	sideBySide(t, cases, func(t *testing.T, d destination) {
		everything := pastEventWithEverything()
		events := append(lastHour(300), everything)
		events[300].Time = events[299].Time
		events[300].UserName = "line\nbreak, \"quotes\" \\ ünïcode"
		s := &intake{read: d.read, status: d.status, byID: make(map[string]map[string]any)}
		server := httptest.NewTLSServer(s)
		t.Cleanup(server.Close)
		address, err := url.Parse(server.URL)
		require.NoError(t, err)
		c := newConfRun(t, d.file, newSource(t, events...).url, d.env(address, certificateFile(t, server))...)
		c.deliverAll()

		s.mu.Lock()
		defer s.mu.Unlock()
		assert.Empty(t, s.problems)
		assert.True(t, s.busy)
		require.ElementsMatch(t, eventIDs(events), auditIDs(s.byID))
		for _, e := range events {
			for name, value := range fields(e) {
				require.Equal(t, value, s.byID[e.ID][name], "%s: %s", e.ID, name)
			}
			if d.same != nil {
				d.same(t, e, s.byID[e.ID])
			}
		}
	})
}

// certificateFile is the server's certificate, for the engine to trust.
func certificateFile(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&block), 0o600))
	return path
}

// addressed are the variables of a destination that has a host, a port and TLS.
func addressed(prefix string, more ...string) func(*url.URL, string) []string {
	return func(address *url.URL, certificate string) []string {
		return append([]string{
			prefix + "_HOST=" + address.Hostname(), prefix + "_PORT=" + address.Port(), prefix + "_CA_FILE=" + certificate,
		}, more...)
	}
}

// requireRequest says what is wrong with method, path and headers.
func requireRequest(r *http.Request, path string, headers map[string]string) error {
	if r.Method != http.MethodPost || r.URL.RequestURI() != path {
		return fmt.Errorf("%s %s, not POST %s", r.Method, r.URL, path)
	}
	for name, want := range headers {
		if got := r.Header.Get(name); got != want {
			return fmt.Errorf("header %s is %q, not %q", name, got, want)
		}
	}
	return nil
}

// jsonBody reads a gzipped body of at most a limit of bytes, and says when it is larger.
func jsonBody(r *http.Request, limit int, into any) error {
	body, err := readGzip(r)
	if err != nil {
		return err
	}
	if len(body) > limit {
		return fmt.Errorf("a body of %d bytes", len(body))
	}
	return json.Unmarshal(body, into)
}

// jsonLines reads a gzipped body of a record a line.
func jsonLines(r *http.Request) (records []map[string]any, done bool, err error) {
	body, err := readGzip(r)
	if err != nil {
		return nil, false, err
	}
	if len(body) > 1_000_000 {
		return nil, false, fmt.Errorf("a body of %d bytes", len(body))
	}
	for line := range bytes.Lines(body) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, false, err
		}
		records = append(records, record)
	}
	return records, false, nil
}

// sentinel is Azure: a token from the authority, then the stream of a data collection rule, which takes only the
// columns that it declares (the template in conf/sentinel says which).
func sentinel() destination {
	const token = "/tenant/oauth2/v2.0/token"
	const stream = "/dataCollectionRules/dcr-1/streams/Custom-WherobotsAudit_CL?api-version=2021-11-01-preview"
	want := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"https://monitor.azure.com/.default"}, "client_id": {"client"},
		"client_secret": {"s3cret"},
	}
	return destination{
		file: "sentinel.yaml", status: http.StatusNoContent,
		env: func(address *url.URL, certificate string) []string {
			authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ParseForm() != nil || r.URL.Path != token || r.PostForm.Encode() != want.Encode() {
					http.Error(w, r.URL.Path+" "+r.PostForm.Encode(), http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"t0ken"}`)
			}))
			return []string{
				"AZURE_AUTHORITY=" + authority.URL, "AZURE_TENANT_ID=tenant", "AZURE_CLIENT_ID=client",
				"AZURE_CLIENT_SECRET=s3cret", "SENTINEL_INGESTION_URL=" + address.String(), "SENTINEL_DCR_ID=dcr-1",
				"SENTINEL_CA_FILE=" + certificate,
			}
		},
		read: func(_ http.ResponseWriter, r *http.Request) (records []map[string]any, done bool, err error) {
			r.URL.Scheme, r.URL.Host = "", "" // the engine asks for the whole address
			err = requireRequest(r, stream, map[string]string{
				"Authorization": "Bearer t0ken", "Content-Type": "application/json",
			})
			if err == nil {
				err = jsonBody(r, 1_000_000, &records)
			}
			return records, false, errors.Join(err, onlyDeclared(records))
		},
		same: func(t *testing.T, e exportertest.Event, record map[string]any) {
			require.Equal(t, e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), record["TimeGenerated"])
		},
	}
}

// onlyDeclared reports a column that the template's stream does not have: Azure would drop its values.
func onlyDeclared(records []map[string]any) error {
	text, err := os.ReadFile(filepath.Join(root, "conf", "sentinel", "azuredeploy.json"))
	if err != nil {
		return err
	}
	for _, record := range records {
		for column := range record {
			if !strings.Contains(string(text), `"name": "`+column+`"`) {
				return fmt.Errorf("the stream has no column %q", column)
			}
		}
	}
	return nil
}

// datadog takes at most 1000 logs and 5 MB a request. What has one of the names that it takes for a log's date, and is
// 18 hours old, it would drop.
func datadog() destination {
	dates := regexp.MustCompile(`^(@?_?[Tt]imestamp|eventTime|date|published_date)$`)
	return destination{
		file: "datadog.yaml", status: http.StatusAccepted, env: addressed("DATADOG", "DATADOG_API_KEY=key"),
		read: func(_ http.ResponseWriter, r *http.Request) (records []map[string]any, done bool, err error) {
			err = requireRequest(r, "/api/v2/logs", map[string]string{"DD-API-KEY": "key", "Content-Type": "application/json"})
			if err == nil {
				err = jsonBody(r, 5_000_000, &records)
			}
			if len(records) > 1000 {
				err = fmt.Errorf("%d logs", len(records))
			}
			for _, record := range records {
				if record["ddsource"] != "wherobots" || record["service"] != "wherobots-audit" || record["ddtags"] != "env:prod" {
					err = fmt.Errorf("source, service or tags are missing: %v", record)
				}
				for name := range record {
					if dates.MatchString(name) {
						err = fmt.Errorf("%s is taken for the date", name)
					}
				}
			}
			return records, false, err
		},
		same: func(t *testing.T, e exportertest.Event, record map[string]any) {
			require.InDelta(t, e.Time.UnixMilli(), record["event_time_ms"], 1)
		},
	}
}

// newRelic takes [{"common":…,"logs":[{"timestamp":…,"attributes":{…}}]}].
func newRelic() destination {
	return destination{
		file: "newrelic.yaml", status: http.StatusAccepted,
		env: func(address *url.URL, certificate string) []string {
			return []string{
				"NEW_RELIC_LICENSE_KEY=key", "NEW_RELIC_URL=" + address.String() + "/log/v1", "NEW_RELIC_CA_FILE=" + certificate,
			}
		},
		read: func(_ http.ResponseWriter, r *http.Request) (records []map[string]any, done bool, err error) {
			var body []struct {
				Common map[string]any
				Logs   []struct {
					Timestamp  int64
					Message    string
					Attributes map[string]any
				}
			}
			err = requireRequest(r, "/log/v1", map[string]string{"X-License-Key": "key", "Content-Type": "application/json"})
			if err == nil {
				err = jsonBody(r, 1_000_000, &body)
			}
			for _, part := range body {
				for _, log := range part.Logs {
					log.Attributes["timestamp"] = log.Timestamp
					records = append(records, log.Attributes)
				}
			}
			return records, false, err
		},
		same: func(t *testing.T, e exportertest.Event, record map[string]any) {
			require.EqualValues(t, e.Time.UnixMilli(), record["timestamp"])
		},
	}
}

func sumoLogic() destination {
	return destination{
		file: "sumologic.yaml", status: http.StatusOK, env: addressed("SUMO", "SUMO_TOKEN=t0ken=="),
		read: func(_ http.ResponseWriter, r *http.Request) ([]map[string]any, bool, error) {
			err := requireRequest(r, "/receiver/v1/http/t0ken==", map[string]string{"X-Sumo-Category": "wherobots/audit"})
			if err != nil {
				return nil, false, err
			}
			return jsonLines(r)
		},
		same: func(t *testing.T, e exportertest.Event, record map[string]any) {
			require.Equal(t, e.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), record["date"])
		},
	}
}

func panther() destination {
	return destination{
		file: "panther.yaml", status: http.StatusOK,
		env: addressed("PANTHER", "PANTHER_URI=/http/1", "PANTHER_SECRET=s3cret"),
		read: func(_ http.ResponseWriter, r *http.Request) ([]map[string]any, bool, error) {
			if err := requireRequest(r, "/http/1", map[string]string{"x-panther-secret": "s3cret"}); err != nil {
				return nil, false, err
			}
			return jsonLines(r)
		},
	}
}

// logScale speaks HEC, and takes the sourcetype for its parser's name.
func logScale() destination {
	return destination{
		file: "logscale.yaml", status: http.StatusOK, env: addressed("LOGSCALE", "LOGSCALE_TOKEN=t0ken"),
		read: func(_ http.ResponseWriter, r *http.Request) (records []map[string]any, done bool, err error) {
			err = requireRequest(r, "/services/collector/event", map[string]string{"Authorization": "Splunk t0ken"})
			if err != nil {
				return nil, false, err
			}
			body, err := readGzip(r)
			if err != nil {
				return nil, false, err
			}
			for decoder := json.NewDecoder(bytes.NewReader(body)); decoder.More(); {
				var e hecEvent
				if err := decoder.Decode(&e); err != nil {
					return nil, false, err
				}
				if e.Time == nil || e.Sourcetype != "json" {
					return nil, false, fmt.Errorf("envelope %+v", e)
				}
				records = append(records, e.Event)
			}
			return records, false, nil
		},
	}
}

// TestGoogleSecOps writes gzipped OCSF lines into a bucket by the S3 interface, signed with the HMAC key.
func TestGoogleSecOps(t *testing.T) {
	t.Parallel()
	events := lastHour(100)
	var mu sync.Mutex
	stored := make(map[string]bool)
	var problems []string
	path := regexp.MustCompile(`^/bucket/wherobots-audit/\d{4}/\d\d/\d\d/\d{6}-\w+\.jsonl\.gz$`)
	signed := regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=none/\d{8}/auto/s3/aws4_request, SignedHeaders=`)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method != http.MethodPut || !path.MatchString(r.URL.Path) || !signed.MatchString(r.Header.Get("Authorization")) {
			problems = append(problems, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
			http.Error(w, "wrong", http.StatusForbidden)
			return
		}
		r.Header.Set("Content-Encoding", "gzip") // the object is gzip, not the transfer
		lines, _, err := jsonLines(r)
		if err != nil {
			problems = append(problems, err.Error())
		}
		for _, line := range lines {
			if metadata, ok := line["metadata"].(map[string]any); ok && line["class_uid"] != nil {
				id, _ := metadata["uid"].(string)
				stored[id] = true
			}
		}
	}))
	t.Cleanup(server.Close)
	c := newConfRun(
		t, "google-secops.yaml", newSource(t, events...).url, "SECOPS_BUCKET=bucket", "SECOPS_STORAGE="+server.URL,
		"SECOPS_CA_FILE="+certificateFile(t, server), "SECOPS_UPLOAD_TIMEOUT=3s", "AWS_ACCESS_KEY_ID=none",
		"AWS_SECRET_ACCESS_KEY=none",
	)
	p := c.start()
	p.until(c.patience, "every event in the bucket", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(auditIDs(stored)) == len(events)
	})
	p.stop()
	mu.Lock()
	defer mu.Unlock()
	assert.Empty(t, problems)
	assert.ElementsMatch(t, eventIDs(events), auditIDs(stored))
}
