// Command serve runs the simulated export endpoint on an address of this machine. Beside the export it
// answers GET /_truth with all visible events, a JSON object a line, and GET /_requests with what it was
// asked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parse(flag.CommandLine, os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulated endpoint:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, o options) error {
	server := exportertest.New(exportertest.Options{
		APIKey: o.apiKey, BearerToken: o.bearerToken, Answers: o.answers, Seed: o.seed,
	})
	server.Add(o.history()...)
	server.SetChaos(o.chaos)
	for _, e := range o.episodes {
		server.Play(e)
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	if err := o.announce(listener.Addr().(*net.TCPAddr)); err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	web := &http.Server{Handler: routes(server), ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	running.Go(func() {
		<-ctx.Done()
		_ = web.Close()
	})
	running.Go(func() {
		server.Live(
			ctx,
			exportertest.Liveness{Seed: o.seed, Anchor: o.anchor, Rate: o.rate, Late: o.late, LateBy: o.lateBy, Odd: o.odd},
		)
	})
	var truth error
	if o.truth != "" {
		running.Go(func() {
			if truth = writeTruth(ctx, server, o.truth); truth != nil {
				cancel()
			}
		})
	}
	served := web.Serve(listener)
	cancel()
	running.Wait()
	if errors.Is(served, http.ErrServerClosed) {
		served = nil
	}
	return errors.Join(served, truth)
}

// history returns the events before the anchor.
func (o *options) history() []exportertest.Event {
	events := exportertest.Generate(o.seed, o.events, o.anchor.Add(-o.past), o.anchor)
	exportertest.MakeOdd(o.seed, o.odd, events)
	exportertest.Withhold(o.withheld, o.anchor.Add(o.withheldFor), events)
	return events
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
