package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// OpenExisting locks and reads the checkpoint at path for a person who wants to change it, whatever it was collected
// from. A file that does not exist is an error, and so is one that a process uses: it waits for nobody.
func OpenExisting(path string) (*File, error) {
	f, source, _, _, err := find(path)
	if err != nil {
		return nil, err
	}
	f.source = source // what is read under the lock is compared with it
	return f, f.open(context.Background(), false, nil)
}

// ReadExisting returns what the checkpoint at path holds, whatever it was collected from, beside whoever uses it; see
// Read. holder names the process that uses it; "" = none does.
func ReadExisting(path string) (source Source, state State, holder string, err error) {
	_, source, state, holder, err = find(path)
	return source, state, holder, err
}

func find(path string) (f *File, source Source, state State, holder string, err error) {
	f = &File{name: path}
	if err := f.locate(); err != nil {
		return nil, source, state, "", err
	}
	data, err := readRegular(f.path, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, source, state, "", f.refuse(errors.New("does not exist"), "name the checkpoint_path of the settings")
	case err != nil:
		return nil, source, state, "", f.readError(err, f.path)
	}
	if source, state, err = decode(data); err != nil {
		return nil, source, state, "", f.refuse(err, "restore a copy of it")
	}
	if by := readHolder(lockPath(f.path)); by.pid != "" && isLocked(lockPath(f.path)) {
		holder = by.String()
	}
	return f, source, state, holder, nil
}

// Encode writes a checkpoint as Save does, but anywhere.
func Encode(w io.Writer, source Source, state State) error {
	if err := state.validate(); err != nil {
		return err
	}
	return encode(w, source.normal(), state, time.Now())
}

// Decode reads what Encode or Save wrote, and nothing else. Its errors say what is wrong with it.
func Decode(data []byte) (Source, State, error) { return decode(bytes.Clone(data)) }

// Source is what the checkpoint was collected from.
func (f *File) Source() Source { return f.source }
