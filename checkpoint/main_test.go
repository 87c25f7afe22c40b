package checkpoint

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the second process: childVariable names what it does there.
func TestMain(m *testing.M) {
	if run := children[os.Getenv(childVariable)]; run != nil {
		os.Exit(run(os.Getenv(childVariable + "_PATH")))
	}
	os.Exit(m.Run())
}

// children are what a second process can do with the checkpoint at path; they return the exit status.
var children = map[string]func(path string) int{
	"hold":                        holdChild,
	"note with room for none":     noteChild(0),
	"note with room for the mark": noteChild(uint64(len(markHad))),
}

const childVariable = "CHECKPOINT_TEST_CHILD"

func child(what, path string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	// The race detector would have each child sleep for a second at its end.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childVariable+"="+what, childVariable+"_PATH="+path)
	return cmd
}

// holdChild opens the checkpoint, says so, and keeps it until its standard input ends.
func holdChild(path string) int {
	if _, err := Open(path, testSource); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// startHolder returns a process that holds the checkpoint, and what makes it end in good order.
func startHolder(t *testing.T, path string) (holder *exec.Cmd, finish func()) {
	t.Helper()
	cmd := child("hold", path)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open", strings.TrimSpace(line))
	return cmd, func() { stdin.Close() }
}

var testSource = Source{Endpoint: "https://api.example.test", SearchTerm: "login"}

// testState returns states that differ in every field.
func testState(n int) State {
	at := time.Date(2026, 3, 1, 12, n, 0, 123456789, time.UTC)
	return State{
		Through: at, From: at.Add(-time.Hour), Reconciled: at.Add(-time.Minute),
		Key:     []byte(fmt.Sprintf("key-%012d", n)),
		Seen:    []byte(strings.Repeat(fmt.Sprintf("seen-%03d\x00\xff", n), 6_000)),
		Minutes: []byte(fmt.Sprintf("minutes-%d", n)),
		Columns: []string{"event_id", "event_time", fmt.Sprintf("column <%d> \"é\"", n)},
	}
}

func mustOpen(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path, testSource)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// memoryDir returns a directory in memory, where there is one: for tests that sync a thousand times and need
// not outlive a power loss.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "checkpoint-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// save leaves a closed checkpoint with the given state at path.
func save(t *testing.T, path string, state State) {
	t.Helper()
	f := mustOpen(t, path)
	require.NoError(t, f.Save(state))
	require.NoError(t, f.Close())
}

// saved returns what is at path.
func saved(t *testing.T, path string) State {
	t.Helper()
	f := mustOpen(t, path)
	defer f.Close()
	state, found := f.State()
	require.True(t, found)
	return state
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// content writes the checkpoint of a test.
func content(text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { write(t, dir+"/audit.json", text) }
}
