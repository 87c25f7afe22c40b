package handover

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

// Two engines must not share a storage: when one starts, it takes every chunk file there for its own backlog, delivers
// it to its own outputs and removes it (read in flb_storage.c and sb.c of 3.2 to 5.1.1, and seen). What the other one's
// checkpoint had passed is lost to its destination. So the process holds a lock file there; the engine looks at folders
// only and leaves it alone.
//
// When the engine calls Init, it has opened the chunk files that it found, but takes them for its backlog only once
// all inputs are initialized. An Init that fails keeps it from doing so (4.1 and later).
const storageLock = "wherobots_audit.lock"

const lockRetry = 50 * time.Millisecond

// storagePatience is how long another process may take to let go: after a restart the old one may still be ending.
var storagePatience = 15 * time.Second

// storages are those that this process holds: its instances share them, as its engine does.
var storages = struct {
	mu   sync.Mutex
	held map[string]*heldStorage
}{held: make(map[string]*heldStorage)}

type heldStorage struct {
	lock  *flock.Flock
	users int
}

// sharedError says that another process holds the storage.
type sharedError struct{ root, holder string }

func (e *sharedError) Error() string {
	return fmt.Sprintf("storage.path %s is used by %s: when one of the two starts, it takes over what the other has "+
		"stored, and delivers it to its own outputs; stop that first, or give each Fluent Bit a storage.path of its own "+
		"(with the shipped configurations another WHEROBOTS_STATE_DIR)", e.root, e.holder)
}

// holdStorage locks the storage for this process, at most until patience is over; it calls waits when it begins to
// wait. Each hold needs a release. An error other than sharedError means that there can be no lock there.
func holdStorage(root string, patience time.Duration, waits func(holder string)) (release func(), err error) {
	storages.mu.Lock()
	defer storages.mu.Unlock()
	held := storages.held[root]
	if held == nil {
		lock, err := lockStorage(root, patience, waits)
		if err != nil {
			return nil, err
		}
		held = &heldStorage{lock: lock}
		storages.held[root] = held
	}
	held.users++
	return sync.OnceFunc(func() { releaseStorage(root, held) }), nil
}

func releaseStorage(root string, held *heldStorage) {
	storages.mu.Lock()
	defer storages.mu.Unlock()
	if held.users--; held.users == 0 {
		delete(storages.held, root)
		_ = held.lock.Unlock()
	}
}

func lockStorage(root string, patience time.Duration, waits func(holder string)) (*flock.Flock, error) {
	path := filepath.Join(root, storageLock)
	lock := flock.New(path,
		flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err == nil && !ok && patience > 0 {
		waits(storageHolder(path))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ok, err = lock.TryLockContext(ctx, lockRetry)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !ok:
		return nil, errors.Join(&sharedError{root, storageHolder(path)}, lock.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("%s cannot be locked: %w", path, err), lock.Close())
	}
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600) // for the other one's message
	return lock, nil
}

func storageHolder(path string) string {
	text, err := os.ReadFile(path)
	pid, notNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || notNumber != nil {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}

// Claim makes sure, before the engine takes over what it found in its storage, that no other process uses it. It waits
// up to 15 seconds for one that is ending, and calls waits when it begins to. Its error is for the person who set
// storage.path.
func (s *Storage) Claim(waits func(holder string)) error {
	if s.find(); s.root == "" {
		return nil // there is nothing that could be taken
	}
	err := s.hold(storagePatience, waits)
	var shared *sharedError
	if errors.As(err, &shared) {
		return shared
	}
	return nil
}

// Release lets the next process use the storage.
func (s *Storage) Release() {
	if s.release != nil {
		s.release()
		s.release = nil
	}
}

// beAlone holds the storage. While another process does, what is stored there is not safe.
func (s *Storage) beAlone() {
	if s.release != nil || time.Since(s.holdAt) < watchInterval {
		return
	}
	err := s.hold(0, nil)
	var shared *sharedError
	isShared := errors.As(err, &shared)
	s.ledger.setShared(isShared)
	s.shared.say(isShared, func() {
		s.log.Errorf("%v. What is there counts as safe only when it is delivered", shared)
	}, func() { s.log.Infof("no other process uses storage.path %s any more", s.root) })
	s.unlocked.say(err != nil && !isShared, func() {
		s.log.Warnf("Fluent Bit's storage: %v. If another Fluent Bit uses it too, events can be lost", err)
	}, func() {})
}

func (s *Storage) hold(patience time.Duration, waits func(string)) (err error) {
	s.holdAt = time.Now()
	s.release, err = holdStorage(s.root, patience, waits)
	return err
}
