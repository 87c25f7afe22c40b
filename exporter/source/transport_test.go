package source

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
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

// An endpoint that is not there is mostly one that was written wrong.
func TestAnEndpointThatIsNotThereNamesTheSetting(t *testing.T) {
	const advice = "; check the setting endpoint (URL)"
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for err, advised := range map[error]bool{
		refused: true,
		&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "api.example.test", IsNotFound: true}}: true,
		&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}:                    false,
		&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}:                                                    false,
		&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}:                                 false,
	} {
		text := newTransportError(err, func(s string) string { return s }).Error()
		assert.Equal(t, advised, strings.HasSuffix(text, advice), text)
	}
}

// Who may not read a file is told which user is meant.
func TestAFileThatMayNotBeReadNamesTheUser(t *testing.T) {
	err := reasonOf(&os.PathError{Op: "open", Path: "/key", Err: syscall.EACCES})
	assert.EqualError(t, err, fmt.Sprintf("cannot be read: permission denied; let user %d read it", os.Geteuid()))
}
