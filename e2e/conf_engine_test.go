package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// complaints are what the engine logs about options that it does not know or cannot read.
var complaints = []string{
	"unknown configuration property", "is used but not set", "invalid property", "error at", "could not",
	"cannot",
}

// TestConfigurationsStart starts the real engine with every shipped configuration and only the variables that
// it needs, until its monitoring address answers: by then every plugin has read its options. With one that
// has somewhere to deliver to it reloads, too.
func TestConfigurationsStart(t *testing.T) {
	files := make(map[string]string)
	for _, file := range configurations(t) {
		files[file] = file
	}
	sideBySide(t, files, func(t *testing.T, file string) {
		c := newConfRun(t, file, newSource(t).url, required(t, file)...)
		output, err := c.command("--dry-run").CombinedOutput()
		require.NoError(t, err, "%s", output)
		requireNoComplaint(t, string(output))

		p := c.start()
		p.until(30*time.Second, "monitoring address", func() bool {
			response, err := http.Get("http://127.0.0.1:" + strconv.Itoa(c.rig.port) + "/api/v1/uptime")
			if err != nil {
				return false
			}
			response.Body.Close()
			return response.StatusCode == http.StatusOK
		})
		if strings.HasPrefix(file, "fluent-bit.") { // the engine reloads only when every delivery has ended
			p.signal(syscall.SIGHUP)
			p.until(30*time.Second, "reload", p.logged("successful reload done"))
		}
		p.stop()
		requireNoComplaint(t, c.rig.log(t))
	})
}

// TestUnknownOptionIsNoticed shows that the test above can fail.
func TestUnknownOptionIsNoticed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "conf", "splunk.yaml"))
	require.NoError(t, err)
	spoilt := strings.Replace(string(text), "      channel:", "      no_such_option: on\n      channel:", 1)
	path := filepath.Join(t.TempDir(), "splunk.yaml")
	require.NoError(t, os.WriteFile(path, []byte(spoilt), 0o600))
	c := newConfRun(t, path, newSource(t).url, required(t, "splunk.yaml")...)
	output, err := c.command("--dry-run").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "unknown configuration property 'no_such_option'")
}

func requireNoComplaint(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "librdkafka") || strings.Contains(line, "output:kafka") {
			continue // there is no broker
		}
		for _, complaint := range complaints {
			require.NotContains(t, line, complaint)
		}
	}
}

// required are variables for what a configuration uses without a default.
func required(t *testing.T, file string) []string {
	t.Helper()
	var set []string
	for _, v := range variables(t, file) {
		if !v.optional && v.name != "WHEROBOTS_API_KEY" && v.name != "HOSTNAME" {
			value := "value"
			if strings.HasSuffix(v.name, "_URL") {
				value = "https://127.0.0.1:1"
			}
			set = append(set, v.name+"="+value)
		}
	}
	return append(set, "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none")
}
