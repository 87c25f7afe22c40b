package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
)

// checkpoint tries whether one can be kept where the settings say, and tells what is there.
func (r *report) checkpoint(needs Needs) {
	path := needs.Config.CheckpointPath
	dir := filepath.Dir(path)
	if err := tryWrite(dir); err != nil {
		r.say(rules.Error, "checkpoint-directory", "%s: %v; the user that runs Fluent Bit must be able to write there",
			dir, err)
		return
	}
	origin := checkpoint.Source{Endpoint: needs.Config.Endpoint.String(), SearchTerm: needs.Config.SearchTerm}
	state, found, err := checkpoint.Read(path, origin)
	switch {
	case err != nil:
		r.say(rules.Error, "checkpoint-state", "%v", err)
		return
	case !found:
		r.say(rules.OK, "checkpoint-state", "none yet: the collection begins at start_time %s", needs.Config.Start)
		return
	}
	_, _, holder, err := checkpoint.ReadExisting(path)
	used := "no process uses it"
	if err == nil && holder != "" {
		used = "used by " + holder
	}
	r.say(rules.OK, "checkpoint-state", "complete through %s, %s", state.Through.UTC().Format(time.RFC3339), used)
	if state.RowLimit > 0 {
		r.say(rules.Note, "row-limit", "the collection has learnt a limit of %d rows", state.RowLimit)
	}
}

// tryWrite writes a file into dir as the checkpoint's is written: synced, locked and removed again. What is missing of
// the directory is the engine's to make, and so it is an error here.
func tryWrite(dir string) error {
	if info, err := os.Stat(dir); err != nil {
		return reason(err)
	} else if !info.IsDir() {
		return errors.New("is not a directory")
	}
	file, err := os.CreateTemp(dir, ".wherobots-audit-check-*")
	if err != nil {
		return reason(err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	defer file.Close()
	if _, err := file.WriteString("written by wherobots-audit check\n"); err != nil {
		return reason(err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("cannot be synced: %w", reason(err))
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("has no locks: %w", err)
	}
	return nil
}

// reason is an error without the path, which the caller names.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// lowRoom is below what a file system is low: an engine whose destination is down writes on.
const lowRoom = 1 << 30

// disk says how much room there is for what waits.
func (r *report) disk(needs Needs) {
	if needs.StoragePath == "" {
		return
	}
	dir := existing(needs.StoragePath)
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		r.say(rules.Error, "disk", "%s: %v", dir, err)
		return
	}
	free := stat.Bavail * uint64(stat.Bsize)
	level := rules.OK
	switch {
	case free < 2*uint64(needs.Config.BatchBytes):
		level = rules.Error
	case free < lowRoom:
		level = rules.Warning
	}
	r.say(level, "disk", "%.1f GB are free for storage.path %s", float64(free)/1e9, needs.StoragePath)
}

// existing is path, or the nearest directory above it that exists.
func existing(path string) string {
	path, err := filepath.Abs(path)
	for err == nil && path != "/" {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		path = filepath.Dir(path)
	}
	return "/"
}
