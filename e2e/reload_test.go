package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Twenty reloads during live events lose nothing, double nothing, and leave
// behind neither threads, descriptors nor memory.
func TestReloads(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(200)...)
		r := newRig(t, h, s.url)
		stop := s.live(t, 0)
		p := r.start(t)
		p.until(15*time.Second, "the past events", func() bool { return r.lines(t) >= 200 })
		var first usage
		for n := range 20 {
			before := r.lines(t)
			p.signal(syscall.SIGHUP)
			p.until(20*time.Second, fmt.Sprintf("events after reload %d", n+1), func() bool { return r.lines(t) > before+10 })
			if n == 4 {
				first = usageOf(t, p)
			}
		}
		last := usageOf(t, p)
		t.Logf("after 5 reloads %+v, after 20 %+v", first, last)
		stop()
		p.until(15*time.Second, "every event", func() bool { return r.lines(t) >= len(s.Events()) })
		p.stop()
		requireEach(t, s.Events(), r.records(t, 0))
		assert.LessOrEqual(t, last.descriptors, first.descriptors+3)
		assert.LessOrEqual(t, last.threads, first.threads+3)
		assert.Less(t, last.kib, first.kib+16<<10, "KiB of resident memory")
	})
}

// usage is what a process holds.
type usage struct{ descriptors, threads, kib int }

func usageOf(t *testing.T, p *process) usage {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	require.NoError(t, err)
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	require.NoError(t, err)
	figure := func(name string) int {
		found := regexp.MustCompile(name + `:\s+(\d+)`).FindSubmatch(status)
		require.NotNil(t, found, name)
		n, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		return n
	}
	return usage{len(open), figure("Threads"), figure("VmRSS")}
}
