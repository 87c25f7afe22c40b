package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Version is the plugin's version, as set when it is linked.
var Version = "dev"

// client asks the export endpoint. It is used by one goroutine at a time.
type client struct {
	http       *http.Client
	credential credential
	export     url.URL // without query
	search     string
	timeout    time.Duration
	redact     func(string) string // takes the credential that was sent last out of a text that the endpoint may have written
}

// response is an answer with status 200.
type response struct {
	body            io.ReadCloser // its errors are told apart by classOf; Close may not be called during Read
	date            time.Time     // the Date header; zero when it is absent or unreadable
	contentType     string
	contentEncoding string
	requestID       string
}

// clientConfig says where and how to ask.
type clientConfig struct {
	Endpoint       *url.URL // base URL, without trailing slash
	SearchTerm     string   // "" = all events
	Credentials    credentials
	RequestTimeout time.Duration // for one whole answer; time in which nobody reads does not count
	PollInterval   time.Duration // an idle connection is kept a little longer than that
	TLSCAFile      string        // trusted besides the system's; "" = none
	TLSVerify      bool
}

// newClient makes a client. A nil transport means one of its own, with proxy settings from the environment and cfg's TLS settings.
func newClient(cfg clientConfig, transport http.RoundTripper) (*client, error) {
	if transport == nil {
		own, err := newTransport(cfg)
		if err != nil {
			return nil, err
		}
		transport = own
	}
	return &client{
		http:       &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		credential: newCredential(cfg.Credentials),
		export:     *cfg.Endpoint.JoinPath(exportPath),
		search:     cfg.SearchTerm,
		timeout:    cfg.RequestTimeout,
		redact:     func(text string) string { return text },
	}, nil
}

// close lets go of the idle connection. The client can still be used.
func (c *client) close() { c.http.CloseIdleConnections() }

// open asks for the events from start to end, both included. Its errors say what classOf needs; when ctx ended, they wrap ctx.Err().
func (c *client) open(ctx context.Context, start, end time.Time) (*response, error) {
	name, value, err := c.credential.header()
	if err != nil {
		return nil, err
	}
	c.redact = c.credential.redactor(value)
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
		err = allowance.explain(err, c.redact)
		allowance.end()
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		refusal := readError(answer, c.redact)
		if refusal.status == http.StatusUnauthorized || refusal.status == http.StatusForbidden {
			refusal.credential = c.credential.origin()
		}
		answer.Body.Close()
		allowance.end()
		return nil, refusal
	}
	allowance.stop()
	return &response{
		body:            &timedBody{answer.Body, allowance, c.redact},
		date:            headerTime(answer.Header, "Date"),
		contentType:     answer.Header.Get("Content-Type"),
		contentEncoding: answer.Header.Get("Content-Encoding"),
		requestID:       requestIDOf(answer.Header),
	}, nil
}

func (c *client) request(ctx context.Context, start, end time.Time) (*http.Request, error) {
	query := url.Values{
		"startTime": {start.UTC().Format(time.RFC3339Nano)},
		"endTime":   {end.UTC().Format(time.RFC3339Nano)},
	}
	if c.search != "" {
		query.Set("searchTerm", c.search)
	}
	target := c.export
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	// The OpenAPI text claims JSON for what is CSV, so both are asked for.
	request.Header.Set("Accept", "text/csv, application/json;q=0.9, */*;q=0.5")
	// Unpacking costs more CPU than the transfer saves. A server that packs all the same is understood by openBody.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "in_wherobots_audit/"+Version+" (fluent-bit)")
	return request, nil
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 5

// checkRedirect refuses what would give the credential away: http.Client takes X-API-Key along to whatever host an answer names.
func checkRedirect(request *http.Request, via []*http.Request) error {
	from, to := via[0].URL, request.URL
	refusal := &apiError{class: classRefused}
	if request.Response != nil {
		refusal.status = request.Response.StatusCode
	}
	switch {
	case to.Scheme != "https" && to.Scheme != from.Scheme:
		refusal.message = "redirects from " + from.Scheme + " to " + cut(to.Scheme+"://"+to.Host, 100) + ", where the credential would travel unencrypted; not followed"
	case !sameHost(from, to):
		refusal.message = "redirects to another host, " + cut(to.Host, 100) + ", which must not get the credential; not followed"
		refusal.suggestion = "set endpoint to it if it can be trusted"
	case len(via) > maxRedirects:
		refusal.message = fmt.Sprintf("redirects more than %d times", maxRedirects)
	default:
		return nil
	}
	return refusal
}

// sameHost says whether both are the same server; from http to https of the same name counts too.
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

func headerTime(header http.Header, name string) time.Time {
	t, err := http.ParseTime(header.Get(name))
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
const operation = "GET " + exportPath

// transportError is a request or body that broke.
type transportError struct {
	text string
	err  error
}

func (e *transportError) Error() string { return e.text }
func (e *transportError) Unwrap() error { return e.err }

func newTransportError(err error, redact func(string) string) error {
	if outer := new(url.Error); errors.As(err, &outer) {
		err = outer.Err // without the URL
	}
	return &transportError{operation + ": " + cut(redact(clean(err.Error())), 300) + adviceFor(err), err}
}
