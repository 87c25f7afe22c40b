package handover

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAConnectionServedByThisProcessIsItsOwn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	api := NewEngine(mustURL(t, server.URL), "", nil)
	require.NoError(t, api.getJSON(t.Context(), "/", "x", &struct{}{}))
}

// Yesterday's Fluent Bit that still has the port must not pass for this one: its figures may look just as delivered.
func TestAConnectionServedByAnotherProcessIsNot(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3 as the other process")
	}
	other := exec.Command(
		python, "-c",
		"import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); print(s.server_port, "+
			"flush=True); s.serve_forever()",
	)
	other.Dir = t.TempDir()
	out, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	api := NewEngine(mustURL(t, "http://"+address), "", nil)
	require.ErrorContains(t, api.getJSON(t.Context(), "/", "x", &struct{}{}), "is another process's")
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}
