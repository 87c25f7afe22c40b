//go:build linux && amd64

package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A child process opens a checkpoint with state 1 and saves state 2. This process traces it and, at each of
// its system calls on the checkpoint's directory in turn, kills it or makes the call fail. Afterwards the
// file must hold state 1 or state 2, whole.

// fault is what happens to the child at its system call number at (from 0); none if negative.
type fault struct {
	at    int
	name  string
	short bool          // write half first; the rest happens to the other half
	errno syscall.Errno // 0 = SIGKILL before the call
}

var faults = []fault{
	{name: "kill"},
	{name: "ENOSPC", errno: unix.ENOSPC},
	{name: "EIO", errno: unix.EIO},
	{name: "EACCES", errno: unix.EACCES},
	{name: "half and kill", short: true},
	{name: "half and ENOSPC", short: true, errno: unix.ENOSPC},
}

func TestCrashPoints(t *testing.T) {
	first := filepath.Join(t.TempDir(), "audit.json")
	save(t, first, testState(1))
	before, err := os.ReadFile(first)
	require.NoError(t, err)

	calls := crash(t, before, fault{at: -1})
	requireOrder(t, calls)
	for at, call := range calls {
		for _, fault := range faults {
			if fault.short && !strings.HasPrefix(call, "write ") {
				continue
			}
			fault.at = at
			t.Run(fmt.Sprintf("%d %s/%s", at, call, fault.name), func(t *testing.T) { crash(t, before, fault) })
		}
	}
	t.Logf("faults at %d system calls: %s", len(calls), strings.Join(calls, ", "))
}

// requireOrder checks what no crash of a process shows but a power loss does: that file and directory are
// synced, and when.
func requireOrder(t *testing.T, calls []string) {
	t.Helper()
	var order []string
	for _, call := range calls[len(calls)-1-slices.Index(reversed(calls), "openat .audit.json#"):] {
		if slices.Contains([]string{"fsync .audit.json#", "renameat .audit.json#", "fsync DIR"}, call) ||
			strings.HasPrefix(call, "write .") {
			order = append(order, call)
		}
	}
	order = slices.Compact(order)
	require.Equal(t, []string{"write .audit.json#", "fsync .audit.json#", "renameat .audit.json#", "fsync DIR"}, order)
}

func reversed(calls []string) []string {
	out := slices.Clone(calls)
	slices.Reverse(out)
	return out
}

// crash runs the child with a fault and checks what it leaves. It returns the child's system calls.
func crash(t *testing.T, before []byte, fault fault) []string {
	dir := memoryDir(t)
	path := filepath.Join(dir, "audit.json")
	require.NoError(t, os.WriteFile(path, before, 0o600))
	tr := &tracer{child: "save", fault: fault, dir: dir}
	status, said := tr.run(t, path)

	allowed := []State{testState(2)}
	switch {
	case status.Signaled() && fault.errno == 0:
		allowed = []State{testState(1), testState(2)}
	case status.ExitStatus() == refused:
		allowed = []State{testState(1)}
	default:
		require.Contains(
			t, []int{savedAtOnce, savedLater}, status.ExitStatus(), "status %x, the child said: %s",
			status, said,
		)
	}
	require.True(t, fault.at < 0 || tr.struck, "the child never came to its system call %d", fault.at)

	f := mustOpen(t, path)
	left, _ := f.State()
	assert.Contains(t, allowed, left, "the child said: %s", said)
	require.NoError(t, f.Save(testState(3)))
	require.NoError(t, f.Close())
	assert.Equal(t, []string{"audit.json", "audit.json.lock"}, names(t, dir))
	return tr.calls
}

// What the child's exit status says.
const (
	savedAtOnce = iota
	wrong
	refused    // Open did, with the file's name
	savedLater // the first Save did not work, the second did
)

// The child stays on its main thread, the one that is traced.
func init() {
	children["save"] = saveChild
	if os.Getenv(childVariable) == "save" {
		runtime.LockOSThread()
	}
}

// saveChild opens the checkpoint and saves state 2, again if the first time fails.
func saveChild(path string) int {
	unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1) // tells the tracer to begin
	f, err := Open(path, testSource)
	if err != nil {
		return told(refused, err, path)
	}
	defer f.Close()
	if state, found := f.State(); !found || !assert.ObjectsAreEqual(testState(1), state) {
		fmt.Println("opened another state", found, state.Through)
		return wrong
	}
	if err = f.Save(testState(2)); err == nil {
		return savedAtOnce
	}
	data, _ := os.ReadFile(path)
	if _, state, err := decode(data); err != nil || !state.Through.Equal(testState(1).Through) &&
		!state.Through.Equal(testState(2).Through) {
		fmt.Println("after the error the file holds", state.Through, err)
		return wrong
	}
	if err := f.Save(testState(2)); err != nil {
		fmt.Println("saving does not heal:", err)
		return wrong
	}
	return told(savedLater, err, path)
}

func told(status int, err error, path string) int {
	fmt.Println(err)
	if !strings.HasPrefix(err.Error(), path+": ") {
		return wrong
	}
	return status
}

// tracer follows the child's main thread by ptrace(2), from the signal SIGUSR1 on. All calls must come from
// one thread.
type tracer struct {
	child  string // what it does
	fault  fault
	dir    string
	begun  bool
	inside bool          // a system call
	fail   syscall.Errno // what the call it is inside returns
	struck bool
	calls  []string
}

// run starts the child and returns how it ended and what it printed.
func (tr *tracer) run(t *testing.T, path string) (unix.WaitStatus, string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := os.Create(filepath.Join(memoryDir(t), "output"))
	require.NoError(t, err)
	defer out.Close()
	cmd := child(tr.child, path)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skipf("tracing is not permitted here: %v", err)
	}
	defer cmd.Process.Release()
	status, err := tr.follow(cmd.Process.Pid)
	if err != nil {
		cmd.Process.Kill()
	}
	require.NoError(t, err)
	said, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	return status, string(said)
}

func (tr *tracer) follow(pid int) (status unix.WaitStatus, err error) {
	for traced := false; ; {
		for _, err = unix.Wait4(pid, &status, 0, nil); err == unix.EINTR; {
			_, err = unix.Wait4(pid, &status, 0, nil)
		}
		if err != nil || status.Exited() || status.Signaled() {
			return status, err
		}
		signal := status.StopSignal()
		switch {
		case signal == unix.SIGTRAP|0x80:
			err, signal = tr.systemCall(pid), 0
		case signal == unix.SIGTRAP && !traced: // the child has become the test binary
			err, signal, traced = unix.PtraceSetOptions(pid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL), 0, true
		case signal == unix.SIGUSR1:
			tr.begun, signal = true, 0
		}
		if err == nil && tr.begun {
			err = unix.PtraceSyscall(pid, int(signal))
		} else if err == nil {
			err = unix.PtraceCont(pid, int(signal))
		}
		if err != nil && err != unix.ESRCH { // ESRCH: killed meanwhile
			return status, err
		}
	}
}

// systemCall is called twice for each system call: before it and after it.
func (tr *tracer) systemCall(pid int) error {
	tr.inside = !tr.inside
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return err
	}
	if !tr.inside && tr.fail != 0 {
		regs.Rax = -uint64(tr.fail)
		tr.fail = 0
		return unix.PtraceSetRegs(pid, &regs)
	}
	if !tr.inside {
		return nil
	}
	if call := tr.describe(pid, &regs); call != "" {
		tr.calls = append(tr.calls, call)
		if len(tr.calls)-1 == tr.fault.at {
			return tr.strike(pid, &regs)
		}
	}
	return nil
}

// strike does what the fault says to the system call that regs are about to make.
func (tr *tracer) strike(pid int, regs *unix.PtraceRegs) error {
	tr.struck = true
	if tr.fault.short {
		regs.Rdx /= 2
		tr.fault.short = false
		tr.fault.at++
		return unix.PtraceSetRegs(pid, regs)
	}
	regs.Orig_rax = ^uint64(0) // there is no such system call, so nothing is done
	tr.fail = tr.fault.errno
	if err := unix.PtraceSetRegs(pid, regs); err != nil || tr.fault.errno != 0 {
		return err
	}
	return unix.Kill(pid, unix.SIGKILL)
}

// pathCalls and fileCalls are the system calls that count, those with a path (as second argument) and those
// with a descriptor (as first).
var (
	pathCalls = map[uint64]string{
		unix.SYS_OPENAT: "openat", unix.SYS_NEWFSTATAT: "fstatat", unix.SYS_READLINKAT: "readlinkat",
		unix.SYS_UNLINKAT: "unlinkat",
		unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat", unix.SYS_FCHMODAT: "fchmodat",
	}
	fileCalls = map[uint64]string{
		unix.SYS_READ: "read", unix.SYS_WRITE: "write", unix.SYS_PREAD64: "read", unix.SYS_PWRITE64: "write",
		unix.SYS_FSYNC:     "fsync",
		unix.SYS_FDATASYNC: "fsync", unix.SYS_CLOSE: "close", unix.SYS_FCHMOD: "fchmod", unix.SYS_FSTAT: "fstat",
		unix.SYS_FLOCK:      "flock",
		unix.SYS_GETDENTS64: "getdents", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_LSEEK: "lseek",
	}
	digits = regexp.MustCompile(`[0-9]{8,}$`)
)

// describe names a system call on the checkpoint's directory, such as "fsync .audit.json#"; "" for any other.
func (tr *tracer) describe(pid int, regs *unix.PtraceRegs) string {
	name, path := pathCalls[regs.Orig_rax], ""
	if name != "" {
		path = peekString(pid, uintptr(regs.Rsi))
	} else if regs.Orig_rax == unix.SYS_TRUNCATE {
		name, path = "truncate", peekString(pid, uintptr(regs.Rdi))
	} else if name = fileCalls[regs.Orig_rax]; name != "" {
		path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(regs.Rdi)))
	}
	if path == tr.dir {
		return name + " DIR"
	}
	file, ok := strings.CutPrefix(path, tr.dir+"/")
	if !ok {
		return ""
	}
	return name + " " + digits.ReplaceAllString(file, "#")
}

// peekString reads a string of the child up to its NUL byte.
func peekString(pid int, address uintptr) string {
	var text []byte
	for word := make([]byte, 8); ; address += 8 {
		if n, err := unix.PtracePeekData(pid, address, word); err != nil || n < len(word) {
			return ""
		}
		if end := slices.Index(word, 0); end >= 0 {
			return string(append(text, word[:end]...))
		}
		text = append(text, word...)
	}
}
