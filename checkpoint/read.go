package checkpoint

import (
	"errors"
	"io/fs"
)

// Read returns what the checkpoint at path holds, beside whoever uses it: it takes no lock, writes nothing, and reads
// no other file than Open would. A file that is replaced meanwhile is read as it was or as it is, never half. found is
// false when there is none. Its errors are those of Open. The caller may keep the state and change it.
func Read(path string, source Source) (state State, found bool, err error) {
	f := &File{name: path, source: source.normal()}
	if err := f.locate(); err != nil {
		return State{}, false, err
	}
	data, err := readRegular(f.path, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return State{}, false, nil
	case err != nil:
		return State{}, false, f.readError(err, f.path)
	}
	if state, err = f.decode(data); err != nil {
		return State{}, false, err
	}
	return state, true, nil
}
