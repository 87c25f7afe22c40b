package checkpoint

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// fileMode keeps the checkpoint to its user.
const fileMode fs.FileMode = 0o600

// replace writes the file at path anew, all or nothing. After an error the file is the old one, or the new
// one if only the last sync failed.
func replace(path string, write func(io.Writer) error) error {
	pending, err := newPending(path)
	if err != nil {
		return err
	}
	defer func() { _ = pending.Cleanup() }()
	if err := write(pending); err != nil {
		return err
	}
	// It syncs the file before it renames it: without that, a power loss can leave an empty file under the new name.
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// tryReplace does what replace does short of the renaming, to learn whether it would work.
func tryReplace(path string) error {
	pending, err := newPending(path)
	if err != nil {
		return err
	}
	defer func() { _ = pending.Cleanup() }()
	if _, err := pending.WriteString("{}\n"); err != nil {
		return err
	}
	return pending.Sync()
}

// newPending creates the temporary file in the file's own directory: only there it can be renamed for certain.
func newPending(path string) (*renameio.PendingFile, error) {
	return renameio.NewPendingFile(
		path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(fileMode),
	)
}

// syncDir makes a renaming last: the name is the directory's content, which syncing the file does not write
// (renameio leaves this out).
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // file systems that cannot sync a directory, some network ones, say so
	}
	return errors.Join(err, dir.Close())
}

// resolve follows links at the end of path, so that the file that a link points to is replaced and not the
// link. The file need not exist. With an error it returns how far it came.
func resolve(path string) (string, error) {
	const maxLinks = 40 // as the kernel
	for range maxLinks {
		link, err := os.Readlink(path)
		switch {
		case errors.Is(err, syscall.EINVAL), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
			return path, nil // no link; whether it can be used is for others to say
		case err != nil:
			return path, err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return path, &fs.PathError{Op: "readlink", Path: path, Err: syscall.ELOOP}
}

// removeLeftovers deletes temporary files that crashed processes left. The caller holds the lock of path, so
// none of them is in use.
func removeLeftovers(path string) error {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && isLeftover(dir, name, entry.Name()) {
			err := os.Remove(filepath.Join(dir, entry.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// isLeftover knows renameio's temporary names: a dot, the file's name, a random number below 2⁶³ (one of
// fewer than 12 digits is as good as impossible, and rather a person's). When there are checkpoints "audit" and
// "audit2", ".audit2…" is of one of them, nobody knows which, and the other's process may be about to rename it: it
// is left over once it is old. Their lock files tell of neighbours.
func isLeftover(dir, name, candidate string) bool {
	number, ok := strings.CutPrefix(candidate, "."+name)
	if !ok || len(number) < 12 || len(number) > 30 || strings.Trim(number, "0123456789") != "" {
		return false
	}
	whole := candidate[1:]
	for end := len(whole) - 1; end > 0 && isDigit(whole[end]); end-- {
		if end == len(name) {
			continue
		}
		if _, err := os.Lstat(lockPath(filepath.Join(dir, whole[:end]))); !errors.Is(err, fs.ErrNotExist) {
			return isOld(filepath.Join(dir, candidate))
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isOld reports whether a file was written longer ago than any save takes.
func isOld(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && time.Since(info.ModTime()) > time.Hour
}

// lockPath names the lock file: beside the checkpoint, because the checkpoint itself is another file after each save.
func lockPath(path string) string { return path + ".lock" }
