package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Aside is the events that a destination refuses for good, in a file beside the checkpoint
// ("<path>.refused.jsonl"): a JSON object a line, for a person to read and for the plugin to send again. The
// checkpoint's lock is its lock too. Its methods may be called by several goroutines.
type Aside struct {
	path string

	mu      sync.Mutex
	lines   []asideLine // of the file, in its order
	size    int64       // of the file, in bytes
	endless bool        // its last line has no end: a crash cut it
}

// asideLine is a line of the file; one that cannot be read has no event, and stays.
type asideLine struct {
	text  []byte
	event *Refused
}

// Refused is one event that is kept aside.
type Refused struct {
	SetAside time.Time       `json:"set_aside"`
	EventID  string          `json:"event_id"`
	Time     time.Time       `json:"event_time"`
	Reason   string          `json:"reason"`
	Record   json.RawMessage `json:"record"`  // for a person
	Msgpack  []byte          `json:"msgpack"` // the same as it is handed over
}

// MaxAside is the largest size of the file in bytes.
const MaxAside = 16 << 20

// ErrAsideFull says that the file would become larger than MaxAside.
var ErrAsideFull = errors.New("is full (16 MiB)")

// OpenAside reads what is kept beside the checkpoint. Its errors are for the person who set checkpoint_path.
func (f *File) OpenAside() (*Aside, error) {
	a := &Aside{path: f.path + ".refused.jsonl"}
	if err := removeLeftovers(a.path); err != nil {
		return nil, f.writeError(err)
	}
	return a, a.load()
}

// ReadAside returns the events that are kept beside the checkpoint at path, whoever uses it, and how many lines there
// are that cannot be read.
func ReadAside(path string) (events []Refused, unreadable int, err error) {
	f := &File{name: path}
	if err := f.locate(); err != nil {
		return nil, 0, err
	}
	a := &Aside{path: f.path + ".refused.jsonl"}
	if err := a.load(); err != nil {
		return nil, 0, err
	}
	for _, line := range a.lines {
		if line.event == nil {
			unreadable++
			continue
		}
		events = append(events, *line.event)
	}
	return events, unreadable, nil
}

// load reads the file.
func (a *Aside) load() error {
	text, err := readRegular(a.path, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	a.size = int64(len(text))
	a.endless = len(text) > 0 && text[len(text)-1] != '\n'
	for line := range bytes.Lines(text) {
		var event Refused
		kept := asideLine{text: bytes.TrimSuffix(line, []byte("\n"))}
		if err := json.Unmarshal(line, &event); err == nil && len(event.Msgpack) > 0 {
			kept.event = &event
		}
		a.lines = append(a.lines, kept)
	}
	return nil
}

// Path returns where the file is, for messages.
func (a *Aside) Path() string { return a.path }

// Count is how many events are kept.
func (a *Aside) Count() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.lines {
		if line.event != nil {
			n++
		}
	}
	return n
}

// Events returns what is kept. The caller must not change it.
func (a *Aside) Events() (events []*Refused) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.lines {
		if line.event != nil {
			events = append(events, line.event)
		}
	}
	return events
}

// Keep appends an event. When it returns nil, the event is on disk; with an error it is not, and Keep can be called
// again. An event that is kept already is not kept twice: then fresh is false.
func (a *Aside) Keep(event Refused) (fresh bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := os.Lstat(a.path); errors.Is(err, fs.ErrNotExist) {
		a.lines, a.size, a.endless = nil, 0, false // or a person moved it away
	}
	if a.find(event.Msgpack) >= 0 {
		return false, nil
	}
	text, err := json.Marshal(event)
	if err != nil {
		return false, fmt.Errorf("%s: %w", a.path, err)
	}
	if a.size+int64(len(text))+2 > MaxAside {
		return false, fmt.Errorf("%s %w: correct what the destination refuses, or move the file away", a.path, ErrAsideFull)
	}
	if err := a.append(text); err != nil {
		return false, fmt.Errorf("%s: %w", a.path, err)
	}
	a.lines = append(a.lines, asideLine{text, &event})
	return true, nil
}

func (a *Aside) find(msgpack []byte) int {
	return slices.IndexFunc(a.lines, func(line asideLine) bool {
		return line.event != nil && bytes.Equal(line.event.Msgpack, msgpack)
	})
}

// append writes a line and syncs it, or leaves the file as it was.
func (a *Aside) append(text []byte) error {
	file, err := openRegular(a.path, os.O_WRONLY|os.O_APPEND)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = os.OpenFile(a.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|openFlags, fileMode)
	}
	if err != nil {
		return err
	}
	defer file.Close() // what is synced is on disk, whatever this says
	line := append(slices.Clone(text), '\n')
	if a.endless {
		line = append([]byte{'\n'}, line...)
	}
	if _, err = file.Write(line); err == nil {
		err = file.Sync()
	}
	if err == nil && a.size == 0 { // the file may be new, or be left by an attempt that failed
		err = syncDir(filepath.Dir(a.path))
	}
	if err != nil {
		return errors.Join(err, file.Truncate(a.size))
	}
	a.size += int64(len(line))
	a.endless = false
	return nil
}

// Remove takes an event out, since it was delivered.
func (a *Aside) Remove(event *Refused) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	place := a.find(event.Msgpack)
	if place < 0 {
		return nil
	}
	left := slices.Delete(slices.Clone(a.lines), place, place+1)
	if err := a.rewrite(left); err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	a.lines, a.size, a.endless = left, 0, false
	for _, line := range left {
		a.size += int64(len(line.text)) + 1
	}
	return nil
}

func (a *Aside) rewrite(lines []asideLine) error {
	if err := checkRegular(os.Lstat(a.path)); errors.Is(err, fs.ErrNotExist) {
		return nil // a person moved it away
	} else if err != nil {
		return err
	}
	if len(lines) == 0 {
		return errors.Join(os.Remove(a.path), syncDir(filepath.Dir(a.path)))
	}
	return replace(a.path, func(w io.Writer) error {
		for _, line := range lines {
			if _, err := w.Write(append(slices.Clone(line.text), '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}
