package source

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The proxy's address is read once in a process, so the request is made by a process of its own.
func TestProxyOfTheEnvironment(t *testing.T) {
	if os.Getenv("IN_PROXY_TEST") != "" {
		_, err := newTestClient(t, nil, "endpoint", "http://audit.invalid").Open(t.Context(), testStart, testEnd)
		assert.EqualError(t, err, "GET /audit-log/export: 418 I'm a teapot")
		return
	}
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyOfTheEnvironment$")
	child.Env = append(
		os.Environ(), "IN_PROXY_TEST=1", "HTTP_PROXY="+server.URL, "http_proxy="+server.URL, "NO_PROXY=",
		"no_proxy=",
	)
	output, err := child.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Equal(t, "audit.invalid", asked)
}
