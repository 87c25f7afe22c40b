package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// File is an open checkpoint. Its methods may be called by several goroutines.
type File struct {
	name   string // as configured, for messages
	path   string // of the file itself, links followed
	source Source

	mu    sync.Mutex
	lock  *flock.Flock // nil = closed
	state State
	found bool
	had   bool // there is a checkpoint that has begun, or was one
	lost  bool
}

// Open locks and reads the checkpoint at path for a collection from source. A file that does not exist is no
// error: State then says false, and Save creates it.
//
// Everything else that is wrong is an error for the person who set checkpoint_path; it names the file
// and the way out. When another process holds the lock, Open waits up to 15 seconds for it. Open also
// makes sure that Save will work, by replacing the file with itself.
func Open(path string, source Source) (*File, error) {
	return OpenWaiting(path, source, func(string) {})
}

// OpenWaiting is Open, and calls waits with the holder's name when it begins to wait for another process; nil = it
// waits for nobody.
func OpenWaiting(path string, source Source, waits func(holder string)) (*File, error) {
	return open(context.Background(), path, source, false, waits)
}

// OpenStandby is OpenWaiting, and waits as long as it takes: for a second process that goes on when the first one ends.
// If ctx ends before that, it returns ErrEnded.
func OpenStandby(ctx context.Context, path string, source Source, waits func(holder string)) (*File, error) {
	return open(ctx, path, source, true, waits)
}

func open(ctx context.Context, path string, source Source, forever bool, waits func(holder string)) (*File, error) {
	f := &File{name: path, source: source.normal()}
	if err := f.locate(); err != nil {
		return nil, err
	}
	if err := f.open(ctx, forever, waits); err != nil {
		return nil, err
	}
	return f, nil
}

// open locks and reads what was located.
func (f *File) open(ctx context.Context, forever bool, waits func(holder string)) error {
	var err error
	if f.lock, f.had, err = takeLock(ctx, lockPath(f.path), forever, waits); err != nil {
		if waits == nil {
			return f.personError(err)
		}
		return f.lockError(err)
	}
	if err := f.load(); err != nil {
		return errors.Join(err, f.Close())
	}
	f.lost = f.had && f.state.Through.IsZero()
	f.mark()
	return nil
}

// locate follows links and checks what kind of thing lies where.
func (f *File) locate() error {
	var err error
	if f.path, err = resolve(f.name); err != nil {
		return f.readError(err, filepath.Dir(f.path))
	}
	dir := filepath.Dir(f.path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return f.refuse(fmt.Errorf("its directory %s does not exist", dir), "create it, "+elsewhere)
	case err != nil:
		return f.readError(err, dir)
	case !info.IsDir():
		return f.refuse(fmt.Errorf("%s is not a directory", dir), "set another checkpoint_path")
	}
	switch info, err := os.Stat(f.path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return f.readError(err, dir)
	case info.IsDir():
		return f.refuse(
			errors.New("is a directory"),
			"set checkpoint_path to a file in it, such as "+filepath.Join(f.name, "wherobots_audit.json"),
		)
	case !info.Mode().IsRegular():
		return f.refuse(errNotRegular, "set another checkpoint_path")
	}
	return nil
}

// load reads the file and tries whether it can be replaced.
func (f *File) load() error {
	if err := removeLeftovers(f.path); err != nil {
		return f.writeError(err)
	}
	data, err := readRegular(f.path, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := tryReplace(f.path); err != nil {
			return f.writeError(err)
		}
		return nil
	case err != nil:
		return f.readError(err, f.path)
	}
	state, err := f.decode(data)
	if err != nil {
		return err
	}
	// The real thing, since no rehearsal finds everything: a file that is itself a mount point cannot be renamed over.
	err = replace(f.path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return f.writeError(err)
	}
	f.state, f.found = state, true
	return nil
}

// decode reads what the file holds, if that is of the same source.
func (f *File) decode(data []byte) (State, error) {
	source, state, err := decode(data)
	switch {
	case errors.Is(err, errNewer):
		return State{}, f.refuse(err, "upgrade the plugin, "+elsewhere)
	case errors.Is(err, errNoCheckpoint):
		return State{}, f.refuse(err, "correct checkpoint_path; if this was the checkpoint, restore a copy of it, "+
			"or move it away to start again from start_time")
	case err != nil:
		return State{}, f.refuse(err, "restore a copy of it, or move it away to start again from start_time")
	case source != f.source && !state.Through.IsZero(): // without an answer yet it may be of a misspelt endpoint
		return State{}, f.refuse(
			fmt.Errorf("belongs to %s, but the settings say %s", source, f.source),
			"restore the settings, "+elsewhere,
		)
	}
	return state, nil
}

// State returns what the file holds: what Open found or, later, what Save wrote last. False means that there
// was no file and nothing was saved. The caller must not change the slices.
func (f *File) State() (State, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.found
}

// Lost reports whether Open found no checkpoint, or one that had not begun (its Through is zero), where one had
// begun before: the lock file, which nobody takes away, says so. Each Open says the same until Through was
// saved; what this one said does not change.
func (f *File) Lost() bool { return f.lost }

// mark notes in the lock file that the checkpoint has begun.
func (f *File) mark() {
	if !f.had && !f.state.Through.IsZero() {
		f.had = true
		writeNote(lockPath(f.path), f.had, thisHolder())
	}
}

// Save replaces the file. When it returns nil, the state is on disk; when it returns an error, the file holds
// the old state (or, if only the very last step failed, the new one) and Save can be called again. It keeps
// the slices, which must not change from then on.
func (f *File) Save(state State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return fmt.Errorf("%s: is closed", f.name)
	}
	if err := state.validate(); err != nil {
		return fmt.Errorf("%s: not saved: %w", f.name, err)
	}
	err := replace(f.path, func(w io.Writer) error { return encode(w, f.source, state, time.Now()) })
	if err != nil {
		return f.writeError(err)
	}
	f.state, f.found = state, true
	f.mark()
	return nil
}

// Close lets go of the lock. Further calls do nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	lock := f.lock
	f.lock = nil
	if err := releaseLock(lock, f.had); err != nil {
		return f.lockError(err)
	}
	return nil
}
