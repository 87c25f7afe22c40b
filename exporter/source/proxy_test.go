package source

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// connectProxy answers CONNECT with refuse, or connects when that is 0 and the credentials are right.
type connectProxy struct {
	t       *testing.T
	refuse  int
	user    string // user:password; "" = nobody is asked
	asked   []string
	address string
}

func newConnectProxy(t *testing.T) *connectProxy {
	p := &connectProxy{t: t}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.address = server.URL
	return p
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.Method+" "+r.Host)
	given := strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic ")
	switch {
	case p.refuse != 0:
		w.WriteHeader(p.refuse)
		return
	case p.user != "" && given != base64.StdEncoding.EncodeToString([]byte(p.user)):
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusTeapot)
		return
	}
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
	go func() { _, _ = io.Copy(here, there); _ = here.Close() }()
}

// throughProxy makes a client of an endpoint with TLS behind a proxy.
func throughProxy(t *testing.T, endpoint string, proxy Proxy) (*Client, *logline.Secrets) {
	t.Helper()
	secrets := new(logline.Secrets)
	base, err := url.Parse(endpoint)
	require.NoError(t, err)
	c, err := New(Config{
		Endpoint: base, Credentials: Credentials{APIKey: "hush-hush"}, Secrets: secrets, Proxy: proxy,
		RequestTimeout: time.Minute, PollInterval: time.Minute, TLSVerify: true,
		TLSCAFile: exportertest.WriteCA(t, t.TempDir()),
	}, nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, secrets
}

func endpointWithTLS(t *testing.T) string {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	return server.URL
}

// open asks once and lets go of the connection, so that the next request asks the proxy again.
func open(t *testing.T, c *Client) error {
	t.Helper()
	response, err := c.Open(t.Context(), testStart, testEnd)
	if err == nil {
		require.NoError(t, response.Body.Close())
	}
	c.Close()
	return err
}

func parsed(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}

// What a proxy says of CONNECT names the proxy, and what to do; who must act is told from what heals.
func TestAProxysRefusalIsNamedAsSuch(t *testing.T) {
	p, endpoint := newConnectProxy(t), endpointWithTLS(t)
	file := filepath.Join(t.TempDir(), "proxy")
	c, _ := throughProxy(t, endpoint, Proxy{URL: parsed(t, p.address)})
	require.NoError(t, open(t, c))
	require.Equal(t, []string{"CONNECT " + strings.TrimPrefix(endpoint, "https://")}, p.asked)

	for _, test := range []struct {
		status int
		advice string
		class  Class
	}{
		{407, "; name a file with user:password in proxy_credentials_file", ClassRefused},
		{403, "; let its rules allow that", ClassRefused},
		{502, "; it cannot reach the endpoint", ClassRetry},
		{503, "; it cannot reach the endpoint", ClassRetry},
	} {
		p.refuse = test.status
		err := open(t, c)
		assert.EqualError(t, err, fmt.Sprintf(
			"GET /audit-log/export: the proxy %s answers CONNECT %s with %d %s%s", strings.TrimPrefix(p.address, "http://"),
			strings.TrimPrefix(endpoint, "https://"), test.status, http.StatusText(test.status), test.advice))
		assert.Equal(t, test.class, ClassOf(err))
		assert.Equal(t, CauseProxy, CauseOf(err))
		assert.False(t, refusesCredential(err), "another key would not help")
	}

	p.refuse, p.user = 0, "audit:a-secret-of-the-proxy"
	c, secrets := throughProxy(t, endpoint, Proxy{URL: parsed(t, p.address), CredentialsFile: file})
	err := open(t, c)
	require.EqualError(t, err, `GET /audit-log/export: proxy_credentials_file "`+file+
		`": cannot be read: no such file or directory`)
	require.Equal(t, ClassRefused, ClassOf(err))
	require.False(t, c.Renewed())
	require.NoError(t, os.WriteFile(file, []byte("audit:another-secret-of-it\n"), 0o600))
	require.True(t, c.Renewed())
	err = open(t, c)
	require.ErrorContains(t, err, "407 Proxy Authentication Required; check the user and password in "+
		"proxy_credentials_file")
	require.False(t, c.Renewed())
	require.NoError(t, os.WriteFile(file, []byte("audit:a-secret-of-the-proxy\n"), 0o600))
	require.True(t, c.Renewed(), "it is tried at once")
	require.NoError(t, open(t, c))
	for _, form := range []string{
		"a-secret-of-the-proxy", "another-secret-of-it", base64.StdEncoding.EncodeToString([]byte(p.user)),
	} {
		require.NotContains(t, secrets.Redact("the proxy said "+form), form)
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", c, c, *c), "a-secret-of")
}

// Without TLS to the endpoint there is no CONNECT, and the proxy answers in its place.
func TestAProxysRefusalWithoutConnect(t *testing.T) {
	p := newConnectProxy(t)
	p.user = "audit:a-secret-of-the-proxy"
	c, _ := throughProxy(t, "http://audit.invalid", Proxy{URL: parsed(t, p.address)})
	err := open(t, c)
	require.EqualError(t, err, "GET /audit-log/export: 407 Proxy Authentication Required; suggestion: it is a proxy that "+
		"asks; name a file with user:password in proxy_credentials_file")
	require.Equal(t, CauseProxy, CauseOf(err))
	require.Equal(t, ClassRefused, ClassOf(err))
	file := filepath.Join(t.TempDir(), "proxy")
	require.NoError(t, os.WriteFile(file, []byte(p.user), 0o600))
	c, _ = throughProxy(t, "http://audit.invalid", Proxy{URL: parsed(t, p.address), CredentialsFile: file})
	require.ErrorContains(t, open(t, c), "418")
}

func TestAProxyThatIsNotThere(t *testing.T) {
	c, _ := throughProxy(t, endpointWithTLS(t), Proxy{URL: parsed(t, "http://127.0.0.1:1")})
	err := open(t, c)
	require.ErrorContains(t, err, "connection refused; check the setting proxy, or HTTPS_PROXY and HTTP_PROXY in the "+
		"environment")
	require.Equal(t, CauseProxy, CauseOf(err))
	c, _ = throughProxy(t, endpointWithTLS(t), Proxy{URL: parsed(t, "socks5://127.0.0.1:1")})
	require.Equal(t, CauseProxy, CauseOf(open(t, c)))
}

// proxy none goes past the environment's; the variable is read once in a process, so the request is made by another.
func TestNoProxyAtAll(t *testing.T) {
	if endpoint := os.Getenv("IN_NO_PROXY_TEST"); endpoint != "" {
		c, _ := throughProxy(t, "http://audit.invalid", Proxy{None: true})
		require.NotEqual(t, CauseProxy, CauseOf(open(t, c)))
		c, _ = throughProxy(t, "http://audit.invalid", Proxy{})
		require.Equal(t, CauseProxy, CauseOf(open(t, c)))
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoProxyAtAll$")
	child.Env = append(os.Environ(), "IN_NO_PROXY_TEST=1", "HTTP_PROXY=http://127.0.0.1:1",
		"http_proxy=http://127.0.0.1:1")
	output, err := child.CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestProxyCredentialsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "proxy")
	for content, want := range map[string]string{
		"hush-hush":             "has no colon in it; allowed: user:password",
		":hush":                 "has no colon in it; allowed: user:password",
		"audit:hush\nmore:hu\n": "has more than one line; allowed: user:password",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		require.EqualError(t, Proxy{CredentialsFile: file}.CheckCredentials(), `proxy_credentials_file "`+file+`": `+want)
	}
	require.NoError(t, os.WriteFile(file, []byte("\n"), 0o600))
	require.NoError(t, Proxy{CredentialsFile: file}.CheckCredentials(), "it may be on its way")
	require.NoError(t, Proxy{CredentialsFile: file + "2"}.CheckCredentials())
	require.NoError(t, Proxy{}.CheckCredentials())
	require.ErrorContains(t, Proxy{CredentialsFile: dir}.CheckCredentials(), "is not a regular file")
	err := Proxy{CredentialsFile: "audit:hush-hush"}.CheckCredentials()
	require.ErrorContains(t, err, "proxy_credentials_file (its value, which is not shown, is not a path)")
	require.NotContains(t, err.Error(), "hush")
}

// What tinyproxy, a proxy of the field, says is understood like what the tests' own says.
func TestTinyproxy(t *testing.T) {
	endpoint := endpointWithTLS(t)
	port := parsed(t, endpoint).Port()
	address := startReal(t, "tinyproxy", func(dir, address string) []string {
		_, listen, _ := net.SplitHostPort(address)
		conf := filepath.Join(dir, "tinyproxy.conf")
		require.NoError(t, os.WriteFile(conf, []byte("Listen 127.0.0.1\nPort "+listen+"\nTimeout 60\nMaxClients 20\n"+
			"BasicAuth audit a-secret-of-the-proxy\nConnectPort "+port+"\nLogFile \""+dir+"/log\"\n"), 0o600))
		return []string{"-d", "-c", conf}
	})
	file := filepath.Join(t.TempDir(), "proxy")
	proxy := Proxy{URL: parsed(t, "http://"+address)}
	c, _ := throughProxy(t, endpoint, proxy)
	err := open(t, c)
	require.ErrorContains(t, err, "with 407 Proxy Authentication Required; name a file with user:password")
	require.Equal(t, ClassRefused, ClassOf(err))

	proxy.CredentialsFile = file
	require.NoError(t, os.WriteFile(file, []byte("audit:a-wrong-secret"), 0o600))
	c, _ = throughProxy(t, endpoint, proxy)
	err = open(t, c)
	require.Error(t, err)
	require.Equal(t, CauseProxy, CauseOf(err))
	require.Equal(t, ClassRefused, ClassOf(err), "%v", err)
	require.NoError(t, os.WriteFile(file, []byte("audit:a-secret-of-the-proxy\n"), 0o600))
	require.NoError(t, open(t, c))

	c, _ = throughProxy(t, endpointWithTLS(t), proxy) // another port
	err = open(t, c)
	require.ErrorContains(t, err, "with 403 Forbidden; let its rules allow that")
	require.NotContains(t, err.Error(), "a-secret-of")
}

// startReal starts a server of the field on an address of its own, and waits until it listens. Where it is not
// installed, the test is skipped.
func startReal(t *testing.T, name string, args func(dir, address string) []string) (address string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name // not in everybody's PATH
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not installed (apt-get install %s)", name, name)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = listener.Addr().String()
	require.NoError(t, listener.Close())
	server := exec.CommandContext(t.Context(), path, args(t.TempDir(), address)...)
	var said strings.Builder
	server.Stdout, server.Stderr = &said, &said
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, name)
	return address
}
