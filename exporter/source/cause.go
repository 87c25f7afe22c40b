package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// Cause is a class of what keeps requests from succeeding, for those who watch from afar.
type Cause string

// The causes that a request can fail of. An error with none of them has the empty cause.
const (
	CauseUnreachable Cause = "unreachable" // no connection: name, route, port, or it broke
	CauseTLS         Cause = "tls"         // certificates or handshake
	CauseProxy       Cause = "proxy"       // the connection to the proxy, or its refusal
	CauseTimeout     Cause = "timeout"     // no answer, or none to its end, in time
	CauseServer      Cause = "server"      // 5xx, or too many requests
	CauseRefused     Cause = "refused"     // the credential or the request is refused
	CauseTooLarge    Cause = "too_large"   // the endpoint cannot answer for so long a window
)

// CauseOf tells an error's cause.
func CauseOf(err error) Cause {
	if ofProxy(err) {
		return CauseProxy
	}
	switch ClassOf(err) {
	case ClassRefused:
		return CauseRefused
	case ClassShrink:
		if errors.Is(err, errRequestTimeout) {
			return CauseTimeout
		}
		return CauseTooLarge
	}
	var refusal *APIError
	if errors.As(err, &refusal) {
		return CauseServer
	}
	if isTLS(err) {
		return CauseTLS
	}
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return CauseTimeout
	case errors.As(err, &network):
		return CauseUnreachable
	}
	return ""
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}
