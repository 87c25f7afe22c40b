package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Engine reads Fluent Bit's monitoring API (version 1, the same in 3.2 and 5.1).
type Engine struct {
	url    *url.URL
	input  string // engine_input; "" = the only input of this plugin
	client *http.Client
	own    func(local, remote net.Addr) (bool, error) // whether this process serves the connection; nil = it is not asked
}

// figures are what the engine tells of one input and of all outputs.
type figures struct {
	input   string
	records int64 // accepted from the input since the engine started
	chunks  int64 // of the input that are still in the engine
	drops   int64 // records and chunks that any output dropped or gave up on
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
	}
	a.client = &http.Client{Transport: transport, Timeout: enginePatience}
	return a
}

// read returns figures that belong together as well as the engine's do.
func (a *Engine) read(ctx context.Context) (figures, error) {
	var storage struct {
		InputChunks map[string]struct {
			Chunks struct {
				Total *int64 `json:"total"`
			} `json:"chunks"`
		} `json:"input_chunks"`
	}
	if err := a.get(ctx, "/api/v1/storage", "storage.metrics: on", &storage); err != nil {
		return figures{}, err
	}
	name, metrics, err := a.metrics(ctx)
	if err != nil {
		return figures{}, err
	}
	chunks, ok := storage.InputChunks[name]
	if !ok || chunks.Chunks.Total == nil {
		return figures{}, fmt.Errorf("%s/api/v1/storage does not tell of input %q yet", a.url, name)
	}
	f := figures{input: name, records: metrics.Input[name].Records, chunks: *chunks.Chunks.Total}
	for _, output := range metrics.Output {
		f.drops += output.Errors + output.RetriesFailed + output.DroppedRecords
	}
	return f, nil
}

// records returns how many records of the input the engine's main thread has taken in.
func (a *Engine) records(ctx context.Context) (uint64, error) {
	name, metrics, err := a.metrics(ctx)
	return uint64(metrics.Input[name].Records), err
}

// engineMetrics is what is read of /api/v1/metrics.
type engineMetrics struct {
	Input map[string]struct {
		Records int64 `json:"records"`
	} `json:"input"`
	Output map[string]struct {
		Errors         int64 `json:"errors"`
		RetriesFailed  int64 `json:"retries_failed"`
		DroppedRecords int64 `json:"dropped_records"`
	} `json:"output"`
}

// metrics returns the engine's counters and this input's name among them.
func (a *Engine) metrics(ctx context.Context) (name string, m engineMetrics, err error) {
	if err := a.get(ctx, "/api/v1/metrics", "an http_port of its own", &m); err != nil {
		return "", m, err
	}
	name, err = a.name(slices.Sorted(maps.Keys(m.Input)))
	return name, m, err
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
		return "", fmt.Errorf("the engine at %s has no input %q; set engine_input to this input's alias; it has: %s", a.url, a.input, strings.Join(inputs, ", "))
	case len(own) == 1:
		return own[0], nil
	default:
		return "", fmt.Errorf("the engine at %s has %d inputs named %s*; give this input an alias and set engine_input to it; it has: %s", a.url, len(own), pluginPrefix, strings.Join(inputs, ", "))
	}
}

// get reads one address; needs is the setting of the engine that makes it answer.
func (a *Engine) get(ctx context.Context, path, needs string, into any) error {
	var connection net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { connection = info.Conn }})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url.JoinPath(path).String(), nil)
	if err != nil {
		return fmt.Errorf("engine_url: %w", err)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return fmt.Errorf("the engine's monitoring API cannot be read, set http_server: on and %s in the service section, or engine_url: %w", needs, err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := a.isOwn(connection); err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, engineAnswer))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s", response.Status)
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return fmt.Errorf("%s%s tells nothing, set http_server: on and %s in the service section: %w", a.url, path, needs, err)
	}
	return nil
}

// isOwn makes sure that the answer comes from the Fluent Bit that this plugin runs in. Where the system does not tell, it is believed.
func (a *Engine) isOwn(connection net.Conn) error {
	if a.own == nil || connection == nil {
		return nil
	}
	own, err := a.own(connection.LocalAddr(), connection.RemoteAddr())
	if own || errors.Is(err, errNoProc) {
		return nil
	}
	return fmt.Errorf("the monitoring API at %s is another process's, not of the Fluent Bit that this input runs in: give this one an http_port of its own, and set engine_url to it", a.url)
}
