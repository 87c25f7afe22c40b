package health

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func member(name string, alive, ready bool, lines *atomic.Value) Member {
	note := func(format string, args ...any) {
		if lines != nil {
			lines.Store(fmt.Sprintf(format, args...))
		}
	}
	return Member{
		Instance: func() Instance {
			return Instance{Name: name, Alive: alive, Ready: ready, Reason: map[bool]string{false: "because"}[ready]}
		},
		Stats:  func() figures.Stats { return figures.Stats{Version: "1.2.3", Schema: "raw"} },
		Errorf: note, Infof: note,
	}
}

// ask waits for an answer: a server begins in its own time.
func ask(t *testing.T, address, path string) (status int, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		status, text = response.StatusCode, string(body)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	return status, text
}

// Instances share an address: it is ready when all are, and it ends with the last.
func TestInstancesShareAnAddress(t *testing.T) {
	address := freeAddress(t)
	leaveFirst := Join(address, member("audit", true, true, nil))
	status, text := ask(t, address, ReadyPath)
	assert.Equal(t, 200, status, text)
	leaveSecond := Join(address, member("audit", true, false, nil))
	status, text = ask(t, address, ReadyPath)
	assert.Equal(t, 503, status)
	assert.Contains(t, text, `"reason": "because"`)
	assert.Contains(t, text, `"audit-2"`)
	status, _ = ask(t, address, LivePath)
	assert.Equal(t, 200, status)

	_, text = ask(t, address, StatusPath)
	var report Report
	require.NoError(t, json.Unmarshal([]byte(text), &report))
	assert.Equal(t, "1.2.3", report.Version)
	assert.Len(t, report.Instances, 2)
	_, text = ask(t, address, MetricsPath)
	assert.Contains(t, text, `wherobots_audit_build_info{name="audit-2",version="1.2.3",schema="raw"} 1`)

	leaveSecond()
	status, _ = ask(t, address, ReadyPath)
	assert.Equal(t, 200, status)
	leaveFirst()
	_, err := http.Get("http://" + address + ReadyPath)
	require.Error(t, err, "nobody listens any more")
	leave := Join(address, member("audit", false, false, nil)) // as after a reload
	defer leave()
	status, _ = ask(t, address, LivePath)
	assert.Equal(t, 503, status)
}

// An address that another process holds is told, and used when it is free.
func TestAnAddressInUse(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var line atomic.Value
	line.Store("")
	address := holder.Addr().String()
	defer Join(address, member("audit", true, true, &line))()
	require.Eventually(t, func() bool { return line.Load() != "" }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, "status_listen "+address+": bind: address already in use; tries again every 30s, and the collection "+
		"goes on", line.Load())
	require.NoError(t, holder.Close())
	status, _ := ask(t, address, LivePath)
	assert.Equal(t, 200, status)
	assert.Equal(t, "status_listen "+address+": answers now", line.Load())
}

// What is no question is not answered, however it is asked.
func TestStrangeRequests(t *testing.T) {
	address := freeAddress(t)
	defer Join(address, member("audit", true, true, nil))()
	status, _ := ask(t, address, "/")
	assert.Equal(t, 404, status)
	response, err := http.Post("http://"+address+StatusPath, "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 405, response.StatusCode)
	request, err := http.NewRequest(http.MethodGet, "http://"+address+StatusPath, nil)
	require.NoError(t, err)
	request.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	response, err = http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 431, response.StatusCode)
}

// Who opens connections and says nothing keeps nobody else from asking for long, and costs no more than a few.
func TestConnectionsAreBounded(t *testing.T) {
	address := freeAddress(t)
	defer Join(address, member("audit", true, true, nil))()
	ask(t, address, LivePath)
	http.DefaultClient.CloseIdleConnections()
	for range 2 * mostConnections {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer c.Close()
	}
	status, _ := ask(t, address, LivePath) // once the silent are sent away
	assert.Equal(t, 200, status)
}

func TestJudge(t *testing.T) {
	now := time.Now()
	f := Freshness{time.Minute, 15 * time.Minute}
	failing := &Failure{Text: "503", Failures: 3}
	for name, c := range map[string]struct {
		in         Instance
		silent     time.Duration
		ended      bool
		alive      bool
		ready      bool
		reasonPart string
	}{
		"all is well": {in: Instance{LastSuccess: now}, alive: true, ready: true},
		"polls fail for a while": {
			in: Instance{LastSuccess: now.Add(-10 * time.Minute), LastError: failing}, alive: true, ready: true,
		},
		"polls fail for too long": {
			in:    Instance{LastSuccess: now.Add(-17 * time.Minute), LastError: failing},
			alive: true, reasonPart: "for 17m0s: 503",
		},
		"nothing was answered yet": {alive: true, reasonPart: "no request has been answered yet"},
		"nor is it":                {in: Instance{LastError: failing}, alive: true, reasonPart: "yet: 503"},
		"it waits for the engine": {
			in: Instance{LastSuccess: now.Add(-17 * time.Minute)}, alive: true, reasonPart: "for 17m0s",
		},
		"nothing becomes safe": {
			in: Instance{LastSuccess: now, Stalled: true}, alive: true, reasonPart: "not known to be safe",
		},
		"stalled": {
			in: Instance{LastSuccess: now, Stalled: true, LastError: failing}, alive: true, reasonPart: "stalled: 503",
		},
		"complete": {in: Instance{LastSuccess: now.Add(-24 * time.Hour), Complete: true}, alive: true, ready: true},
		"not called": {
			in: Instance{LastSuccess: now}, silent: 61 * time.Second, reasonPart: "has not called the input for 1m1s",
		},
		"ended": {in: Instance{LastSuccess: now}, ended: true, reasonPart: "has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			in := c.in
			in.Judge(now, c.silent, !c.ended, f)
			assert.Equal(t, c.alive, in.Alive)
			assert.Equal(t, c.ready, in.Ready)
			assert.Contains(t, in.Reason, c.reasonPart)
			assert.Equal(t, c.ready, in.Reason == "")
		})
	}
}

// The example in docs/health.md has every field, and no other.
func TestExampleOfTheDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "health.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```json\n")
	require.True(t, found)
	example, _, _ := strings.Cut(rest, "```")
	var report Report
	decoder := json.NewDecoder(strings.NewReader(example))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&report))
	require.Len(t, report.Instances, 1)
	for _, part := range []any{report.Instances[0], report.Instances[0].Proof, *report.Instances[0].LastError} {
		for n := range reflect.TypeOf(part).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(part).Field(n).Tag.Get("json"), ",")
			assert.Contains(t, example, `"`+name+`": `)
		}
	}
}
