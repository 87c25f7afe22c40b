package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockPatience is how long a holder in another process may take to let go: after a restart the old process
// may still be ending. With three seconds, restarts within ten seconds of a SIGTERM were seen to be refused.
var lockPatience = 15 * time.Second

const (
	lockRetry = 50 * time.Millisecond
	lockNote  = 4 << 10 // bytes; no lock file has more
)

// thisProcess tells this process's locks from another's. The pid does not: two containers that share a volume
// may both be process 1.
var thisProcess = rand.Text()

// heldError says who holds the lock.
type heldError struct{ holder string }

func (e *heldError) Error() string { return "is used by " + e.holder }

// ErrEnded is that the context ended before the holder let go.
var ErrEnded = errors.New("was asked to end while it stood by")

// errHeldHere is the holder being another instance of this process: no waiting helps.
var errHeldHere = &heldError{"another [INPUT] of this process"}

// takeLock locks the file at path, creating it, and notes in it who did. The kernel keeps locks by open file,
// so that instances of one process exclude each other too, and drops them when the process dies. had says
// that there has been a checkpoint that had begun. When it begins to wait for another process, it calls waits; nil = it
// waits for nobody. It gives up when ctx ends, and, unless forever, after lockPatience.
func takeLock(
	ctx context.Context, path string, forever bool, waits func(holder string),
) (lock *flock.Flock, had bool, err error) {
	if err := checkRegular(os.Lstat(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	lock = flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|openFlags), flock.SetPermissions(fileMode))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		if readHolder(path).token == thisProcess {
			return nil, false, errHeldHere
		}
		if waits == nil {
			return nil, false, &heldError{readHolder(path).String()}
		}
		waits(readHolder(path).String())
		if !forever {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, lockPatience)
			defer cancel()
		}
		ok, err = lock.TryLockContext(ctx, lockRetry)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return nil, false, ErrEnded
	case errors.Is(err, context.DeadlineExceeded):
		return nil, false, &heldError{readHolder(path).String()}
	case err != nil:
		return nil, false, err
	case !ok:
		return nil, false, &heldError{readHolder(path).String()}
	}
	text, err := readRegular(path, lockNote)
	if err != nil {
		return nil, false, errors.Join(err, lock.Unlock())
	}
	had = strings.HasPrefix(string(text), markHad)
	writeNote(path, had, thisHolder())
	return lock, had, nil
}

// releaseLock lets the next one in. The note goes first, so that it never names a process that does not hold
// the lock.
func releaseLock(lock *flock.Flock, had bool) error {
	writeNote(lock.Path(), had, "")
	return lock.Unlock()
}

// isLocked reports whether a process holds the lock.
func isLocked(path string) bool {
	if checkRegular(os.Lstat(path)) != nil {
		return false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY|openFlags))
	free, err := lock.TryRLock()
	if free {
		err = lock.Unlock()
	}
	return err == nil && !free
}

// A lock file begins with a mark of fixed length: whether there has been a checkpoint that had begun. What
// follows names the holder.
const (
	markNew = "new \n"
	markHad = "kept\n"
)

// writeNote replaces what the lock file says, the mark in place, so that a full disk cannot take it away. An
// error stops nobody: without a note the lock holds all the same, but a message cannot name the holder, and a
// lost checkpoint would be taken for a first start.
func writeNote(path string, had bool, holder string) {
	file, err := openRegular(path, os.O_WRONLY)
	if err != nil {
		return
	}
	defer file.Close()
	mark := markNew
	if had {
		mark = markHad
	}
	if _, err = file.WriteAt([]byte(mark), 0); err == nil {
		err = file.Truncate(int64(len(mark)))
	}
	if err == nil {
		_, _ = file.WriteAt([]byte(holder), int64(len(mark)))
	}
}

// holder is what the lock file says about who holds it: its second line, pid, host name and token.
type holder struct{ pid, host, token string }

// thisHolder is this process's line.
func thisHolder() string { return fmt.Sprintf("%d %s %s\n", os.Getpid(), hostName(), thisProcess) }

func (h holder) String() string {
	switch {
	case h.pid == "":
		return "another process"
	case h.host != hostName():
		return fmt.Sprintf("process %s of host %s", h.pid, h.host)
	}
	return "process " + h.pid
}

// readHolder returns the zero holder when there is nothing to be read.
func readHolder(path string) holder {
	text, err := readRegular(path, lockNote)
	if err != nil {
		return holder{}
	}
	_, line, _ := strings.Cut(string(text), "\n")
	if fields := strings.Fields(line); len(fields) == 3 {
		return holder{fields[0], fields[1], fields[2]}
	}
	return holder{}
}

// hostName names the machine, in a container the container.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || strings.TrimSpace(name) == "" {
		return "unknown"
	}
	return strings.Join(strings.Fields(name), "_")
}
