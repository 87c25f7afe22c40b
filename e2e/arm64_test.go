package e2e

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// emulated is the bundled host for arm64, with a shared object for arm64, in an emulator.
type emulated struct{ bundled }

// arm64Root is where Debian keeps the C library that programs for arm64 are linked with.
const arm64Root = "/usr/aarch64-linux-gnu"

func (e emulated) command(t *testing.T, r *rig) *exec.Cmd {
	arguments := e.bundled.command(t, r).Args
	at := slices.Index(arguments, plugin)
	require.Positive(t, at)
	arguments[at] = filepath.Join(filepath.Dir(e.path), "in_wherobots_audit.so")
	return exec.Command("qemu-aarch64", append([]string{"-L", arm64Root}, arguments...)...)
}

// What is built for arm64 on another processor collects every event, also after it was killed.
func TestArm64Collects(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH == "arm64" {
		t.Skip("all tests run on arm64 here")
	}
	for _, program := range []string{"aarch64-linux-gnu-gcc", "qemu-aarch64"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	build := filepath.Join(root, "build", "arm64")
	made := exec.Command("make", "-C", root, "BUILD=build/arm64", "GOARCH=arm64", "CC=aarch64-linux-gnu-gcc",
		"build/arm64/in_wherobots_audit.so", "build/arm64/host")
	output, err := made.CombinedOutput()
	require.NoError(t, err, "%s", output)

	s := newSource(t, past(1000)...)
	r := newRig(t, emulated{bundled{filepath.Join(build, "host")}}, s.url)
	p := r.start(t)
	p.until(60*time.Second, "the first events", func() bool { return r.lines(t) > 0 })
	p.kill()
	p = r.start(t)
	p.until(60*time.Second, "every event", func() bool {
		missing, _ := compare(s.Events(), r.records(t, 10_000))
		return len(missing) == 0
	})
	p.kill() // the emulator may hand SIGTERM to a thread that it is just making, which ends the process
}
