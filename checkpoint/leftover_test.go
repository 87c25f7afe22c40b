package checkpoint

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each crash leaves a temporary file; all of them go, and nothing that only looks like one.
func TestAllLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	for _, digits := range []int{11, 12, 19, 30, 31} {
		for n := range 3 {
			write(t, filepath.Join(dir, fmt.Sprintf(".audit%d%s", n, strings.Repeat("7", digits-1))), "")
		}
	}
	mustOpen(t, filepath.Join(dir, "audit"))
	var left []int
	for _, name := range names(t, dir) {
		if number, is := strings.CutPrefix(name, ".audit"); is {
			left = append(left, len(number))
		}
	}
	assert.ElementsMatch(t, []int{11, 11, 11, 31, 31, 31}, left)
}

func init() { children["open without room"] = openWithoutRoom }

// A first start on a full disk is refused then, not at the first save. The limit that stands for it is one of the
// whole process.
func TestAFirstStartOnAFullDiskIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	output, err := child("open without room", path).Output()
	require.NoError(t, err)
	assert.Contains(t, string(output), path+": cannot be written: file too large")
	assert.Equal(t, []string{"audit.json.lock"}, names(t, filepath.Dir(path)))
}

func openWithoutRoom(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: 0}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, err := Open(path, testSource)
	fmt.Println(err)
	return 0
}
