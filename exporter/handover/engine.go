package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/shared"
)

// Engine reads Fluent Bit's monitoring API, version 2 where there is one. Its methods may be called from any
// goroutine.
type Engine struct {
	url    *url.URL
	input  string // engine_input; "" = the only input of this plugin
	client *http.Client
	own    func(local, remote net.Addr) (bool, error) // whether this process serves the connection; nil = it is not asked
	proven net.Conn                                   // that it does, or that nobody can tell
	shared *shared.Answers[*snapshot]                 // with the other inputs that ask the same; nil = with none
}

const (
	enginePatience = 2 * time.Second // for one answer; it comes from the same process
	engineAnswer   = 4 << 20         // bytes; larger answers are not the engine's
	pluginPrefix   = "wherobots_audit."
)

func NewEngine(base *url.URL, input string, transport http.RoundTripper) *Engine {
	a := &Engine{url: base, input: input}
	if transport == nil {
		transport = &http.Transport{MaxIdleConns: 1, IdleConnTimeout: time.Minute} // without a proxy: it is this machine
		a.own = servedHere
		// An answer tells of all inputs, and takes the engine the longer to write the more there are: fifty that each asked
		// four times a second kept half a processor busy (measured on 5.1.1). An only input never waits.
		a.shared = shared.At[*snapshot](base.String(), watchClosely*4/5)
	}
	a.client = &http.Client{Transport: transport, Timeout: enginePatience}
	return a
}

// read returns what the engine tells now: all at once where it has version 2 of the API, else of version 1.
func (a *Engine) read(ctx context.Context) (*snapshot, error) {
	ask := a.ask
	if a.shared != nil {
		ask = func(ctx context.Context) (*snapshot, error) { return a.shared.Read(ctx, a.ask) }
	}
	told, err := ask(ctx)
	if err != nil {
		return nil, err
	}
	s := *told // ours is of this input alone, the rest nobody changes
	if err := a.identify(&s); err != nil {
		return nil, err
	}
	if !s.whole && s.input().chunks == unknown {
		return nil, fmt.Errorf("%s/api/v1/storage does not tell of input %q yet", a.url, s.ours)
	}
	return &s, nil
}

// ask reads what is the same for every input.
func (a *Engine) ask(ctx context.Context) (*snapshot, error) {
	text, err := a.get(ctx, "/api/v2/metrics/prometheus")
	if errors.Is(err, errAbsent) {
		return a.readV1(ctx)
	}
	if err != nil {
		return nil, a.told("/api/v2/metrics/prometheus", "storage.metrics: on", err)
	}
	s := parseSnapshot(string(text))
	if len(s.inputs) == 0 {
		return nil, fmt.Errorf("%s/api/v2/metrics/prometheus tells of no input yet", a.url)
	}
	if s.chunks == unknown && len(s.outputs) != 1 {
		return nil, fmt.Errorf("the engine at %s does not tell how many chunks it has: set storage.metrics: on "+
			"in the service section", a.url)
	}
	return s, nil
}

// readV1 reads two addresses: what they tell belongs together as well as the engine's figures do.
func (a *Engine) readV1(ctx context.Context) (*snapshot, error) {
	var storage storageV1
	if err := a.getJSON(ctx, "/api/v1/storage", "storage.metrics: on", &storage); err != nil {
		return nil, err
	}
	var metrics metricsV1
	if err := a.getJSON(ctx, "/api/v1/metrics", "an http_port of its own", &metrics); err != nil {
		return nil, err
	}
	return metrics.snapshot(&storage), nil
}

// identify notes which of the inputs is this one.
func (a *Engine) identify(s *snapshot) (err error) {
	var names []string
	for _, i := range s.inputs {
		names = append(names, i.name)
	}
	slices.Sort(names)
	s.ours, err = a.name(names)
	return err
}

// name finds the input among those that the engine tells of, which are sorted.
func (a *Engine) name(inputs []string) (string, error) {
	var own []string
	for _, input := range inputs {
		if input == a.input {
			return input, nil
		}
		if strings.HasPrefix(input, pluginPrefix) {
			own = append(own, input)
		}
	}
	switch {
	case a.input != "":
		return "", fmt.Errorf("the engine at %s has no input %q; set engine_input to this input's alias; it has: %s",
			a.url, a.input, strings.Join(inputs, ", "))
	case len(own) == 1:
		return own[0], nil
	default:
		return "", fmt.Errorf("the engine at %s has %d inputs named %s*; give this input an alias and set engine_input "+
			"to it; it has: %s", a.url, len(own), pluginPrefix, strings.Join(inputs, ", "))
	}
}

// errAbsent says that the engine has no such address, or has nothing to tell there yet.
var errAbsent = errors.New("it answers 404 Not Found")

// get reads one address. Its errors do not say which, see told.
func (a *Engine) get(ctx context.Context, path string) ([]byte, error) {
	var connection net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { connection = info.Conn },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url.JoinPath(path).String(), nil)
	if err != nil {
		return nil, fmt.Errorf("engine_url: %w", err)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := a.isOwn(connection); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, engineAnswer))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusNotFound:
		return nil, errAbsent
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	}
	return body, nil
}

// getJSON reads one address; needs is the setting of the engine that makes it answer.
func (a *Engine) getJSON(ctx context.Context, path, needs string, into any) error {
	body, err := a.get(ctx, path)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	return a.told(path, needs, err)
}

// told completes an error of get for the person who can mend it.
func (a *Engine) told(path, needs string, err error) error {
	var transport *url.Error
	switch {
	case err == nil || errors.Is(err, errForeign):
		return err
	case errors.As(err, &transport):
		return fmt.Errorf("the engine's monitoring API cannot be read, set http_server: on and %s in the service "+
			"section, or engine_url: %w", needs, err)
	default:
		return fmt.Errorf("%s%s tells nothing, set http_server: on and %s in the service section: %w",
			a.url, path, needs, err)
	}
}

// errForeign says that another process answers.
var errForeign = errors.New("not of the Fluent Bit that this input runs in")

// isOwn makes sure that the answer comes from the Fluent Bit that this plugin runs in. Where the system does
// not tell, it is believed.
func (a *Engine) isOwn(connection net.Conn) error {
	if a.own == nil || connection == nil || connection == a.proven { // a connection's other end stays where it is
		return nil
	}
	own, err := a.own(connection.LocalAddr(), connection.RemoteAddr())
	if own || errors.Is(err, errNoProc) {
		a.proven = connection
		return nil
	}
	return fmt.Errorf("the monitoring API at %s is another process's, %w: give this one an http_port of its own, "+
		"and set engine_url to it", a.url, errForeign)
}
