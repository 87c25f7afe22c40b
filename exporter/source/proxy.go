package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Proxy is the way on which requests leave, the setting proxy. Its zero value is what the environment says.
type Proxy struct {
	URL             *url.URL // nil = not one of its own
	None            bool     // not even the environment's
	CredentialsFile string   // user:password, read again for every request; "" = none but what the environment has
}

// CheckCredentials returns what is wrong with the file that only a person can put right.
func (p Proxy) CheckCredentials() error {
	if p.CredentialsFile == "" {
		return nil
	}
	_, err := p.user()
	unreadable := Credential{file: p.CredentialsFile}
	if err == nil || unreadable.heals(err) {
		return nil
	}
	return err
}

// Of returns the proxy for an address, without what is in the file; nil if there is none.
func (p Proxy) Of(target *url.URL) (*url.URL, error) {
	switch {
	case p.None:
		return nil, nil
	case p.URL != nil:
		return p.URL, nil
	}
	return http.ProxyFromEnvironment(&http.Request{URL: target})
}

// user reads the credentials for the proxy. Its error names the setting.
func (p Proxy) user() (*url.Userinfo, error) {
	file := Credential{setting: "proxy_credentials_file", file: p.CredentialsFile}
	text, err := readSecret(p.CredentialsFile)
	text = strings.TrimRight(text, "\r\n")
	user, password, found := strings.Cut(text, ":")
	switch {
	case err != nil:
	case strings.TrimSpace(text) == "":
		err = errEmpty
	case strings.ContainsAny(text, "\r\n\x00"):
		err = errors.New("has more than one line; allowed: user:password")
	case !found || user == "":
		err = errors.New("has no colon in it; allowed: user:password")
	default:
		return url.UserPassword(user, password), nil
	}
	return nil, &credentialError{where: file.where(), err: err, ofProxy: true}
}

// proxyWay is what a transport and its client know of the proxy.
type proxyWay struct {
	proxy   Proxy
	secrets *logline.Secrets
	sent    *string // credentials that were read last; behind a pointer, since formatting shows fields
}

func newProxyWay(p Proxy, secrets *logline.Secrets) proxyWay {
	return proxyWay{p, secrets, new(string)}
}

// pick is for http.Transport.
func (w proxyWay) pick(r *http.Request) (*url.URL, error) {
	proxy, err := w.proxy.Of(r.URL)
	if err != nil || proxy == nil || w.proxy.CredentialsFile == "" {
		return proxy, err
	}
	user, err := w.proxy.user()
	*w.sent = ""
	if err != nil {
		return nil, err
	}
	*w.sent = user.String()
	password, _ := user.Password()
	w.secrets.Hide(password)
	w.secrets.Hide(user.Username() + ":" + password) // in base64 it is what Proxy-Authorization has
	with := *proxy
	with.User = user
	return &with, nil
}

// renewed reports whether the file has other credentials than those that were read last.
func (w proxyWay) renewed() bool {
	if w.proxy.CredentialsFile == "" {
		return false
	}
	user, err := w.proxy.user()
	return err == nil && user.String() != *w.sent
}

// proxyError is a proxy's refusal to connect to the endpoint.
type proxyError struct {
	proxy, endpoint string
	status          int
	credentials     bool // were sent
}

// connected is for http.Transport, which else would make a text of the status alone.
func (w proxyWay) connected(_ context.Context, proxy *url.URL, connect *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{proxy.Host, connect.Host, answer.StatusCode, proxy.User != nil}
}

func (e *proxyError) Error() string {
	status := strings.TrimSpace(fmt.Sprint(e.status, " ", http.StatusText(e.status)))
	return fmt.Sprintf("the proxy %s answers CONNECT %s with %s%s", e.proxy, e.endpoint, status, e.advice())
}

func (e *proxyError) advice() string {
	switch {
	case e.status == http.StatusProxyAuthRequired && e.credentials:
		return "; check the user and password in proxy_credentials_file"
	case e.status == http.StatusProxyAuthRequired:
		return proxyAdvice
	case e.class() == ClassRefused:
		return "; let its rules allow that"
	}
	return "; it cannot reach the endpoint"
}

const proxyAdvice = "; name a file with user:password in proxy_credentials_file"

// class says whether a person must act.
func (e *proxyError) class() Class { return ClassOfStatus(e.status, nil) }

// ofProxy reports whether it is the proxy that failed or refused.
func ofProxy(err error) bool {
	var refusal *proxyError
	var answer *APIError
	var operation *net.OpError
	switch {
	case errors.As(err, &refusal):
		return true
	case errors.As(err, &answer):
		return answer.Status == http.StatusProxyAuthRequired
	}
	// net/http's names for it.
	return errors.As(err, &operation) && (operation.Op == "proxyconnect" || strings.HasPrefix(operation.Op, "socks "))
}
