// Command demo shows the events of a simulated endpoint in a browser: the plugin collects them in a Fluent Bit, or in
// the bundled host where there is none, and VictoriaLogs keeps them and has the page. It runs until Ctrl-C, ends
// everything that it started, and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/siem"
)

// page is what the address of VictoriaLogs' page ends in: all audit events of a day, the newest first.
const page = "/select/vmui/?#/?query=event_id%3A*%20record_type%3A%22%22" +
	"&g0.range_input=24h&g0.relative_time=last_24_hours"

func main() {
	var d demo
	var listen string
	flag.StringVar(&d.build, "build", "build", "`folder` with what make builds")
	flag.StringVar(&listen, "listen", "127.0.0.1:9428", "`address` of the page; a free port if it is taken")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := d.run(ctx, listen)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is what is running.
type demo struct {
	build, dir string
	store      *siem.VictoriaLogs
	endpoint   *siem.Server
	collector  *siem.Server
}

func (d *demo) run(ctx context.Context, listen string) (err error) {
	if d.dir, err = os.MkdirTemp("", "wherobots-audit-demo"); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	fmt.Println("demo: VictoriaLogs (the first time it is fetched and built, in a minute or two)")
	if d.store, err = siem.StartVictoriaLogs(d.folder("victorialogs"), free(listen)); err != nil {
		return err
	}
	defer d.store.Stop()
	if err := d.startEndpoint(); err != nil {
		return err
	}
	defer d.endpoint.Stop()
	if err := d.startCollector(ctx); err != nil {
		return err
	}
	defer d.collector.Stop() // first: what it reads from and writes to is still there
	return d.show(ctx)
}

// folder makes one for a process of its own.
func (d *demo) folder(name string) string {
	path := filepath.Join(d.dir, name)
	_ = os.MkdirAll(path, 0o700) // whoever writes into it says why it cannot
	return path
}

// free is the address, or one with a free port if something listens there.
func free(address string) string {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return ""
	}
	listener.Close()
	return address
}

// startEndpoint serves a day of the past, and a new event every second.
func (d *demo) startEndpoint() error {
	dir := d.folder("endpoint")
	port := filepath.Join(dir, "port")
	command := exec.Command(filepath.Join(d.build, "simulated-endpoint"),
		"-port-file", port, "-api-key", "simulated", "-past", "24h", "-events", "2000", "-rate", "1")
	var err error
	if d.endpoint, err = siem.Launch(dir, "", command); err != nil {
		return err
	}
	return d.endpoint.Until(func() bool {
		text, err := os.ReadFile(port)
		d.endpoint.Address = "127.0.0.1:" + strings.TrimSpace(string(text))
		return err == nil && len(text) > 0
	})
}

// show says where the page is when there is something on it, and waits for the end.
func (d *demo) show(ctx context.Context) error {
	shown := false
	for {
		select {
		case <-ctx.Done():
			fmt.Println("demo: ends")
			return nil
		case <-d.collector.Ended():
			return died("the collector", d.collector)
		case <-d.endpoint.Ended():
			return died("the simulated endpoint", d.endpoint)
		case <-d.store.Ended():
			return died("VictoriaLogs", d.store.Server)
		case <-time.After(300 * time.Millisecond):
		}
		if shown {
			continue
		}
		if rows, err := d.store.Query("event_id:* | stats count() n"); err == nil && rows[0]["n"] != "0" {
			shown = true
			fmt.Printf("demo: %s%s\n", d.store.URL(), page)
			fmt.Println("demo: open it in a browser; a new event comes every second. Ctrl-C ends everything.")
		}
	}
}

func died(what string, s *siem.Server) error {
	text, err := os.ReadFile(s.Log)
	return errors.Join(fmt.Errorf("%s ended by itself: %s", what, text[max(0, len(text)-2000):]), err)
}
