package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/probe"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// unpack returns the files of a diagnosis by name.
func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	files := make(map[string]string)
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		require.NoError(t, err)
		text, err := io.ReadAll(reader)
		require.NoError(t, err)
		files[strings.TrimPrefix(header.Name, "wherobots-audit-diagnose/")] = string(text)
	}
}

// canaries are secrets that must not be in a diagnosis, each by where it is planted.
var canaries = map[string]string{
	"api_key_file":         "canary-apikey-3f9a1c77e2",
	"splunk token":         "canary-splunk-a82be7",
	"short password":       "cnry7",
	"header":               "canary-header-55d0c1",
	"processor":            "canary-processor-d9",
	"literal in service":   "canary-service-e8",
	"proxy password":       "canary-proxy-b7:@/x",
	"proxy's file":         "canary-proxy-file-71",
	"next key's file":      "canary-next-key-82",
	"environment":          "canary-environment-c6",
	"environment's file":   "canary-in-a-file-0a",
	"variable of the file": "canary-variable-1b",
	"unnamed key":          "c4n4ryWithoutAName0815",
	"log: bearer":          "canary.log.bearer.2c",
	"log: key":             "canary-log-key-3d",
	"log: password":        "canary-log-password-4e",
	"log: JWT":             "eyJjYW5hcnkiOiJqd3QifQ.eyJjYW5hcnkiOjF9.Y2FuYXJ5",
	"cookie":               "canary-cookie-5f",
	"status":               "canary-status-60",
}

// planted is a configuration with all canaries, and what else it needs.
type planted struct {
	file, log string
	status    string
	key       []byte
}

// repeaters are an endpoint and a status that repeat secrets.
func repeaters(t *testing.T) (endpoint, status *httptest.Server) {
	t.Helper()
	server := exportertest.New(exportertest.Options{APIKey: canaries["api_key_file"]})
	server.Add(exportertest.Generate(1, 10, time.Now().Add(-time.Minute), time.Now())...)
	endpoint = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session="+canaries["cookie"])
		w.Header().Set("Server", "echo "+r.Header.Get("X-API-Key")) // a server that repeats what it got
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(endpoint.Close)
	status = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"ready":true,"token":%q,"seen":%q}`, canaries["status"], canaries["api_key_file"])
	}))
	t.Cleanup(status.Close)
	return endpoint, status
}

func plant(t *testing.T) planted {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	endpoint, status := repeaters(t)
	p := planted{status: status.URL, key: checkpoint.NewKey()}
	path := filepath.Join(dir, "c.json")
	state, err := checkpoint.Open(path, checkpoint.Source{Endpoint: endpoint.URL})
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, state.Save(checkpoint.State{Key: p.key, From: now.Add(-time.Hour), Through: now}))
	require.NoError(t, state.Close())

	proxy := url.URL{Scheme: "http", User: url.UserPassword("me", canaries["proxy password"]), Host: "127.0.0.1:1"}
	t.Setenv("HTTPS_PROXY", proxy.String())
	t.Setenv("SOME_TOKEN", canaries["environment"])
	t.Setenv("SOME_PASSWORD_FILE", write("password", canaries["environment's file"]+"\n"))
	p.file = write("a.yaml", fmt.Sprintf(`env:
  ANYTHING: %s
service:
  http_server: on
  storage.metrics: on
  some_secret: %s
  storage.path: %s
pipeline:
  inputs:
    - name: wherobots_audit
      tag: audit
      endpoint: %s
      engine_url: %s
      api_key_file: %s
      api_key_file_next: %s
      proxy_credentials_file: %s
      checkpoint_path: %s
      storage.type: filesystem
      processors:
        logs:
          - name: anything
            password: %s
  outputs:
    - name: splunk
      match: audit
      retry_limit: no_limits
      splunk_token: %s
      http_passwd: %s
      message_key_field: event_id
      routing_key: %s
      header: Authorization Bearer %s
      shared_key: ${ANYTHING}
`, canaries["variable of the file"], canaries["literal in service"], dir, endpoint.URL, status.URL,
		write("key", canaries["api_key_file"]), write("next", canaries["next key's file"]+"\n"),
		write("proxy", "me:"+canaries["proxy's file"]+"\n"), path, canaries["processor"], canaries["splunk token"],
		canaries["short password"], canaries["unnamed key"], canaries["header"]))
	p.log = write("log", repeated()+fmt.Sprintf("[info] poll of a window\n[x] Authorization: Bearer %s\n"+
		"[x] X-API-Key: %s\n[x] http://u:%s@h/ %s\n[x] key=%s\n",
		canaries["log: bearer"], canaries["log: key"], canaries["log: password"], canaries["log: JWT"],
		base64.StdEncoding.EncodeToString(p.key)))
	return p
}

// repeated is a log that has what settings and the environment hide, with nothing that says what it is.
func repeated() string {
	var b strings.Builder
	for place, canary := range canaries {
		if !strings.HasPrefix(place, "log: ") && place != "cookie" && place != "status" {
			fmt.Fprintf(&b, "[x] %s <%s> %s\n", canary, canary, url.QueryEscape(canary))
			if len(canary) >= 8 { // what is shorter is not looked for in other spellings
				fmt.Fprintf(&b, "[x] %s\n", base64.RawStdEncoding.EncodeToString([]byte(canary)))
			}
		}
	}
	return b.String()
}

// What is left out is left out, not only made unreadable.
func TestADiagnosisLeavesOutWhatMayHaveSecrets(t *testing.T) {
	p := plant(t)
	read, err := fluentconf.Read(p.file, os.Getenv)
	require.NoError(t, err)
	text, err := json.Marshal(shown(read.Of("output")[0]))
	require.NoError(t, err)
	require.Contains(t, string(text), "no_limits")
	for place, canary := range canaries {
		require.NotContains(t, string(text), canary, place)
	}
	recorder := new(probe.Recorder)
	recorder.Wrap(exportertest.RoundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{Body: http.NoBody, Header: http.Header{"Set-Cookie": {"hush"}, "Date": {"now"}}}, nil
	}))
	request := httptest.NewRequest(http.MethodGet, "http://h/p?searchTerm=hush&startTime=s", nil)
	request.Header.Set("X-API-Key", "hush")
	_, err = recorder.RoundTrip(request)
	require.NoError(t, err)
	text, err = json.Marshal(recorder.Exchanges)
	require.NoError(t, err)
	require.Contains(t, string(text), `"Date":"now"`)
	require.NotContains(t, string(text), "hush")
}

// No secret is in a diagnosis, in no spelling, wherever it was.
func TestADiagnosisHasNoSecret(t *testing.T) {
	p := plant(t)
	code, out, errors := try("diagnose", "-c", p.file, "-o", "-", "--log", p.log, "--url", p.status)
	require.Zero(t, code, errors)
	files := unpack(t, []byte(out))

	secrets := map[string]string{
		"checkpoint key": string(p.key), "checkpoint key in hex": hex.EncodeToString(p.key),
		"checkpoint key in base64": base64.RawStdEncoding.EncodeToString(p.key),
	}
	for place, canary := range canaries {
		secrets[place] = canary
		secrets[place+" in base64"] = base64.RawStdEncoding.EncodeToString([]byte(canary))
		secrets[place+" in a URL"] = url.QueryEscape(canary)
		secrets[place+" in half"] = canary[:len(canary)-1]
	}
	for name, text := range files {
		for place, secret := range secrets {
			require.NotContains(t, text, secret, "%s is in %s", place, name)
		}
	}

	// What helps is there.
	require.Contains(t, files["about.txt"], "wherobots-audit")
	require.Contains(t, files["settings.json"], `"retry_limit": "no_limits"`)
	require.Contains(t, files["settings.json"], `"splunk_token"`)
	require.Contains(t, files["settings.json"], "api_key_file")
	require.Contains(t, files["check.json"], "10 events of the last hour")
	require.Contains(t, files["requests.json"], `"status": 200`)
	require.Contains(t, files["requests.json"], `"Content-Type": "text/csv`)
	require.Contains(t, files["checkpoint-wherobots_audit_0.json"], `"through"`)
	require.Contains(t, files["status.json"], `"ready":true`)
	require.Contains(t, files["log.txt"], "poll of a window")
	require.Contains(t, files, "engine-wherobots_audit_0-metrics.txt")
	var exchanges []map[string]any
	require.NoError(t, json.Unmarshal([]byte(files["requests.json"]), &exchanges))
	require.NotZero(t, exchanges[0]["bytes"])
}

// Whatever is called .json is JSON, also where something could not be asked, read or understood.
func TestWhatADiagnosisLacksIsSaidInJSON(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/plain" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "<p>not &amp; now: "+canaries["api_key_file"]+"</p>")
	}))
	defer server.Close()
	dir := t.TempDir()
	t.Setenv("SOME_TOKEN", canaries["api_key_file"])
	diagnosed := func(url, setting string) map[string]string {
		file := filepath.Join(dir, "a.yaml")
		require.NoError(t, os.WriteFile(file, []byte("pipeline:\n  inputs:\n    - name: wherobots_audit\n"+
			"      api_key_file: "+dir+"/key\n      checkpoint_path: "+dir+"/none.json\n      endpoint: "+server.URL+"\n"+
			"      engine_url: "+server.URL+"\n"+setting), 0o600))
		code, out, errors := try("diagnose", "-c", file, "-o", "-", "--url", url)
		require.Zero(t, code, errors)
		files := unpack(t, []byte(out))
		for name, text := range files {
			require.True(t, json.Valid([]byte(text)) || filepath.Ext(name) != ".json", "%s: %s", name, text)
			require.NotContains(t, text, canaries["api_key_file"])
		}
		return files
	}
	said := func(text string) (answer struct{ Error, Answer string }) {
		require.NoError(t, json.Unmarshal([]byte(text), &answer))
		return answer
	}
	const nowhere = "http://127.0.0.1:1/status"
	files := diagnosed(nowhere, "")
	require.Regexp(t, "^status_listen is not set; "+nowhere+": .*refused", said(files["status.json"]).Error)
	require.Contains(t, said(files["checkpoint-wherobots_audit_0.json"]).Error, "none.json")
	about := said(files["engine-wherobots_audit_0-about.json"])
	require.Contains(t, about.Error, "status 503")
	require.Contains(t, about.Answer, "<p>not &amp; now")
	require.Contains(t, files["engine-wherobots_audit_0-metrics.txt"], "status 503\n<p>")
	files = diagnosed(nowhere, "      status_listen: 127.0.0.1:2112\n")
	require.NotContains(t, files["status.json"], "status_listen")
	files = diagnosed(server.URL+"/plain", "")
	require.Contains(t, said(files["status.json"]).Error, "the answer is not JSON")
	require.Contains(t, said(files["status.json"]).Answer, "<p>not")
}

// A bug report is needed most where something does not work.
func TestADiagnosisOfWhatDoesNotWork(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.conf")
	require.NoError(t, os.WriteFile(file, []byte("[INPUT]\n    api_key=canary-key-1234\n"), 0o600))
	archive := filepath.Join(dir, "out.tar.gz")
	log := filepath.Join(dir, "fluent-bit.log")
	require.NoError(t, os.WriteFile(log, []byte("sent with canary-key-1234\n"), 0o600))
	args := []string{"diagnose", "--offline", "-c", file, "-o", archive, "--log", log}
	code, out, errors := try(args...)
	require.Zero(t, code, errors)
	require.Contains(t, out, "look through it")
	text, err := os.ReadFile(archive)
	require.NoError(t, err)
	info, err := os.Stat(archive)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	files := unpack(t, text)
	require.Contains(t, files["settings.json"], "a.conf:2")
	require.True(t, json.Valid([]byte(files["settings.json"])), files["settings.json"])
	require.NotContains(t, files["settings.json"], "canary")
	require.Contains(t, files["log.txt"], "left out")
	require.NotContains(t, files["log.txt"], "canary", "what is secret is not known")
	require.NotContains(t, files, "status.json")

	code, _, _ = try(args...)
	require.Equal(t, exitFailed, code, "writes over a file")
}

func TestTheEndOfALongLogIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("a line of the log\n", 100_000)+"the last\n"), 0o600))
	text := lastOf(path)
	require.True(t, strings.HasPrefix(text, "a line"))
	require.True(t, strings.HasSuffix(text, "the last\n"))
	require.LessOrEqual(t, len(text), mostFetched)
	require.Contains(t, lastOf(path+"none"), "no such file")
}
