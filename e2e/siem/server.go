package siem

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Server is a store that runs. Its methods may be called from several goroutines.
type Server struct {
	Address string // host:port on loopback
	Log     string // file with what it prints

	cmd   *exec.Cmd
	ended chan struct{}
}

// URL is where a store that speaks HTTP is.
func (s *Server) URL() string { return "http://" + s.Address }

// Host and Port are the parts of the address.
func (s *Server) Host() string { host, _, _ := net.SplitHostPort(s.Address); return host }

// Port is the port of the address.
func (s *Server) Port() string { _, port, _ := net.SplitHostPort(s.Address); return port }

// Stop ends the store and waits for its end. It may be called again.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Ended is closed when the store has ended, by itself or not.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Launch starts a program whose output goes to dir/log, in a process group of its own, so that a Ctrl-C does not end it
// before its clients. The kernel ends it with the process that started it.
func Launch(dir, address string, command *exec.Cmd) (*Server, error) {
	path := filepath.Join(dir, "log")
	log, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	s := &Server{Address: address, Log: path, cmd: command, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the kernel ends the process with the thread that started it
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
		}
		close(s.ended)
	}()
	return s, <-started
}

// startup is how long a store may take until it answers, on a busy machine.
const startup = 4 * time.Minute

// Until waits for a store to be ready, and stops it if it never is.
func (s *Server) Until(ready func() bool) error {
	for deadline := time.Now().Add(startup); !ready(); time.Sleep(50 * time.Millisecond) {
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended by itself: %s", filepath.Base(s.cmd.Path), s.printed())
		default:
		}
		if time.Now().After(deadline) {
			s.Stop()
			return fmt.Errorf("%s is not ready: %s", filepath.Base(s.cmd.Path), s.printed())
		}
	}
	return nil
}

func (s *Server) printed() string {
	text, err := os.ReadFile(s.Log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-4000):]))
}

// answers reports whether a GET is answered with 200.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// accepts reports whether something listens on an address.
func accepts(address string) bool {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
