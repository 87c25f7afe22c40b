package config

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

const proxyAllowed = "a URL such as http://proxy.example:3128 (http, https, socks5 or socks5h), environment, none"

// parseProxy reads the setting proxy, and leaves the file of credentials alone.
func parseProxy(proxy *source.Proxy, value string) error {
	proxy.URL, proxy.None = nil, strings.EqualFold(value, "none")
	if proxy.None || strings.EqualFold(value, "environment") {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || !strings.Contains(value, "://"):
		return errors.New("is not a URL")
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return errors.New("is of a kind that is not known")
	case u.Hostname() == "":
		return errors.New("has no host")
	case u.User != nil:
		return errors.New("has a user name in it, which belongs into proxy_credentials_file")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("has a path, query or fragment")
	case !validPort(u):
		return errors.New("has a port that does not exist")
	}
	u.Path = ""
	proxy.URL = u
	return nil
}

// addresses refuses to listen where the engine does: it listens later than its plugins, and ends when it cannot.
func (p *parser) addresses() {
	if p.cfg.StatusListen == "" || !p.sound("status_listen", "engine_url") {
		return
	}
	host, port, err := net.SplitHostPort(p.cfg.StatusListen)
	if err == nil && port == p.cfg.EngineURL.Port() && SameAddress(host, p.cfg.EngineURL.Hostname()) {
		p.refuse("status_listen", logline.Quoted(p.cfg.StatusListen),
			"is the address of Fluent Bit's own server (engine_url), which could not start; allowed: another port, such as 2112")
	}
}

// SameAddress reports whether two hosts cannot both be listened on with one port: they are the same, or one is all
// addresses.
func SameAddress(a, b string) bool {
	plain := func(host string) string {
		if strings.EqualFold(host, "localhost") {
			return "127.0.0.1"
		}
		return host
	}
	all := func(host string) bool {
		ip := net.ParseIP(host)
		return host == "" || ip != nil && ip.IsUnspecified()
	}
	return all(a) || all(b) || strings.EqualFold(plain(a), plain(b))
}

// way checks what is told of the way to the endpoint by several settings together.
func (p *parser) way() {
	switch cert, key := p.given["tls_cert_file"], p.given["tls_key_file"]; {
	case cert == "" && key != "":
		p.refuse("tls_key_file", "", "is the key of no certificate; allowed: with tls_cert_file")
	case cert != "" && key == "":
		p.refuse("tls_cert_file", "", "has no key; allowed: with tls_key_file")
	case cert != "":
		if _, err := source.LoadIdentity(cert, key); err != nil {
			p.errs = append(p.errs, err)
		}
	}
	if p.cfg.Proxy.None && p.given["proxy_credentials_file"] != "" {
		p.refuse("proxy_credentials_file", "", "is for no proxy, since proxy is none; allowed: with another proxy")
	} else if err := p.cfg.Proxy.CheckCredentials(); err != nil {
		p.errs = append(p.errs, err)
	}
}
