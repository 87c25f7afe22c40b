// Package claim keeps a second process out of an engine's storage.
//
// Two engines must not share one: when one starts, it takes every chunk file there for its own backlog, delivers it to
// its own outputs and removes it (read in flb_storage.c and sb.c of 3.2 to 5.1.1, and seen). What the other one's
// checkpoint had passed is lost to its destination. So the process holds a lock file there; the engine looks at folders
// only and leaves it alone.
//
// When the engine calls Init, it has opened the chunk files that it found, but takes them for its backlog only once
// all inputs are initialized. An Init that fails keeps it from doing so (4.1 and later).
package claim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockFile lies in the storage path.
const lockFile = "wherobots_audit.lock"

const retryInterval = 50 * time.Millisecond

// Patience is how long another process may take to let go: after a restart the old one may still be ending.
var Patience = 15 * time.Second

// roots are the storages that this process holds: its instances share them, as its engine does.
var roots = struct {
	mu   sync.Mutex
	held map[string]*heldRoot
}{held: make(map[string]*heldRoot)}

type heldRoot struct {
	lock  *flock.Flock
	users int
}

// SharedError says that another process holds the storage.
type SharedError struct{ root, holder string }

func (e *SharedError) Error() string {
	return fmt.Sprintf("storage.path %s is used by %s: when one of the two starts, it takes over what the other has "+
		"stored, and delivers it to its own outputs; stop that first, or give each Fluent Bit a storage.path of its own "+
		"(with the shipped configurations another WHEROBOTS_STATE_DIR)", e.root, e.holder)
}

// Hold locks the storage for this process, at most until patience is over; it calls waits when it begins to
// wait. Each hold needs a release. An error other than SharedError means that there can be no lock there.
func Hold(root string, patience time.Duration, waits func(holder string)) (release func(), err error) {
	roots.mu.Lock()
	defer roots.mu.Unlock()
	held := roots.held[root]
	if held == nil {
		locked, err := lock(root, patience, waits)
		if err != nil {
			return nil, err
		}
		held = &heldRoot{lock: locked}
		roots.held[root] = held
	}
	held.users++
	return sync.OnceFunc(func() { held.release(root) }), nil
}

func (h *heldRoot) release(root string) {
	roots.mu.Lock()
	defer roots.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(roots.held, root)
		_ = h.lock.Unlock()
	}
}

func lock(root string, patience time.Duration, waits func(holder string)) (*flock.Flock, error) {
	path := filepath.Join(root, lockFile)
	file := flock.New(path,
		flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK), flock.SetPermissions(0o600))
	ok, err := file.TryLock()
	if err == nil && !ok && patience > 0 {
		waits(holderIn(path))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ok, err = file.TryLockContext(ctx, retryInterval)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !ok:
		return nil, errors.Join(&SharedError{root, holderIn(path)}, file.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("%s cannot be locked: %w", path, err), file.Close())
	}
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600) // for the other one's message
	return file, nil
}

func holderIn(path string) string {
	text, err := os.ReadFile(path)
	pid, notNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || notNumber != nil {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}
