package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// machine is a copy of this one's file system, in memory, in which systemd has booted. The network is this one's.
type machine struct {
	shared string // a folder of this machine, seen as /run/host
	init   int    // the process in which systemd runs
}

// newMachine skips the test, with the reason, where a machine cannot be made.
func newMachine(t *testing.T) *machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make mount namespaces")
	}
	for _, path := range []string{"/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/nsenter"} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("no systemd can be booted: %v", err)
		}
	}
	m := &machine{shared: t.TempDir()}
	log, err := os.Create(filepath.Join(m.shared, "boot.log"))
	require.NoError(t, err)
	defer log.Close()
	boot := exec.Command("unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--kill-child",
		"testdata/boot.sh", t.TempDir(), m.shared)
	boot.Stdout, boot.Stderr = log, log
	require.NoError(t, boot.Start())
	ended := make(chan struct{})
	go func() {
		_ = boot.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = boot.Process.Kill() // and, by --kill-child, all that runs in the machine
		<-ended
	})
	for range 300 {
		select {
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			t.Skipf("systemd does not boot here: %s", lastLine(string(text)))
		case <-time.After(200 * time.Millisecond):
		}
		if m.init = childOf(boot.Process.Pid); m.init == 0 {
			continue
		}
		state, _ := m.command("systemctl", "is-system-running").Output()
		if text := strings.TrimSpace(string(state)); text == "running" || text == "degraded" {
			return m
		}
	}
	text, _ := os.ReadFile(log.Name())
	t.Skipf("systemd does not get to run here within a minute: %s", lastLine(string(text)))
	return nil
}

func childOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	first, _, _ := strings.Cut(string(text), " ")
	child, _ := strconv.Atoi(first)
	return child
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func (m *machine) command(name string, arguments ...string) *exec.Cmd {
	inside := append([]string{
		"--target", strconv.Itoa(m.init), "--mount", "--pid", "--uts", "--ipc", "--root", "--wd=/", name,
	}, arguments...)
	return exec.Command("nsenter", inside...)
}

// run requires that the command succeeds, and returns what it printed.
func (m *machine) run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	output, err := m.command(name, arguments...).CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(arguments, " "), output)
	return string(output)
}

// succeeds reports whether the command does.
func (m *machine) succeeds(name string, arguments ...string) bool {
	return m.command(name, arguments...).Run() == nil
}

// write puts a file into the machine.
func (m *machine) write(t *testing.T, path string, mode os.FileMode, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(m.shared, "file"), []byte(text), 0o600))
	m.run(t, "install", "-D", "-m", fmt.Sprintf("%o", mode), "/run/host/file", path)
}
