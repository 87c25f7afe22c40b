package e2e

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"

	"github.com/stretchr/testify/require"
)

// process is a running host. Its log is appended to the rig's file "log".
type process struct {
	t    *testing.T
	rig  *rig
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // what Wait said, once done
}

// start runs the rig's host in a process group of its own, which is killed when
// the test ends.
func (r *rig) start(t *testing.T) *process {
	t.Helper()
	log, err := os.OpenFile(r.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	cmd := r.host.command(t, r)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, log, log
	cmd.Env = append(withoutKey(os.Environ()), r.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return launch(t, r, cmd)
}

func launch(t *testing.T, r *rig, cmd *exec.Cmd) *process {
	t.Helper()
	require.NoError(t, cmd.Start())
	p := &process{t: t, rig: r, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("log of %s:\n%s", t.Name(), tail(r.log(t), 12_000))
		}
	})
	return p
}

// withoutKey keeps a developer's own key out of the tests.
func withoutKey(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "WHEROBOTS_API_KEY") && !strings.HasPrefix(variable, "WHEROBOTS_BEARER") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// stop ends it as an orchestrator does and requires that it ends well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.wait(15 * time.Second)
	require.NoError(p.t, p.err, "exit after SIGTERM")
}

// kill ends it as the kernel's OOM killer does.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait(5 * time.Second)
}

func (p *process) wait(limit time.Duration) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		require.FailNow(p.t, "the host did not end", "within %s", limit)
	}
}

// code waits for the exit code.
func (p *process) code(limit time.Duration) int {
	p.t.Helper()
	p.wait(limit)
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// alive fails the test if the host has ended by itself.
func (p *process) alive() bool {
	p.t.Helper()
	select {
	case <-p.done:
		require.FailNow(p.t, "the host ended by itself", "%v", p.err)
	default:
	}
	return true
}

// until waits for a condition, as long as the host lives.
func (p *process) until(limit time.Duration, what string, condition func() bool) {
	p.t.Helper()
	for end := time.Now().Add(limit); !condition(); time.Sleep(50 * time.Millisecond) {
		p.alive()
		if time.Now().After(end) {
			require.FailNow(p.t, "waited in vain", "%s within %s", what, limit)
		}
	}
}

// log is everything that the hosts of this rig have printed.
func (r *rig) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(r.path("log"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return string(text)
}

func (p *process) logged(parts ...string) func() bool {
	return func() bool {
		text := p.rig.log(p.t)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return true
	}
}

// freePort returns a port that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := loopback.Port()
	require.NoError(t, err)
	return port
}

func tail(text string, most int) string {
	return text[max(0, len(text)-most):]
}
