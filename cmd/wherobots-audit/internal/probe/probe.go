// Package probe tries what an input needs of the world: the endpoint, the credential, clocks, a place for the
// checkpoint. It asks the endpoint for the last hour, and changes nothing but a file of its own that it removes again.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Stretch is how much of the export is looked at.
const Stretch = time.Hour

// report collects findings.
type report struct {
	name     string // of the input
	findings []rules.Finding
}

func (r *report) say(level rules.Level, rule, format string, args ...any) {
	r.findings = append(r.findings, rules.Finding{
		Level: level, Rule: rule, Place: r.name, Text: fmt.Sprintf(format, args...),
	})
}

// Needs says what an input needs.
type Needs struct {
	Name        string // of the input, for findings
	Config      config.Config
	StoragePath string        // Fluent Bit's; "" = none
	Watch       time.Duration // how long to watch for events that appear late; 0 = not at all

	Wrap func(http.RoundTripper) http.RoundTripper // sees all requests; nil = nobody does
}

// atOnce is how many inputs are tried side by side: their endpoint may be the same one.
const atOnce = 8

// RunAll tries several inputs side by side, and returns what it finds in their order.
func RunAll(ctx context.Context, all []Needs) (findings []rules.Finding) {
	found := make([][]rules.Finding, len(all))
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, needs := range all {
		places <- struct{}{}
		group.Go(func() {
			found[i] = Run(ctx, needs)
			<-places
		})
	}
	group.Wait()
	return slices.Concat(found...)
}

// Run tries it all.
func Run(ctx context.Context, needs Needs) []rules.Finding {
	r := &report{name: needs.Name}
	r.checkpoint(needs)
	r.disk(needs)
	r.endpoint(ctx, needs)
	return r.findings
}

// endpoint asks as the plugin would, with its own client.
func (r *report) endpoint(ctx context.Context, needs Needs) {
	cfg := needs.Config
	secrets := new(logline.Secrets)
	client, err := source.New(exporter.ClientConfig(cfg, secrets), nil)
	if err != nil {
		r.say(rules.Error, "endpoint", "%v", err)
		return
	}
	defer client.Close()
	if needs.Wrap != nil {
		client.Wrap(needs.Wrap)
	}
	a := &asker{client: client, row: newRows()}
	r.proxy(cfg)
	now := time.Now()
	got, err := a.read(ctx, now.Add(-Stretch), now)
	r.tls(cfg, a.trace)
	r.clock(got, err)
	if err != nil {
		r.failed(err)
		return
	}
	if skew := got.skew; skew.Abs() > tolerated {
		now = time.Now().Add(skew)
		if got, err = a.read(ctx, now.Add(-Stretch), now); err != nil {
			r.failed(err)
			return
		}
	}
	r.say(rules.OK, "credential", "%s accepts it", cfg.Endpoint.Host)
	r.columns(got)
	r.rows(got)
	r.limit(ctx, a, got)
	if cfg.CountCheck {
		r.count(ctx, a, got)
	}
	r.overlap(ctx, a, got, needs)
}

// failed says what an endpoint that does not answer lacks.
func (r *report) failed(err error) {
	rule := "endpoint"
	switch cause := source.CauseOf(err); cause {
	case source.CauseRefused:
		rule = "credential"
	case source.CauseTLS, source.CauseProxy:
		rule = string(cause)
	}
	if errors.Is(err, fs.ErrNotExist) && rule == "credential" {
		r.say(rules.Error, rule, "%v: write it there; the plugin starts without it, and waits for it", err)
		return
	}
	r.say(rules.Error, rule, "%v", err)
}
