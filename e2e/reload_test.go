package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
		var memory []int // KiB after each reload
		for n := range 20 {
			before := r.lines(t)
			p.signal(syscall.SIGHUP)
			p.until(20*time.Second, fmt.Sprintf("events after reload %d", n+1), func() bool { return r.lines(t) > before+10 })
			now := usageOf(t, p)
			memory = append(memory, now.kib)
			if n == 4 {
				first = now
			}
		}
		last := usageOf(t, p)
		t.Logf("after 5 reloads %+v, after 20 %+v", first, last)
		stop()
		p.until(15*time.Second, "every event", func() bool {
			missing, _ := compare(s.Events(), r.records(t, 1000))
			return len(missing) == 0
		})
		p.stop()
		requireEqual(t, s.Events(), r.records(t, 0)) // what was handed over last before a reload may come twice
		assert.LessOrEqual(t, last.descriptors, first.descriptors+3)
		assert.LessOrEqual(t, last.threads, first.threads+3)
		assert.False(t, grows(memory), "KiB of resident memory after each reload: %v", memory)
	})
}

// grows reports whether memory, after each of twenty reloads, goes up and up: the least and the most of each
// five are more than those of the five before by at least leakKiB for each reload. How much is resident at
// any moment depends on what else the machine does; only a leak makes both grow every time.
func grows(memory []int) bool {
	const group, leakKiB = 5, 200
	for at := group; at+group <= len(memory); at += group {
		before, now := memory[at-group:at], memory[at:at+group]
		if min(slices.Min(now)-slices.Min(before), slices.Max(now)-slices.Max(before)) < group*leakKiB {
			return false
		}
	}
	return true
}

func TestGrowthIsToldFromNoise(t *testing.T) {
	t.Parallel()
	steady, noisy, leaking := make([]int, 20), make([]int, 20), make([]int, 20)
	for n := range 20 {
		steady[n] = 13_000
		noisy[n] = 13_000 + n*7919%5*6_000 // a collector of garbage that runs when it likes
		leaking[n] = noisy[n] + n*250
	}
	assert.False(t, grows(steady))
	assert.False(t, grows(noisy))
	assert.False(t, grows([]int{ // seen without a leak
		13928, 14680, 21452, 27812, 29396, 27904, 29820, 29000, 21580, 20024,
		21668, 27876, 29476, 27960, 29940, 29108, 29484, 28008, 29484, 27996,
	}))
	assert.False(
		t,
		grows(append(steady[:5:5], append([]int{31_000, 31_000, 31_000, 31_000, 31_000}, steady[:10]...)...)),
	)
	assert.True(t, grows(leaking))
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

// A file that is replaced while it is loaded is told at the next reload, which keeps the old code.
func TestAReloadOfAReplacedFileIsTold(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(5)...)
		r := newRig(t, h, s.url)
		r.plugin = r.path("in_wherobots_audit.so")
		text, err := os.ReadFile(plugin)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(r.plugin, text, 0o600))
		p := r.start(t)
		p.until(15*time.Second, "the events", func() bool { return r.lines(t) >= 5 })
		require.False(t, p.logged("was replaced after Fluent Bit had loaded it")())
		require.NoError(t, os.WriteFile(r.path("new.so"), text, 0o600))
		require.NoError(t, os.Rename(r.path("new.so"), r.plugin))
		p.signal(syscall.SIGHUP)
		p.until(20*time.Second, "the line", p.logged(r.plugin+" was replaced after Fluent Bit had loaded it"))
		p.stop()
	})
}
