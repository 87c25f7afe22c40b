package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// refuse builds every message of this package: the file, what is wrong, the way out.
func (f *File) refuse(what error, wayOut string) error {
	return fmt.Errorf("%s: %w; %s", f.name, what, wayOut)
}

// elsewhere ends the ways out that have an alternative.
const elsewhere = "or set another checkpoint_path"

// readError is for a file that cannot be read because of where, the file itself or its directory.
func (f *File) readError(err error, where string) error {
	return f.refuse(fmt.Errorf("cannot be read: %w", bare(err)), f.wayOut(err, where))
}

func (f *File) writeError(err error) error {
	return f.refuse(fmt.Errorf("cannot be written: %w", bare(err)), f.wayOut(err, filepath.Dir(f.path)))
}

func (f *File) lockError(err error) error {
	var held *heldError
	switch {
	case errors.Is(err, ErrEnded):
		return err
	case errors.Is(err, errHeldHere):
		return f.refuse(err, "give each instance a checkpoint_path of its own")
	case errors.As(err, &held):
		return f.refuse(err, "stop that first, or give this one another checkpoint_path and another storage.path")
	}
	if errors.Is(err, errNotRegular) || errors.Is(err, syscall.ELOOP) {
		return f.refuse(fmt.Errorf("cannot be locked: %s %w", lockPath(f.path), errNotRegular), "remove that, "+elsewhere)
	}
	return f.refuse(fmt.Errorf("cannot be locked: %w", bare(err)), f.wayOut(err, lockPath(f.path)))
}

// personError is lockError for somebody who wants to change the checkpoint by hand.
func (f *File) personError(err error) error {
	var held *heldError
	if errors.As(err, &held) {
		return f.refuse(err, "stop that first: it would write over the change")
	}
	return f.lockError(err)
}

// wayOut says what helps against the system's error. where is the path that was refused.
func (f *File) wayOut(err error, where string) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Sprintf("free space for the directory %s", filepath.Dir(f.path))
	case errors.Is(err, fs.ErrPermission):
		if _, err := os.Lstat(where); errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("let user %d write in the directory %s, %s", os.Geteuid(), filepath.Dir(where), elsewhere)
		}
		return fmt.Sprintf("let user %d read and write %s, %s", os.Geteuid(), where, elsewhere)
	case errors.Is(err, syscall.EROFS):
		return fmt.Sprintf("mount %s writable, %s", filepath.Dir(f.path), elsewhere)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Sprintf(
			"mount the directory %s instead of the file alone: a mounted file cannot be replaced",
			filepath.Dir(f.path),
		)
	case errors.Is(err, syscall.EIO):
		return fmt.Sprintf("check the disk under %s, %s", filepath.Dir(f.path), elsewhere)
	}
	return fmt.Sprintf("check %s, %s", filepath.Dir(f.path), elsewhere)
}

// bare drops the path and operation that package os puts before the system's error: the message has named the
// file already, and the name of a temporary file helps nobody.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
