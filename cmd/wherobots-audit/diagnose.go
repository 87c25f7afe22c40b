package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/bundle"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/fluentconf"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/probe"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// diagnoseCommand collects what a bug report needs, without secrets.
type diagnoseCommand struct {
	Config  string `name:"config" short:"c" placeholder:"FILE" help:"Fluent Bit's configuration, YAML or classic."`
	Output  string `name:"output" short:"o" placeholder:"FILE" help:"Where the archive goes; - is standard output."`
	Log     string `name:"log" placeholder:"FILE" help:"A log of Fluent Bit; its last megabyte is taken along."`
	URL     string `name:"url" default:"http://127.0.0.1:2112/status" help:"The plugin's own status."`
	Offline bool   `name:"offline" help:"Ask neither the endpoint nor Fluent Bit."`
}

// diagnosis is an archive that is filled. What cannot be collected is said in its place: a bug report is needed most
// where something does not work.
type diagnosis struct {
	*bundle.Bundle
	command diagnoseCommand
	ctx     context.Context
	read    *fluentconf.Configuration
	inputs  []*rules.Input
	report  checkReport
	err     error
}

func (k diagnoseCommand) Run(c *console) error {
	name := k.Output
	if name == "" {
		name = "wherobots-audit-diagnose-" + time.Now().UTC().Format("20060102T150405Z") + ".tar.gz"
	}
	archive := c.out
	if name != "-" {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		archive = file
	}
	d := &diagnosis{Bundle: bundle.New(archive), command: k, ctx: context.Background()}
	d.fill()
	if err := errors.Join(d.err, d.Close()); err != nil {
		return err
	}
	if name == "-" {
		return nil
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(map[string]any{"file": name, "contains": d.Names})
	}
	_, err := fmt.Fprintf(c.out, "%s\n%s: known secrets are taken out; look through it before you send it\n",
		strings.Join(d.Names, "\n"), name)
	return err
}

// fill collects all. Secrets come first: nothing is written before it is known what must not be.
func (d *diagnosis) fill() {
	d.HideEnvironment(os.Environ())
	file, readErr := configurationFile(d.command.Config)
	if readErr == nil {
		d.read, readErr = fluentconf.Read(file, os.Getenv)
	}
	d.report.File = file
	if readErr == nil {
		d.hideSettings()
		d.inputs, d.report.Findings = rules.Check(d.read, config.Parse)
		d.hideInputs()
	}
	d.text("about.txt", about())
	if readErr != nil {
		d.hideLines(file)
		d.text("settings.json", readErr.Error()+"\n")
	} else {
		d.json("settings.json", d.settings())
		d.probe()
	}
	if !d.command.Offline {
		d.text("status.json", fetched(d.ctx, d.command.URL))
	}
	switch {
	case d.command.Log == "":
	case readErr != nil:
		d.text("log.txt", "left out: what is secret is not known while the configuration cannot be read. Correct it first.\n")
	default:
		d.text("log.txt", lastOf(d.command.Log))
	}
}

// hideLines tells the archive what may be secrets in a configuration that cannot be read: its error may show a line.
func (d *diagnosis) hideLines(file string) {
	for line := range strings.Lines(lastOf(file)) {
		line = strings.TrimLeft(line, "- \t")
		if end := strings.IndexAny(line, ":= \t"); end > 0 {
			d.HideNamed(line[:end], strings.Trim(line[end:], ":=\"' \t\r\n"))
		}
	}
}

func (d *diagnosis) text(name, text string) { d.err = errors.Join(d.err, d.Text(name, text)) }

func (d *diagnosis) json(name string, value any) { d.err = errors.Join(d.err, d.JSON(name, value)) }

// hideSettings tells the archive the secrets of all plugins.
func (d *diagnosis) hideSettings() {
	for _, section := range append([]fluentconf.Section{d.read.Service}, d.read.Sections...) {
		for _, s := range append([]fluentconf.Section{section}, section.Processors...) {
			for _, p := range s.Properties {
				d.HideNamed(p.Key, p.Raw)
				d.HideNamed(p.Key, p.Value)
			}
		}
	}
}

// hideInputs tells it those of this plugin's inputs: credentials, and the checkpoints' keys.
func (d *diagnosis) hideInputs() {
	for _, in := range d.inputs {
		if _, value, err := source.NewCredential(in.Config.Credentials).Header(); err == nil {
			d.Hide(value)
			d.Hide(strings.TrimPrefix(value, "Bearer "))
		}
		if state, _, err := readState(in); err == nil {
			d.HideBytes(state.Key)
		}
	}
}

// probe checks, tries the endpoint, and reads checkpoints and figures.
func (d *diagnosis) probe() {
	d.report.Files = d.read.Files
	var needs []probe.Needs
	var recorders []*probe.Recorder
	for _, in := range d.inputs {
		d.report.Inputs = append(d.report.Inputs, describe(in))
		d.checkpoint(in)
		if d.command.Offline || !in.Sound {
			continue
		}
		recorder := new(probe.Recorder)
		recorders = append(recorders, recorder)
		needs = append(needs, probe.Needs{
			Name: in.Name, Config: in.Config, StoragePath: d.read.Service.Get("storage.path"), Wrap: recorder.Wrap,
		})
		for file, path := range map[string]string{
			"about.json": "/", "storage.json": "/api/v1/storage", "metrics.txt": "/api/v2/metrics/prometheus",
		} {
			d.text("engine-"+fileSafe(in.Name)+"-"+file, fetched(d.ctx, in.Config.EngineURL.JoinPath(path).String()))
		}
	}
	d.report.Findings = append(d.report.Findings, probe.RunAll(d.ctx, needs)...)
	d.report.Verdict = worst(d.report.Findings)
	d.json("check.json", d.report)
	if !d.command.Offline {
		var exchanges []*probe.Exchange
		for _, recorder := range recorders {
			exchanges = append(exchanges, recorder.Exchanges...)
		}
		d.json("requests.json", exchanges)
	}
}

// about says what runs where.
func about() string {
	var b strings.Builder
	var name unix.Utsname
	_ = unix.Uname(&name)
	fmt.Fprintf(&b, "wherobots-audit %s, %s %s/%s\n", exporter.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, "%s %s\n", unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]))
	fmt.Fprintf(&b, "user %d, %s\n", os.Getuid(), time.Now().UTC().Format(time.RFC3339))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "fluent-bit", "--version").Output(); err == nil {
		first, _, _ := strings.Cut(string(out), "\n")
		fmt.Fprintf(&b, "%s, the one on the PATH\n", first)
	}
	return b.String()
}

// mostFetched is how much of an answer or a log is taken along.
const mostFetched = 1 << 20

// fetched is what a local URL answers, or why not. What follows a redirect is somebody else's.
func fetched(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return "no URL\n"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "no URL\n"
	}
	response, err := localClient().Do(request)
	if err != nil {
		return fmt.Sprintf("%s: %s\n", u.Redacted(), reasonOf(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostFetched))
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s: status %d %v\n%s", u.Redacted(), response.StatusCode, err, text)
	}
	return string(text)
}

// lastOf is the end of a file, from the beginning of a line.
func lastOf(name string) string {
	file, err := os.Open(name)
	if err != nil {
		return err.Error() + "\n"
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return name + " is not a regular file\n"
	}
	if info.Size() <= mostFetched {
		text, _ := io.ReadAll(io.LimitReader(file, mostFetched))
		return string(text)
	}
	text, _ := io.ReadAll(io.NewSectionReader(file, info.Size()-mostFetched, mostFetched))
	_, whole, _ := strings.Cut(string(text), "\n")
	return whole
}
