package moves

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// keepOwner lets the checkpoint at path, and what lies beside it, belong afterwards to whom it belonged before: what
// root writes, another user's Fluent Bit could not read. Where there is none yet, it is to be the directory's owner's.
// What it returns is called at the end. Nobody but root can write what belongs to others.
func keepOwner(path string) (give func() error) {
	nothing := func() error { return nil }
	if os.Geteuid() != 0 {
		return nothing
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	files := []string{path, path + ".lock", path + ".refused.jsonl"}
	for _, p := range append(files, filepath.Dir(path)) {
		if was, ok := statOf(p); ok && was.Uid != 0 {
			return func() error { return giveTo(int(was.Uid), int(was.Gid), files) }
		} else if ok && p == path {
			break // it is root's
		}
	}
	return nothing
}

// giveTo gives root's files to another user. None of them can be a link to what is somebody else's.
func giveTo(uid, gid int, files []string) (err error) {
	for _, p := range files {
		now, ok := statOf(p)
		if ok && now.Uid == 0 && now.Nlink == 1 && now.Mode&syscall.S_IFMT == syscall.S_IFREG {
			err = errors.Join(err, os.Lchown(p, uid, gid))
		}
	}
	return err
}

func statOf(path string) (*syscall.Stat_t, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return stat, ok
}
