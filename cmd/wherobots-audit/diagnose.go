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
		d.failed("settings.json", readErr.Error(), "")
	} else {
		d.json("settings.json", d.settings())
		d.probe()
	}
	if !d.command.Offline {
		d.status()
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

// failed says in a JSON file's place why it could not be made, and what came instead, so that whatever reads JSON can
// read this, too. JSON spells some secrets in another way: they are taken out before.
func (d *diagnosis) failed(name, reason, answer string) {
	said := map[string]string{"error": d.Redact(reason)}
	if answer != "" {
		said["answer"] = d.Redact(answer)
	}
	d.json(name, said)
}

// status is what the plugin itself answers, where it listens.
func (d *diagnosis) status() {
	text, err := fetchedJSON(d.ctx, d.command.URL)
	silent := len(d.inputs) > 0
	for _, in := range d.inputs {
		silent = silent && in.Config.StatusListen == ""
	}
	if err != nil && silent {
		err = fmt.Errorf("status_listen is not set; %w", err)
	}
	d.answer("status.json", text, err)
}

// engine is what the engine's monitoring answers.
func (d *diagnosis) engine(in *rules.Input) {
	name, base := "engine-"+fileSafe(in.Name)+"-", in.Config.EngineURL
	for file, path := range map[string]string{"about.json": "/", "storage.json": "/api/v1/storage"} {
		text, err := fetchedJSON(d.ctx, base.JoinPath(path).String())
		d.answer(name+file, text, err)
	}
	text, err := fetched(d.ctx, base.JoinPath("/api/v2/metrics/prometheus").String())
	if err != nil {
		text = err.Error() + "\n" + text
	}
	d.text(name+"metrics.txt", text)
}

// answer keeps a JSON text that was asked for, or why there is none.
func (d *diagnosis) answer(name, text string, err error) {
	if err != nil {
		d.failed(name, err.Error(), text)
		return
	}
	d.text(name, text)
}

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
		d.engine(in)
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

// fetchedJSON is fetched of what should be JSON.
func fetchedJSON(ctx context.Context, address string) (string, error) {
	text, err := fetched(ctx, address)
	if err == nil && !json.Valid([]byte(text)) {
		err = errors.New("the answer is not JSON")
	}
	return text, err
}

// fetched is what a local URL answers, and what is wrong with that. What follows a redirect is somebody else's.
func fetched(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("no URL")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", errors.New("no URL")
	}
	response, err := localClient().Do(request)
	if err != nil {
		return "", fmt.Errorf("%s: %s", u.Redacted(), reasonOf(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostFetched))
	switch {
	case err != nil:
		err = fmt.Errorf("%s: status %d: %s", u.Redacted(), response.StatusCode, reasonOf(err))
	case response.StatusCode != http.StatusOK:
		err = fmt.Errorf("%s: status %d", u.Redacted(), response.StatusCode)
	}
	return string(text), err
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
