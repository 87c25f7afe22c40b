package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Exports of the source, by the name that begins the path: <kind>-<rows>.
const (
	kindPlain  = "plain"  // spread over span
	kindDays   = "days"   // spread over days
	kindSecond = "second" // all in one second
	kindField  = "field"  // with one field of longField
	kindGzip   = "gzip"   // sent compressed, whatever was asked for
	kindRound  = "round"  // as many rows as a limit may have, in round thousands
	kindEmpty  = "empty"  // no events, for ever
)

const longField = 8 << 20

// anchor is when the events of every export begin: whole, past, and within the endpoint's retention.
func anchor() time.Time { return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -12) }

// source is the process that serves the exports.
type source struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	base   string
	anchor time.Time
}

// startSource starts the server and waits until its exports are rendered.
func startSource(p plan) (*source, error) {
	smallest, largest := p.sizes[0], p.sizes[len(p.sizes)-1]
	var names []string
	for _, rows := range p.sizes {
		names = append(names, exportName(kindPlain, rows))
	}
	for _, kind := range []string{kindSecond, kindField, kindGzip, kindRound} {
		names = append(names, exportName(kind, smallest), exportName(kind, largest))
	}
	for _, rows := range append([]int{restRows, p.backfill}, p.sizes...) {
		names = append(names, exportName(kindDays, rows))
	}
	s := &source{anchor: anchor()}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s.cmd = exec.Command(
		self, "-role", "serve", "-exports", strings.Join(names, ","), "-anchor",
		s.anchor.Format(time.RFC3339),
	)
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil { // its end tells the server to end, however this process does
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the source did not start: %w", err), s.cmd.Wait())
	}
	s.base = "http://" + strings.TrimSpace(line)
	return s, nil
}

func (s *source) stop() {
	s.stdin.Close()
	_ = s.cmd.Wait() // it was told to end
}

// endpoint is the base URL of one export.
func (s *source) endpoint(kind string, rows int) string {
	return s.base + "/" + exportName(kind, rows)
}

func exportName(kind string, rows int) string { return kind + "-" + strconv.Itoa(rows) }

// serve is the server's role. It prints its address and ends when its standard input does.
func serve(t task) error {
	handler := make(exports)
	for _, name := range strings.Split(t.exports, ",") {
		if handler[name] != nil {
			continue
		}
		x, err := render(name, t.anchor)
		if err != nil {
			return err
		}
		handler[name] = x
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // nothing is written to it
		listener.Close()
	}()
	fmt.Println(listener.Addr())
	if err := http.Serve(listener, handler); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// rowsOf is how many rows an export has that is asked for with so many.
func rowsOf(kind string, rows int) int {
	if kind == kindRound {
		return (rows + 500) / 1000 * 1000
	}
	return rows
}

func render(name string, anchor time.Time) (*export, error) {
	kind, count, _ := strings.Cut(name, "-")
	rows, err := strconv.Atoi(count)
	if err != nil {
		return nil, fmt.Errorf("export %q: %w", name, err)
	}
	switch kind {
	case kindDays:
		return newExport(rows, anchor, days, 0), nil
	case kindRound:
		return newExport(rowsOf(kind, rows), anchor, span, 0), nil
	case kindSecond:
		return newExport(rows, anchor, time.Second, 0), nil
	case kindField:
		return newExport(rows, anchor, span, longField), nil
	case kindGzip:
		x := newExport(rows, anchor, span, 0)
		return x, x.pack()
	default:
		return newExport(rows, anchor, span, 0), nil
	}
}

// exports serves windows of exports, and all of one without a window.
type exports map[string]*export

func (e exports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("Content-Type", "text/csv")
	x := e[name]
	rows := []byte(nil)
	switch {
	case x == nil && !strings.HasPrefix(name, kindEmpty):
		http.NotFound(w, r)
		return
	case x == nil:
	case r.URL.RawQuery == "":
		rows = x.body[x.columns:]
	default:
		start, startErr := time.Parse(time.RFC3339Nano, r.URL.Query().Get("startTime"))
		end, endErr := time.Parse(time.RFC3339Nano, r.URL.Query().Get("endTime"))
		if err := errors.Join(startErr, endErr); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		rows = x.window(start, end)
	}
	if x != nil && x.packed != nil && len(rows) == len(x.body)-x.columns {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(len(x.packed)))
		_, _ = w.Write(x.packed) // a client that went away is no matter
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(header)+len(rows)))
	_, _ = io.WriteString(w, header)
	_, _ = w.Write(rows)
}
