//go:build linux && amd64

package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// As TestCrashPoints: a child keeps event e2 aside, and something happens at each of its system calls in turn.
// Afterwards e2 is there whole or not at all, and whatever was there before still is.
func TestCrashPointsOfKeeping(t *testing.T) {
	for name, before := range map[string][]string{"the first event": nil, "a further one": {"e1"}} {
		calls := crashKeeping(t, before, fault{at: -1})
		synced := []string{"write FILE", "fsync FILE", "fsync DIR"}
		if len(before) > 0 {
			synced = synced[:2] // the name is on disk since the first one
		}
		require.Equal(t, synced, slices.DeleteFunc(slices.Clone(calls), func(call string) bool {
			return !strings.HasPrefix(call, "write") && !strings.HasPrefix(call, "fsync")
		}))
		for at, call := range calls {
			for _, fault := range faults {
				if fault.short && !strings.HasPrefix(call, "write ") {
					continue
				}
				fault.at = at
				t.Run(fmt.Sprintf("%s/%d %s/%s", name, at, call, fault.name), func(t *testing.T) {
					crashKeeping(t, before, fault)
				})
			}
		}
	}
}

// crashKeeping runs the child with a fault and checks what it leaves. It returns the child's system calls on the file.
func crashKeeping(t *testing.T, before []string, fault fault) (calls []string) {
	t.Helper()
	dir := memoryDir(t)
	path := filepath.Join(dir, "audit.json")
	a, f := openAsideAt(t, path)
	for _, id := range before {
		_, err := a.Keep(refusedEvent(id))
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())

	tr := &tracer{child: "keep", fault: fault, dir: dir}
	status, said := tr.run(t, path)
	killed := status.Signaled() && fault.errno == 0
	require.True(t, killed || status.ExitStatus() == 0, "status %x, the child said: %s", status, said)
	require.True(t, fault.at < 0 || tr.struck, "the child never came to its system call %d", fault.at)

	a, f = openAsideAt(t, path)
	defer f.Close()
	with := append(slices.Clone(before), "e2")
	if left := ids(a); !killed || len(left) > len(before) {
		require.Equal(t, with, left, "the child said: %s", said)
	} else {
		require.Equal(t, before, left)
	}
	_, err := a.Keep(refusedEvent("e2"))
	require.NoError(t, err)
	require.Equal(t, with, ids(a))
	for _, call := range tr.calls {
		calls = append(calls, strings.Replace(call, filepath.Base(a.Path()), "FILE", 1))
	}
	if !killed && len(before) == 0 {
		sync := slices.Index(reversed(calls), "fsync DIR")
		require.GreaterOrEqual(t, sync, 0, "the file's name may not outlive a loss of power")
		require.Less(t, sync, slices.Index(reversed(calls), "fsync FILE"))
	}
	return calls
}

func openAsideAt(t *testing.T, path string) (*Aside, *File) {
	t.Helper()
	f, err := Open(path, testSource)
	require.NoError(t, err)
	a, err := f.OpenAside()
	require.NoError(t, err)
	return a, f
}

func init() {
	children["keep"] = keepChild
	if os.Getenv(childVariable) == "keep" {
		runtime.LockOSThread()
	}
}

// keepChild keeps event e2, again if the first time fails. An error leaves the file as it was.
func keepChild(path string) int {
	f, err := Open(path, testSource)
	if err != nil {
		fmt.Println(err)
		return wrong
	}
	a, err := f.OpenAside()
	if err != nil {
		fmt.Println(err)
		return wrong
	}
	had := ids(a)
	unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1) // tells the tracer to begin
	_, err = a.Keep(refusedEvent("e2"))
	if err == nil {
		return 0
	}
	fmt.Println(err)
	again, err := f.OpenAside()
	if err != nil || !slices.Equal(had, ids(again)) || again.endless {
		fmt.Println("after the error there are", ids(again), err)
		return wrong
	}
	if fresh, err := a.Keep(refusedEvent("e2")); err != nil || !fresh {
		fmt.Println("keeping does not heal:", err)
		return wrong
	}
	return 0
}
