package e2e

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collector is a syslog server over TLS: it keeps the lines.
type collector struct {
	net.Listener
	mu    sync.Mutex
	lines []string
}

func newCollector(t *testing.T) (c *collector, certificate string) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(lender.Close)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: lender.TLS.Certificates})
	require.NoError(t, err)
	c = &collector{Listener: listener}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			connection, err := c.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.keep(connection) })
		}
	})
	t.Cleanup(func() {
		c.Close()
		running.Wait()
	})
	return c, certificateFile(t, lender)
}

func (c *collector) keep(connection net.Conn) {
	defer connection.Close()
	for lines := bufio.NewReader(connection); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		c.mu.Lock()
		c.lines = append(c.lines, strings.TrimSuffix(line, "\n"))
		c.mu.Unlock()
	}
}

var (
	cefLine = regexp.MustCompile(
		`^<110>[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d wherobots-cloud (CEF:0\|Wherobots\|Wherobots Cloud\|1\|.*)$`)
	cefHead    = regexp.MustCompile(`(?:[^\\|]|\\[\\|])*\|`)
	cefKey     = regexp.MustCompile(`(?:^| )([A-Za-z0-9]+)=`)
	cefEscaped = regexp.MustCompile(`^(?:[^\\=\r\n]|\\[\\=rn])*$`)
)

// parseCEF reads a line as the specification has it: a head of seven fields, then pairs whose values end before the
// next key. What is not escaped as it should be fails the test.
func parseCEF(t *testing.T, line string) (head []string, pairs map[string]string) {
	t.Helper()
	match := cefLine.FindStringSubmatch(line)
	require.NotNil(t, match, line)
	rest := match[1]
	for range 7 {
		field := cefHead.FindString(rest)
		require.True(t, field != "" && strings.HasPrefix(rest, field), line)
		rest = rest[len(field):]
		head = append(head, strings.NewReplacer(`\\`, `\`, `\|`, `|`).Replace(strings.TrimSuffix(field, "|")))
	}
	pairs = make(map[string]string)
	keys := cefKey.FindAllStringSubmatchIndex(rest, -1)
	for i, k := range keys {
		end := len(rest)
		if i+1 < len(keys) {
			end = keys[i+1][0]
		}
		value := rest[k[1]:end]
		require.Regexp(t, cefEscaped, value, line)
		pairs[rest[k[2]:k[3]]] = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\n`, "\n", `\r`, "\r").Replace(value)
	}
	return head, pairs
}

// TestCEF runs the real engine with conf/cef.yaml against a syslog server over TLS. Names that try to end a field, a
// line or the message arrive as they were.
func TestCEF(t *testing.T) {
	t.Parallel()
	events := append(lastHour(300), pastEventWithEverything(), pastEventWithEverything())
	nasty := &events[300]
	nasty.Time = events[299].Time
	nasty.Action = `role|changed\ a=b` + "\nnext"
	nasty.UserName = `a=b\c|d msg=forged` + "\r\n<13>Jan  1 00:00:00 host CEF:0|x"
	nasty.ResourceName = `ends with a backslash\`
	v6 := &events[301]
	v6.ID, v6.Time, v6.SourceIP = "id-6", events[299].Time, "2001:db8::7"

	server, certificate := newCollector(t)
	host, port, err := net.SplitHostPort(server.Addr().String())
	require.NoError(t, err)
	c := newConfRun(
		t, "cef.yaml", newSource(t, events...).url, "CEF_HOST="+host, "CEF_PORT="+port, "CEF_CA_FILE="+certificate,
	)
	c.deliverAll()

	server.mu.Lock()
	defer server.mu.Unlock()
	stored := make(map[string]map[string]string)
	heads := make(map[string][]string)
	for _, line := range server.lines {
		head, pairs := parseCEF(t, line)
		id := pairs["externalId"]
		stored[id], heads[id] = pairs, head
	}
	require.ElementsMatch(t, eventIDs(events), auditIDs(stored))
	keys := map[string]string{
		"user_id": "suid", "user_name": "suser", "user_agent": "requestClientApplication", "resource_name": "cs1",
		"resource_id": "cs2", "compute_region": "cs3", "client_chain": "cs4", "source_client": "cs5", "action_name": "act",
	}
	for _, e := range events {
		for name, value := range fields(e) {
			if key, there := keys[name]; there {
				require.Equal(t, value, stored[e.ID][key], "%s: %s", e.ID, name)
			}
		}
		require.Regexp(t, `^\d{13}$`, stored[e.ID]["rt"])
		require.Equal(t, "3", heads[e.ID][6])
	}
	assert.Equal(t, `role|changed\ a=b next`, heads[nasty.ID][4])
	assert.Equal(t, "2001:db8::7", stored["id-6"]["c6a2"])
	assert.Equal(t, "192.0.2.1", stored[nasty.ID]["src"])
	assert.Equal(t, "resourceName", stored[nasty.ID]["cs1Label"])
	for id, pairs := range stored {
		if strings.HasPrefix(id, "status-collection_started") {
			assert.Equal(t, "wherobots_audit_status", pairs["WherobotsRecordType"])
			assert.NotEmpty(t, pairs["msg"])
			return
		}
	}
	assert.Fail(t, "no status event")
}
