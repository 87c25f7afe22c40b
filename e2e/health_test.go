package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/health"
)

// Two inputs share status_listen: it is ready when both are, says why it is not, lists both, shows the figures, and
// goes on after a reload. No answer has a key.
func TestStatusListen(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		if old(h) {
			t.Skip("engines before 4.1 can have one instance only")
		}
		s, refusing := newSource(t, past(50)...), newSource(t, past(50)...)
		refusing.SetCredentials("another-key-than-ours", "")
		r := newRig(t, h, s.url)
		address := "127.0.0.1:" + strconv.Itoa(freePort(t))
		r.set("status_listen", address, "organization", "Acme")
		r.add("second", map[string]string{
			"endpoint": refusing.url, "api_key": testKey, "status_listen": address, "retry_max_interval": "1s",
		})
		p := r.start(t)
		p.until(30*time.Second, "the events", func() bool { return r.lines(t) >= 50 })
		code, text := probe("http://" + address + health.LivePath)
		assert.Equal(t, 200, code, text)
		code, text = probe("http://" + address + health.ReadyPath)
		assert.Equal(t, 503, code, text)
		assert.Contains(t, text, "no request has been answered yet: GET /audit-log/export: 401")
		assert.NotContains(t, text, testKey)

		refusing.SetCredentials(testKey, "")
		p.until(30*time.Second, "that it is ready", func() bool {
			code, text = probe("http://" + address + health.ReadyPath)
			return code == 200
		})
		code, text = probe("http://" + address + health.StatusPath)
		assert.Equal(t, 200, code)
		var report health.Report
		require.NoError(t, json.Unmarshal([]byte(text), &report))
		require.Len(t, report.Instances, 2)
		assert.Equal(t, "Acme", report.Instances[0].Organization)
		assert.NotContains(t, text, testKey)
		_, text = probe("http://" + address + health.MetricsPath)
		for _, name := range figures.Names() {
			assert.Contains(t, text, "\n"+name+"{")
		}
		assert.Contains(t, text, `wherobots_audit_up{name="audit",organization="Acme"} 1`)
		assert.Contains(t, text, `wherobots_audit_up{name="second"} 1`)

		p.signal(syscall.SIGHUP)
		p.until(30*time.Second, "an answer of the new instances", func() bool {
			_, text = probe("http://" + address + health.StatusPath)
			var after health.Report
			return json.Unmarshal([]byte(text), &after) == nil && len(after.Instances) == 2 &&
				after.Instances[0].Started.After(report.Instances[0].Started)
		})
		p.stop()
		code, _ = probe("http://" + address + health.LivePath)
		assert.Zero(t, code, "it ends with the host")
		assert.False(t, strings.Contains(r.log(t), "address already in use"))
	})
}

// probe is what an orchestrator does. Without an answer the status is 0.
func probe(url string) (status int, text string) {
	response, err := http.Get(url)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}
