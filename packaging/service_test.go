package packaging

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

const unit = "wherobots-audit.service"

// engine returns a Fluent Bit, which the unit expects where Fluent Bit's own packages put it.
func engine(t *testing.T) string {
	t.Helper()
	name := os.Getenv("FLUENT_BIT")
	if name == "" {
		name = "fluent-bit"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("there is no Fluent Bit")
	}
	return path
}

// Installed, started, killed, restarted, stopped and removed, under systemd, with all that hardens the unit.
func TestServiceOfTheDebianPackage(t *testing.T) {
	needs(t, "dpkg")
	s := installed(t, packaged(t, "deb"), "dpkg", "-i")
	s.collects(t)

	s.run(t, "dpkg", "-i", "/run/host/package") // as an upgrade does
	assert.True(t, s.succeeds("systemctl", "is-active", unit), "after an upgrade it runs on")

	s.run(t, "dpkg", "-r", "wherobots-audit")
	s.removed(t)
	assert.True(t, s.succeeds("test", "-e", "/etc/fluent-bit/wherobots/splunk.yaml"), "configurations stay")
	s.run(t, "dpkg", "-P", "wherobots-audit")
	assert.False(t, s.succeeds("test", "-e", "/etc/fluent-bit/wherobots"), "until they are purged")
	assert.True(t, s.succeeds("test", "-s", "/var/lib/private/wherobots-audit/wherobots_audit.json"))
}

func TestServiceOfTheRPMPackage(t *testing.T) {
	needs(t, "rpm")
	s := installed(t, packaged(t, "rpm"), "rpm", "-i", "--nodeps") // RPM does not know what Debian has installed
	s.collects(t)
	s.run(t, "rpm", "-e", "wherobots-audit")
	s.removed(t)
}

type service struct {
	*machine
	source *exportertest.Server
	url    string
}

// installed boots a machine, installs a package there and configures it.
func installed(t *testing.T, path string, install ...string) service {
	t.Helper()
	program := engine(t)
	m := newMachine(t)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(m.shared, "package"), text, 0o600))
	m.run(t, "install", "-D", program, "/opt/fluent-bit/bin/fluent-bit")
	m.run(t, install[0], append(install[1:], "/run/host/package")...)
	assert.Empty(t, m.run(t, "systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/"+unit))

	source := exportertest.New(exportertest.Options{APIKey: "key-in-a-file", Seed: 1})
	now := time.Now().UTC().Truncate(time.Second)
	source.Add(exportertest.Generate(1, 200, now.Add(-6*time.Hour), now.Add(-time.Minute))...)
	web := httptest.NewServer(source)
	t.Cleanup(web.Close)
	listener := httptest.NewUnstartedServer(nil).Listener
	port := listener.Addr().String()[strings.LastIndex(listener.Addr().String(), ":")+1:]
	listener.Close()
	m.write(t, "/etc/fluent-bit/wherobots/api_key", 0o600, "key-in-a-file\n")
	m.write(t, "/etc/fluent-bit/wherobots/environment", 0o600,
		fmt.Sprintf("WHEROBOTS_CONFIGURATION=/etc/fluent-bit/wherobots/fluent-bit.yaml\nWHEROBOTS_ENDPOINT=%s\n"+
			"FLUENT_BIT_HTTP_PORT=%s\n", web.URL, port))
	m.write(t, "/etc/systemd/system/probe.service", 0o644, "[Service]\nType=oneshot\nDynamicUser=yes\n"+
		"LoadCredential=key:/etc/hostname\nExecStart=sh -c 'cat \"$CREDENTIALS_DIRECTORY/key\"'\n")
	if !m.succeeds("systemctl", "start", "probe.service") {
		t.Log("on this kernel no service with a user of its own can read its credentials; the key is in a file instead")
		m.write(t, "/etc/systemd/system/"+unit+".d/key.conf", 0o644, "[Service]\nEnvironment=WHEROBOTS_API_KEY_FILE=/key\n")
		m.write(t, "/key", 0o644, "key-in-a-file\n")
	}
	return service{m, source, web.URL}
}

// collects requires that every event comes out, also after the process was killed.
func (s service) collects(t *testing.T) {
	t.Helper()
	s.run(t, "systemctl", "enable", "--now", unit)
	s.until(t, "200 events", func() bool { return len(s.events(t)) == 200 })
	s.until(t, "a checkpoint", func() bool { return strings.Contains(s.journal(), "caught up at") })
	s.run(t, "systemctl", "kill", "--signal=SIGKILL", unit)
	now := time.Now().UTC().Truncate(time.Second)
	s.source.Add(exportertest.Generate(2, 10, now.Add(-5*time.Second), now)...)
	s.until(t, "what came meanwhile", func() bool { return len(s.events(t)) == 210 })
	assert.Equal(t, "1", strings.TrimSpace(s.run(t, "systemctl", "show", "-P", "NRestarts", unit)))

	shown := s.run(t, "systemctl", "show", "-P", "MainPID", unit)
	status := s.run(t, "cat", "/proc/"+strings.TrimSpace(shown)+"/status")
	assert.NotRegexp(t, `(?m)^Uid:\s+0\s`, status, "not root")
	assert.Regexp(t, `(?m)^CapEff:\s+0+$`, status)
	assert.NotContains(t, s.journal(), "key-in-a-file")
	exposure := s.run(t, "systemd-analyze", "security", "--no-pager", unit)
	t.Log(lastLine(exposure))
}

// removed requires that it was stopped, and that what it keeps is still there.
func (s service) removed(t *testing.T) {
	t.Helper()
	assert.False(t, s.succeeds("systemctl", "is-active", unit))
	assert.False(t, s.succeeds("systemctl", "is-enabled", unit))
	assert.False(t, s.succeeds("test", "-e", "/usr/lib/fluent-bit/in_wherobots_audit.so"))
	assert.True(t, s.succeeds("test", "-s", "/var/lib/private/wherobots-audit/wherobots_audit.json"), "its state")
}

func (s service) journal() string {
	text, _ := s.command("journalctl", "--no-pager", "-o", "cat", "-u", unit).CombinedOutput()
	return string(text)
}

// events are the ids of all events in the journal; those that came again count once.
func (s service) events(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader([]byte(s.journal())))
	for lines.Scan() {
		var record struct {
			ID string `json:"event_id"`
		}
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.ID != "" {
			found[record.ID] = true
		}
	}
	return found
}

func (s service) until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !condition(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			status, _ := s.command("systemctl", "status", "--no-pager", unit).CombinedOutput()
			require.FailNow(t, "waited in vain", "for %s\n%s\n%s", what, status, s.journal())
		}
	}
}
