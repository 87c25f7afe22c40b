package source

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Times for parts of a request, so that a dead network is told from an endpoint that needs long for its answer.
const (
	connectTimeout = 10 * time.Second // at most; see newTransport
	pingAfter      = 30 * time.Second // of silence on an HTTP/2 connection
	pingTimeout    = 15 * time.Second
	maxIdle        = 10 * time.Minute
)

// newTransport makes the transport of one instance. Requests follow one another, so one connection is kept.
func newTransport(cfg Config, way proxyWay, who *identity) (*http.Transport, error) {
	config := &tls.Config{InsecureSkipVerify: !cfg.TLSVerify} // tls_verify off is warned about at start
	if cfg.TLSCAFile != "" {
		roots, err := LoadRoots(cfg.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("tls_ca_file %s: %w", logline.Quoted(cfg.TLSCAFile), err)
		}
		config.RootCAs = roots
	}
	if who != nil {
		if _, err := LoadIdentity(who.certFile, who.keyFile); err != nil {
			return nil, err
		}
		config.GetClientCertificate = who.certificate
	}
	// Connecting must fail before request_timeout does: that a host cannot be reached is no reason for shorter windows.
	connect := min(connectTimeout, cfg.RequestTimeout/3)
	return &http.Transport{
		Proxy:                  way.pick,
		OnProxyConnectResponse: way.connected,
		DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    connect,
		ForceAttemptHTTP2:      true, // a TLSClientConfig of one's own turns it off
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		DisableCompression:     true, // see client.request
		MaxIdleConns:           1,
		IdleConnTimeout:        min(cfg.PollInterval+time.Minute, maxIdle),
		MaxResponseHeaderBytes: 1 << 20,
	}, nil
}

// maxRoots is many times what all public certificate authorities need, about 200 KB.
const maxRoots = 16 << 20

// LoadRoots returns the system's certificates and those of file.
func LoadRoots(file string) (*x509.CertPool, error) {
	pem, err := readRegular(file, maxRoots, "list of certificates")
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a container without certificates
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("has no certificate in it")
	}
	return roots, nil
}

// adviceFor says what to do about a broken connection, where that is known.
func adviceFor(err error) string {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return "; if a proxy or gateway of yours signs its certificate, name its CA in tls_ca_file"
	}
	var name *net.DNSError
	if !errors.Is(err, syscall.ECONNREFUSED) && (!errors.As(err, &name) || !name.IsNotFound) {
		return ""
	}
	if ofProxy(err) {
		return "; check the setting proxy, or HTTPS_PROXY and HTTP_PROXY in the environment"
	}
	return "; check the setting endpoint (URL)"
}
