package probe

import (
	"fmt"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

const (
	tolerated  = time.Minute         // between two clocks
	soonOver   = 14 * 24 * time.Hour // of a certificate
	shownChain = 5                   // certificates of a chain
)

// proxy says which one requests go through.
func (r *report) proxy(cfg config.Config) {
	proxy, err := cfg.Proxy.Of(cfg.Endpoint)
	switch {
	case err != nil:
		r.say(rules.Error, "proxy", "the environment names a proxy that is no URL")
	case proxy == nil:
		r.say(rules.OK, "proxy", "none for %s", cfg.Endpoint.Host)
	case cfg.Proxy.URL != nil:
		r.say(rules.OK, "proxy", "%s, of the setting proxy", proxy.Host)
	default:
		r.say(rules.OK, "proxy", "%s, of the environment", proxy.Host)
	}
}

// tls says whose certificate it is.
func (r *report) tls(cfg config.Config, t traced) {
	if cfg.Endpoint.Scheme != "https" {
		return // warned about with the settings, where it matters
	}
	if t.handshake == nil {
		return // the error says why
	}
	var chain []string
	for _, certificate := range t.handshake.PeerCertificates[:min(shownChain, len(t.handshake.PeerCertificates))] {
		chain = append(chain, logline.Clean(certificate.Subject.String()))
	}
	leaf := t.handshake.PeerCertificates[0]
	chain = append(chain, logline.Clean(leaf.Issuer.String()))
	if len(t.handshake.PeerCertificates) > 1 {
		chain = chain[:len(chain)-1] // the issuer is the next one of the chain
	}
	level, ends := rules.OK, ""
	if left := time.Until(leaf.NotAfter); left < soonOver {
		level, ends = rules.Warning, fmt.Sprintf(", which is in %d days: renew it", left/(24*time.Hour))
	}
	trusted := "trusted"
	if len(t.handshake.VerifiedChains) == 0 {
		level, trusted = rules.Warning, "not checked"
	}
	r.say(level, "tls", "%s at %s: %s, until %s%s", trusted, t.address, strings.Join(chain, " ← "),
		leaf.NotAfter.UTC().Format(time.DateOnly), ends)
}

// clock compares the two clocks. The plugin goes by the server's; whoever reads the log goes by this machine's.
func (r *report) clock(got reading, err error) {
	switch {
	case got.date.IsZero() && err != nil:
		// there was no answer, and the error says why
	case got.date.IsZero():
		r.say(rules.Note, "clock", "the answer has no date: the plugin has to go by this machine's clock")
	case got.skew.Abs() > tolerated:
		direction := "behind"
		if got.skew < 0 {
			direction = "ahead of"
		}
		r.say(rules.Warning, "clock", "this machine's clock is %s %s the endpoint's: set it, as with NTP",
			got.skew.Abs().Round(time.Second), direction)
	default:
		r.say(rules.OK, "clock", "within %s of the endpoint's", got.skew.Abs().Truncate(time.Second)+time.Second)
	}
}
