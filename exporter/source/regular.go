package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// readRegular returns what is in a file that a setting names, which may be a link: Kubernetes' secrets
// are. A pipe would make the collection wait for its writer, and a device may never end, so the kind
// is looked at before the file is opened, and again at what was opened. What is larger than limit
// bytes is refused; what says what is not so large.
func readRegular(path string, limit int64, what string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, reasonOf(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, reasonOf(err)
	}
	defer file.Close()
	return readOpened(file, limit, what)
}

// readOpened does what readRegular does with what was opened, which may be another file than the one looked at before.
func readOpened(file *os.File, limit int64, what string) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, reasonOf(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, reasonOf(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %d bytes, which no %s is", limit, what)
	}
	return data, nil
}

var errNotRegular = errors.New("is not a regular file")

// reasonOf leaves off the path, which the message has already.
func reasonOf(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("cannot be read: permission denied; let user %d read it", os.Geteuid())
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("cannot be read: %w", path.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
