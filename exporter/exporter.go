// Package exporter collects Wherobots audit events and hands them over to Fluent Bit. It knows nothing of C.
//
//	export endpoint ─▶ client ─body─▶ decoder ─row─▶ encoder ─batch─▶ ledger ─▶ Next (collect callback) ─▶ Fluent Bit
//	                     ▲                                              │
//	               planner ◀── checkpoint on disk ◀── commits ◀── safe ◀── Accepted (cleanup callback)
//
// One goroutine (collector) plans windows, fetches, decodes, encodes and saves the checkpoint. The engine's
// thread only takes batches from the ledger and tells it what became of them. Data flows one way; what comes
// back is one fact, "up to this batch all is safe", and only that moves the checkpoint.
//
// The guarantee: an event that the endpoint shows is handed over, and the checkpoint passes it only when the
// engine has it safe. After a crash what was not yet safe is fetched again, so an event can arrive twice but
// with the same event_id.
package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Exporter is one instance of the input. Next, Accepted, Pause and Resume are called by the engine's thread,
// Lines and Stats by any.
type Exporter struct {
	cfg       config.Config
	file      *checkpoint.File
	ledger    *handover.Ledger
	log       *logline.Queue
	stats     *stats
	collector *collector
	facts     handover.Facts
	watch     *handover.Watch   // with commit_on handoff, nil in tests in fake time
	storage   *handover.Storage // nil in tests in fake time, which have no files

	started    time.Time
	collecting atomic.Bool // the collector's goroutine runs
	unanswer   func()      // ends the answers at status_listen

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New opens the checkpoint and prepares everything; nothing runs before Start. Its errors are for the person
// who wrote the configuration: they name the setting or file and the way out. The caller must Close what New
// returned. It waits for a process that is ending and still holds the checkpoint or the storage; say then gets a line
// for the log at once. A standby waits for any process, until ctx ends: then the error is ErrEnded.
func New(ctx context.Context, cfg config.Config, say func(line string)) (*Exporter, error) {
	e, err := newExporter(ctx, cfg, handover.OnStorage, nil, nil, say)
	if err != nil {
		return nil, err
	}
	if e.watch == nil {
		e.watch = e.newWatch(nil)
	}
	e.storage = handover.NewStorage(e.ledger, &e.facts, e.log)
	if err := e.storage.Claim(waitsFor("storage.path", say)); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// waitsFor returns what says that the holder of something is waited for.
func waitsFor(what string, say func(line string)) func(holder string) {
	return func(holder string) {
		say(fmt.Sprintf("%s is used by %s: waits up to 15 s for it to end", what, holder))
	}
}

// openCheckpoint waits for another process that holds it: one that is ending, or, with checkpoint_lock wait, any. Until
// then the engine takes nothing over from the storage either, since it does so only when its inputs have started.
func openCheckpoint(
	ctx context.Context, cfg config.Config, origin checkpoint.Source, say func(line string),
) (*checkpoint.File, error) {
	what := "checkpoint_path " + cfg.CheckpointPath
	if !cfg.Standby {
		return checkpoint.OpenWaiting(cfg.CheckpointPath, origin, waitsFor(what, say))
	}
	return checkpoint.OpenStandby(ctx, cfg.CheckpointPath, origin, func(holder string) {
		say(fmt.Sprintf("%s is used by %s: stands by until that ends", what, holder))
	})
}

// NewWithoutEngine is New for a host that is not Fluent Bit, such as a benchmark: nothing is asked of an engine, and a
// batch is safe a second after the host took it.
func NewWithoutEngine(cfg Config) (*Exporter, error) {
	return newExporter(context.Background(), cfg, handover.OnTime, nil, nil, func(string) {})
}

// newWatch makes what asks the engine, through the given transport.
func (e *Exporter) newWatch(engine http.RoundTripper) *handover.Watch {
	api := handover.NewEngine(e.cfg.EngineURL, e.cfg.EngineInput, engine)
	e.facts.Locate(e.cfg.EngineURL.String())
	return handover.NewWatch(api, e.ledger, &e.facts, e.collector.refusals, e.log, "commit_on "+string(e.cfg.CommitOn))
}

// newExporter lets tests bring transports of their own, for the export endpoint and for the engine's monitoring API,
// and say what makes a batch safe with commit_on handoff.
func newExporter(
	ctx context.Context, cfg config.Config, handoff handover.Safety, endpoint, engine http.RoundTripper,
	say func(line string),
) (*Exporter, error) {
	log := new(logline.Queue)
	hideProxyPasswords(&log.Secrets)
	client, err := source.New(clientConfigOf(cfg, &log.Secrets), endpoint)
	if err != nil {
		return nil, err
	}
	origin := checkpoint.Source{Endpoint: cfg.Endpoint.String(), SearchTerm: cfg.SearchTerm}
	file, err := openCheckpoint(ctx, cfg, origin, say)
	if err != nil {
		return nil, fmt.Errorf("checkpoint_path: %w", err)
	}
	e := &Exporter{cfg: cfg, file: file, log: log, stats: new(stats)}
	e.log.Infof("settings: %s", cfg.Given())
	safety := handoff
	if cfg.CommitOn == config.CommitDelivery {
		safety = handover.OnDelivery
	}
	e.ledger = handover.NewLedger(safety, cfg.BatchBytes)
	e.collector, err = newCollector(cfg, client, file, e.ledger, e.log, e.stats)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	e.collector.left = func() int { return 0 }
	if cfg.CommitOn != config.CommitDelivery {
		e.collector.left = e.facts.Left
	}
	if e.stats.through.Load() == 0 { // until it is known: the lag of a collection that never began must show too
		e.stats.through.Store(cfg.Start.At(time.Now()).Unix())
	}
	if cfg.CommitOn == config.CommitDelivery {
		e.watch = e.newWatch(engine)
	}
	e.tellStart(client)
	for _, warning := range cfg.Warnings() {
		e.log.Warnf("%s", warning)
	}
	return e, nil
}

// tellStart says in one line what this run is about to do.
func (e *Exporter) tellStart(client *source.Client) {
	origin := client.Origin()
	if e.cfg.Credentials.Variable != "" {
		origin += " in the environment"
	}
	resumes := "goes on at " + e.collector.commits.through().Format(time.RFC3339)
	if e.collector.commits.through().IsZero() {
		resumes = "begins at start_time " + e.cfg.Start.String()
	}
	e.log.Infof(
		"version %s: endpoint %s, credential from %s, proxy %s, schema %s, checkpoint %s %s, commit_on %s passes events %s",
		Version, e.cfg.Endpoint, origin, cmp.Or(client.Proxy(), "none"), e.cfg.Schema, e.cfg.CheckpointPath, resumes,
		e.cfg.CommitOn, e.cfg.CommitOn.Rule(),
	)
}

// Verbose says whether lines of LevelDebug are wanted: one for each request.
func (e *Exporter) Verbose(wanted bool) { e.log.Verbose(wanted) }

// hideProxyPasswords keeps the passwords of the environment's proxies out of the log: a proxy's refusal may
// repeat them.
func hideProxyPasswords(secrets *logline.Secrets) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		for _, value := range []string{os.Getenv(name), os.Getenv(strings.ToLower(name))} {
			if proxy, err := url.Parse(value); err == nil && proxy.User != nil {
				password, _ := proxy.User.Password()
				secrets.Hide(password)
				secrets.Hide(proxy.User.Username() + ":" + password) // in base64 it is what Proxy-Authorization has
			}
		}
	}
}

// ClientConfig is what a client needs of the settings, to ask the endpoint as the plugin does; secrets gets what no
// text may show.
func ClientConfig(cfg config.Config, secrets *logline.Secrets) source.Config {
	hideProxyPasswords(secrets)
	return clientConfigOf(cfg, secrets)
}

// clientConfigOf is what the client needs of the settings.
func clientConfigOf(cfg config.Config, secrets *logline.Secrets) source.Config {
	return source.Config{
		Endpoint:       cfg.Endpoint,
		SearchTerm:     cfg.SearchTerm,
		Secrets:        secrets,
		UserAgent:      "in_wherobots_audit/" + Version + " (fluent-bit)",
		Credentials:    cfg.Credentials,
		RequestTimeout: cfg.RequestTimeout,
		PollInterval:   cfg.PollInterval,
		TLSCAFile:      cfg.TLSCAFile,
		TLSVerify:      cfg.TLSVerify,
		TLSCertFile:    cfg.TLSCertFile,
		TLSKeyFile:     cfg.TLSKeyFile,
		Proxy:          cfg.Proxy,

		MinRequestInterval: cfg.MinRequestInterval,
	}
}

// Start begins to collect. Close ends it.
func (e *Exporter) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	fleet.join(e)
	e.started = time.Now()
	e.collecting.Store(true)
	e.done.Go(func() {
		defer e.collecting.Store(false)
		e.collector.run(ctx)
	})
	e.unanswer = e.answerHealth()
	if e.storage != nil {
		e.done.Go(func() { e.storage.Run(ctx) })
	}
	if e.watch != nil {
		e.done.Go(func() { e.watch.Run(ctx) })
	}
}

// Next is the engine's collect callback: it returns events to hand over, msgpack of at most batch_bytes
// (unless one record is larger), or nil. It does no I/O and waits for nothing. The bytes are valid until
// Accepted or the next call of Next.
func (e *Exporter) Next() []byte {
	fleet.called(e)
	return e.ledger.Next()
}

// Accepted is the engine's cleanup callback: it has copied what Next returned.
func (e *Exporter) Accepted() { e.ledger.Accept() }

// Pause is the engine's Pause: nothing is handed over until Resume.
func (e *Exporter) Pause() { e.ledger.Pause() }

// Resume is the engine's Resume.
func (e *Exporter) Resume() { e.ledger.Resume() }

// Lines returns the log lines since the last call, to be printed on the engine's thread.
func (e *Exporter) Lines() []logline.Line {
	e.collector.backfill.Tick()
	return e.log.Drain()
}

// Ended reports, once in a process, that it is to end: with exit_when_complete, when every input of this plugin has
// reached its end_time and all is delivered. It is called on the engine's thread.
func (e *Exporter) Ended() bool {
	return e.cfg.ExitWhenComplete && e.stats.complete.Load() && fleet.end(e)
}

// Close is the engine's Exit: it ends everything that Start began, waits for it, saves what is safe, and lets
// go of the checkpoint, even if a defect is in the way: an instance that a reload starts must find it free.
func (e *Exporter) Close() (err error) {
	defer func() { err = errors.Join(err, e.file.Close()) }()
	if e.storage != nil {
		defer e.storage.Release()
	}
	if e.cancel != nil {
		defer fleet.leave(e)
		e.unanswer()
		e.cancel()
		e.done.Wait()
		e.collector.finish()
	}
	return nil
}

// What the C edge needs of the rooms, so that it imports this package alone.
type (
	// Config is what one [INPUT] section says.
	Config = config.Config
	// Line is a line for the engine's log.
	Line = logline.Line
	// Level is the level of a Line, as the engine numbers it.
	Level = logline.Level
	// Figure is a line of the table of figures.
	Figure = figures.Figure
	// Label tells one sample of a figure from another.
	Label = figures.Label
)

// Figures returns the table of all that Stats has.
func Figures() []Figure { return figures.Table() }

// FigureBounds returns the upper ends of the histogram's buckets, in seconds.
func FigureBounds() []float64 { return figures.Bounds() }

// ErrEnded is that a standby was asked to end.
var ErrEnded = checkpoint.ErrEnded

// LevelError is the level of what a person must act on.
const LevelError = logline.LevelError

// LevelWarn is the level of what heals by itself, or costs something.
const LevelWarn = logline.LevelWarn

// LevelInfo is the level of what is only good to know.
const LevelInfo = logline.LevelInfo

// LevelDebug is the level of what helps to find causes.
const LevelDebug = logline.LevelDebug

// Version is the plugin's version, as set when it is linked.
var Version = "dev"

// ParseConfig reads the settings; see config.Parse.
func ParseConfig(get func(key string) string) (Config, error) { return config.Parse(get) }
