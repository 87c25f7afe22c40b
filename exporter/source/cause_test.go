package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCauseOf(t *testing.T) {
	for cause, err := range map[Cause]error{
		CauseUnreachable: &url.Error{Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		CauseTLS:         &url.Error{Err: &tls.CertificateVerificationError{Err: errors.New("x509")}},
		CauseProxy:       &url.Error{Err: &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}},
		CauseTimeout:     &url.Error{Err: context.DeadlineExceeded},
		CauseServer:      &APIError{Status: http.StatusBadGateway, Class: ClassRetry},
		CauseRefused:     &APIError{Status: http.StatusForbidden, Class: ClassRefused},
		CauseTooLarge:    &APIError{Status: http.StatusRequestEntityTooLarge, Class: ClassShrink},
		"":               errors.New("something else"),
	} {
		require.Equal(t, cause, CauseOf(fmt.Errorf("wrapped: %w", err)))
	}
	require.Equal(t, CauseTimeout, CauseOf(fmt.Errorf("wrapped: %w", errRequestTimeout)))
}

// What net/http really returns.
func TestCauseOfRealErrors(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	gone := plain.URL
	plain.Close()
	get := func(transport *http.Transport, address string) error {
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(address)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	require.Equal(t, CauseTLS, CauseOf(get(&http.Transport{}, secure.URL)))
	require.Equal(t, CauseUnreachable, CauseOf(get(&http.Transport{}, gone)))
	proxy, err := url.Parse(gone)
	require.NoError(t, err)
	require.Equal(t, CauseProxy, CauseOf(get(&http.Transport{Proxy: http.ProxyURL(proxy)}, secure.URL)))
}
