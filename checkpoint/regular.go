package checkpoint

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// errNotRegular is what a file is not that only looks like one.
var errNotRegular = errors.New("is not a regular file")

// openRegular opens a file of the checkpoint's, and nothing else: whoever can write to the directory
// could have put there a link to a file that must not be changed, a pipe that makes the opener wait
// for ever, or a device that acts when it is opened. So the kind is looked at before, and again at
// what was opened.
func openRegular(path string, flag int) (*os.File, error) {
	if err := checkRegular(os.Lstat(path)); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, flag|openFlags, 0)
	if err != nil {
		return nil, err
	}
	if err := checkRegular(file.Stat()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// openFlags follow no link and wait for nobody.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func checkRegular(info os.FileInfo, err error) error {
	if err == nil && !info.Mode().IsRegular() {
		return errNotRegular
	}
	return err
}

// readRegular returns at most limit bytes of the file; 0 = all.
func readRegular(path string, limit int64) ([]byte, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if limit > 0 {
		return io.ReadAll(io.LimitReader(file, limit))
	}
	return io.ReadAll(file)
}
