package probe

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
)

// A warning says why it is one.
func TestACertificateThatEndsSoonIsToBeRenewed(t *testing.T) {
	cfg := config.Config{Endpoint: &url.URL{Scheme: "https", Host: "api.example.test"}}
	for left, says := range map[time.Duration]string{
		75*time.Hour + time.Minute: "which is in 3 days: renew it", 100 * 24 * time.Hour: "",
	} {
		leaf := &x509.Certificate{NotAfter: time.Now().Add(left)}
		r := new(report)
		r.tls(cfg, traced{handshake: &tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}},
		}})
		require.Len(t, r.findings, 1)
		require.Contains(t, r.findings[0].Text, says)
		require.Equal(t, says != "", r.findings[0].Level == "warning")
	}
}
