package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loadedTable finds the part of a shared object that only its loading reads, and how much of it is in memory, in
// /proc/PID/smaps (proc(5)).
var loadedTable = regexp.MustCompile(
	`(?m)^[0-9a-f]+-[0-9a-f]+ r--p 00000000 .*in_wherobots_audit\.so\n(?:\w+: .*\n)*?Size: +(\d+) kB\n(?:\w+: .*\n)*?` +
		`Rss: +(\d+) kB$`,
)

// The megabyte that the dynamic loader reads, once, must not stay in memory for ever.
func TestWhatOnlyLoadingNeededIsGivenBack(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(5)...)
		r := newRig(t, h, s.url)
		p := r.start(t)
		p.until(15*time.Second, "the events", func() bool { return r.lines(t) >= 5 })
		smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", p.cmd.Process.Pid))
		require.NoError(t, err)
		found := loadedTable.FindSubmatch(smaps)
		require.NotNil(t, found)
		size, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		resident, err := strconv.Atoi(string(found[2]))
		require.NoError(t, err)
		require.Greater(t, size, 512, "KiB; else it is not what it is thought to be")
		require.Less(t, resident, 256, "KiB: what is still read of it")
	})
}
