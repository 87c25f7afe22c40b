// Package source asks the export endpoint: one GET with the credential, a time budget and classes of errors. It knows
// nothing of what the answer means.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Client asks the export endpoint. It is used by one goroutine at a time.
type Client struct {
	http      *http.Client
	keys      keyring
	proxy     proxyWay
	who       *identity // nil = this side shows none
	export    url.URL   // without query
	counts    url.URL   // likewise
	search    string
	timeout   time.Duration
	userAgent string
	secrets   *logline.Secrets
	facts     *credentialFacts
	turns     *turns
	// takes the credential that was sent last out of a text that the endpoint may have written
	Redact func(string) string
}

// Response is an answer with status 200, or 204, which has no body.
type Response struct {
	Body            io.ReadCloser // its errors are told apart by ClassOf; Close may not be called during Read
	Date            time.Time     // the Date header; zero when it is absent or unreadable
	ContentType     string
	ContentEncoding string
	Framed          bool // HTTP says where the body ends: one that ends with io.EOF is whole
	Paging          Paging
	RequestID       string // as the endpoint names it; "" = it does not
}

// Config says where and how to ask.
type Config struct {
	Endpoint       *url.URL // base URL, without trailing slash
	SearchTerm     string   // "" = all events
	Credentials    Credentials
	RequestTimeout time.Duration // for one whole answer; time in which nobody reads does not count
	PollInterval   time.Duration // an idle connection is kept a little longer than that
	UserAgent      string
	Secrets        *logline.Secrets // gets each credential that is sent, and takes them out of texts
	TLSCAFile      string           // trusted besides the system's; "" = none
	TLSVerify      bool
	TLSCertFile    string // with TLSKeyFile: what this side shows; "" = nothing
	TLSKeyFile     string
	Proxy          Proxy

	// MinRequestInterval is the least time between a request of this process to the same host and the next one of this
	// client; 0 = none.
	MinRequestInterval time.Duration
}

// New makes a client. A nil transport means one of its own, with cfg's proxy and TLS settings.
func New(cfg Config, transport http.RoundTripper) (*Client, error) {
	if cfg.Secrets == nil {
		cfg.Secrets = new(logline.Secrets)
	}
	way := newProxyWay(cfg.Proxy, cfg.Secrets)
	var who *identity
	if cfg.TLSCertFile != "" {
		who = &identity{certFile: cfg.TLSCertFile, keyFile: cfg.TLSKeyFile}
	}
	if transport == nil {
		own, err := newTransport(cfg, way, who)
		if err != nil {
			return nil, err
		}
		transport = own
	}
	return &Client{
		http:      &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		keys:      newKeyring(cfg.Credentials),
		proxy:     way,
		who:       who,
		export:    *cfg.Endpoint.JoinPath(ExportPath),
		counts:    *cfg.Endpoint.JoinPath(CountPath),
		search:    cfg.SearchTerm,
		timeout:   cfg.RequestTimeout,
		userAgent: cfg.UserAgent,
		secrets:   cfg.Secrets,
		facts:     new(credentialFacts),
		turns:     newTurns(cfg),
		Redact:    cfg.Secrets.Redact,
	}, nil
}

// Credential tells what is known of the credential that was sent last. Any goroutine may call it.
func (c *Client) Credential() CredentialFacts { return c.facts.get() }

// Wrap puts something before the transport that sees all requests. It must be called before the first of them.
func (c *Client) Wrap(wrap func(http.RoundTripper) http.RoundTripper) {
	c.http.Transport = wrap(c.http.Transport)
}

// Close lets go of the idle connection. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Open asks for the events from start to end, both included. Its errors say what ClassOf needs; when ctx
// ended, they wrap ctx.Err(). A credential that is refused is followed by the other one, if there is one.
func (c *Client) Open(ctx context.Context, start, end time.Time) (*Response, error) {
	c.keys.restore()
	if c.who != nil && c.who.changed() {
		c.http.CloseIdleConnections()
	}
	response, err := c.open(ctx, c.keys.current, start, end)
	if !refusesCredential(err) {
		return response, err
	}
	other, ok := c.keys.other()
	if !ok {
		return nil, err
	}
	response, otherErr := c.open(ctx, other, start, end)
	if refusesCredential(otherErr) {
		var refusal *APIError
		if errors.As(err, &refusal) {
			refusal.credential += "; " + c.keys.keys[other].where() + " is refused too"
		}
		return nil, err
	}
	if reached(otherErr) {
		c.keys.use(other, err)
	}
	return response, otherErr
}

// identify returns the header with the nth credential.
func (c *Client) identify(n int) (name, value string, err error) {
	name, value, err = c.keys.header(n)
	c.secrets.Hide(strings.TrimPrefix(value, c.keys.keys[n].prefix))
	return name, value, err
}

// open is Open with the nth credential.
func (c *Client) open(ctx context.Context, n int, start, end time.Time) (*Response, error) {
	if err := c.turns.take(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	name, value, err := c.identify(n)
	if err != nil {
		return nil, err
	}
	c.facts.note(strings.TrimPrefix(value, c.keys.keys[n].prefix), c.keys.keys[n].file)
	allowance := newAllowance(ctx, c.timeout)
	request, err := c.request(allowance.ctx, start, end)
	if err != nil {
		allowance.end()
		return nil, err
	}
	request.Header.Set(name, value)

	allowance.start()
	answer, err := c.http.Do(request)
	if err != nil {
		err = allowance.explain(err, c.Redact)
		allowance.end()
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusNoContent, http.StatusNonAuthoritativeInfo: // a proxy may say the last for 200
	default:
		refusal := readError(answer, c.Redact)
		if refusal.Status == http.StatusUnauthorized || refusal.Status == http.StatusForbidden {
			refusal.credential = c.keys.keys[n].origin()
		}
		answer.Body.Close()
		allowance.end()
		return nil, refusal
	}
	allowance.stop()
	return &Response{
		Body:            &timedBody{answer.Body, allowance, c.Redact},
		Date:            dateIn(answer.Header),
		ContentType:     answer.Header.Get("Content-Type"),
		ContentEncoding: answer.Header.Get("Content-Encoding"),
		Framed:          answer.ContentLength >= 0 || len(answer.TransferEncoding) > 0 || answer.ProtoMajor > 1,
		Paging:          pagingOf(answer.Header),
		RequestID:       requestIDOf(answer.Header),
	}, nil
}

func (c *Client) request(ctx context.Context, start, end time.Time) (*http.Request, error) {
	target := c.export
	target.RawQuery = c.query(start, end).Encode()
	// The OpenAPI text claims JSON for what is CSV, so both are asked for.
	return c.get(ctx, target, "text/csv, application/json;q=0.9, */*;q=0.5")
}

// query selects the events from start to end.
func (c *Client) query(start, end time.Time) url.Values {
	query := url.Values{
		"startTime": {start.UTC().Format(time.RFC3339Nano)},
		"endTime":   {end.UTC().Format(time.RFC3339Nano)},
	}
	if c.search != "" {
		query.Set("searchTerm", c.search)
	}
	return query
}

// get is a request without its credential.
func (c *Client) get(ctx context.Context, target url.URL, accept string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	request.Header.Set("Accept", accept)
	// Unpacking costs more CPU than the transfer saves. A server that packs all the same is understood by openBody.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", c.userAgent)
	return request, nil
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 5

// checkRedirect refuses what would give the credential away: http.Client takes X-API-Key along to whatever
// host an answer names.
func checkRedirect(request *http.Request, via []*http.Request) error {
	from, to := via[0].URL, request.URL
	refusal := &APIError{Class: ClassRefused}
	if request.Response != nil {
		refusal.Status = request.Response.StatusCode
	}
	switch {
	case to.Scheme != "https" && to.Scheme != from.Scheme:
		refusal.message = "redirects from " + from.Scheme + " to " + logline.Cut(to.Scheme+"://"+to.Host, 100) +
			", where the credential would travel unencrypted; not followed"
	case !sameHost(from, to):
		refusal.message = "redirects to another host, " + logline.Cut(to.Host, 100) +
			", which must not get the credential; not followed"
		refusal.suggestion = "set endpoint to it if it can be trusted"
	case len(via) > maxRedirects:
		refusal.message = fmt.Sprintf("redirects more than %d times", maxRedirects)
	default:
		return nil
	}
	return refusal
}

// sameHost reports whether both are the same server; from http to https of the same name counts too.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == "http" && to.Scheme == "https" {
		return portOf(to) == "443"
	}
	return portOf(from) == portOf(to)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// dateIn is the header's Date; zero when there is none that can be read.
func dateIn(header http.Header) time.Time { return parseDate(header.Get("Date")) }

func parseDate(text string) time.Time {
	t, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func requestIDOf(header http.Header) string {
	if id := header.Get("X-Request-Id"); id != "" {
		return id
	}
	return header.Get("X-Amzn-Requestid")
}

// operation opens every message about a request. The full URL would only repeat the window and the settings.
const operation = "GET " + ExportPath

// transportError is a request or body that broke.
type transportError struct {
	text string
	err  error
}

func (e *transportError) Error() string { return e.text }

func (e *transportError) Unwrap() error { return e.err }

func newTransportError(err error, redact func(string) string) error {
	err = withoutURL(err)
	return &transportError{operation + ": " + logline.Cut(redact(logline.Clean(err.Error())), 300) + adviceFor(err), err}
}

func withoutURL(err error) error {
	if outer := new(url.Error); errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// Retention is how long the endpoint keeps events (the vendor's reference page).
const Retention = 90 * 24 * time.Hour

const ExportPath = "/audit-log/export"
