// Command serve runs the simulated export endpoint on an address of this machine.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

type options struct {
	listen, portFile, apiKey, anchor, header, order string
	past                                            time.Duration
	events                                          int
	seed                                            int64
	rate, late                                      float64
	lateBy                                          time.Duration
	chaos                                           exportertest.Chaos
	answers                                         exportertest.Answers
	gzip                                            bool
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to listen on")
	flag.StringVar(&o.portFile, "port-file", "", "write the port into this file")
	flag.StringVar(&o.apiKey, "api-key", "simulated", "the key that is accepted")
	flag.StringVar(&o.anchor, "anchor", "", "RFC 3339 time that past ends at and live events start at; the same anchor and seed give the same events (default now)")
	flag.DurationVar(&o.past, "past", 24*time.Hour, "how far back events go from the anchor")
	flag.IntVar(&o.events, "events", 500, "how many of them there are")
	flag.Int64Var(&o.seed, "seed", 1, "of the events and faults")
	flag.Float64Var(&o.rate, "rate", 1, "live events a second")
	flag.Float64Var(&o.late, "late", 0, "share of live events that appear late")
	flag.DurationVar(&o.lateBy, "late-by", time.Minute, "by how much")
	flag.Float64Var(&o.chaos.Fail, "fail", 0, "share of requests that fail")
	flag.Float64Var(&o.chaos.Cut, "cut", 0, "share of answers that are cut")
	flag.Float64Var(&o.chaos.Hang, "hang", 0, "share of requests that are never answered")
	flag.StringVar(&o.header, "header", "snake", "spelling of the header: snake, title, camel or upper")
	flag.StringVar(&o.order, "order", "ascending", "of the rows: ascending, descending or shuffled")
	flag.StringVar(&o.answers.TimeLayout, "time-layout", "", "Go layout of event_time")
	flag.BoolVar(&o.answers.JSONString, "json-string", false, "the CSV as one JSON string")
	flag.BoolVar(&o.answers.CRLF, "crlf", false, "line ends are CRLF")
	flag.BoolVar(&o.answers.BOM, "bom", false, "a byte order mark first")
	flag.BoolVar(&o.gzip, "gzip", false, "compress when the client accepts it")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "simulated endpoint:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	anchor := time.Now().UTC()
	if o.anchor != "" {
		var err error
		if anchor, err = time.Parse(time.RFC3339, o.anchor); err != nil {
			return fmt.Errorf("-anchor: %w", err)
		}
	}
	if err := o.switches(); err != nil {
		return err
	}
	o.chaos.Seed = o.seed
	server := exportertest.New(exportertest.Options{APIKey: o.apiKey, Answers: o.answers, Seed: o.seed})
	server.Add(exportertest.Generate(o.seed, o.events, anchor.Add(-o.past), anchor)...)
	server.SetChaos(o.chaos)

	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	if err := o.announce(listener.Addr().(*net.TCPAddr)); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go server.Live(ctx, exportertest.Liveness{Seed: o.seed, Anchor: anchor, Rate: o.rate, Late: o.late, LateBy: o.lateBy})
	web := &http.Server{Handler: routes(server), ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = web.Close()
	}()
	if err := web.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func (o *options) switches() error {
	spellings := map[string]exportertest.Spelling{"snake": exportertest.Snake, "title": exportertest.Title, "camel": exportertest.Camel, "upper": exportertest.Upper}
	orders := map[string]exportertest.Order{"ascending": exportertest.Ascending, "descending": exportertest.Descending, "shuffled": exportertest.Shuffled}
	var ok bool
	if o.answers.Header, ok = spellings[o.header]; !ok {
		return fmt.Errorf("-header %q: allowed are snake, title, camel, upper", o.header)
	}
	if o.answers.Order, ok = orders[o.order]; !ok {
		return fmt.Errorf("-order %q: allowed are ascending, descending, shuffled", o.order)
	}
	if o.gzip {
		o.answers.Gzip = exportertest.GzipIfAccepted
	}
	return nil
}

// announce says where the server listens; the port file appears whole.
func (o *options) announce(address *net.TCPAddr) error {
	fmt.Fprintf(os.Stderr, "simulated endpoint: listening on http://%s\n", address)
	if o.portFile == "" {
		return nil
	}
	if err := os.WriteFile(o.portFile+".tmp", fmt.Appendln(nil, address.Port), 0o600); err != nil {
		return err
	}
	return os.Rename(o.portFile+".tmp", o.portFile)
}

// routes adds what a test wants to know: all events, and what was asked.
func routes(server *exportertest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("/_truth", func(w http.ResponseWriter, _ *http.Request) {
		encoder := json.NewEncoder(w)
		for _, event := range server.Events() {
			_ = encoder.Encode(event)
		}
	})
	mux.HandleFunc("/_requests", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(server.Requests()) })
	return mux
}
