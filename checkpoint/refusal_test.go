//go:build linux

package checkpoint

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// refusal is a file that Open refuses.
type refusal struct {
	file    string // path below the directory, audit.json if empty
	prepare func(t *testing.T, dir string)
	want    string
}

const (
	startOver = "; restore a copy of it, or move it away to start again from start_time"
	otherFile = "; correct checkpoint_path; if this was the checkpoint, restore a copy of it, or move it away to start " +
		"again from start_time"
)

func refusedPlaces(t *testing.T) map[string]refusal {
	return map[string]refusal{
		"no directory": {
			file: "missing/audit.json",
			want: "DIR/missing/audit.json: its directory DIR/missing does not exist; create it, or set another checkpoint_path",
		},
		"directory is a file": {
			file:    "file/audit.json",
			prepare: func(t *testing.T, dir string) { write(t, dir+"/file", "") },
			want:    "DIR/file/audit.json: DIR/file is not a directory; set another checkpoint_path",
		},
		"a file further up": {
			file:    "file/sub/audit.json",
			prepare: func(t *testing.T, dir string) { write(t, dir+"/file", "") },
			want: "DIR/file/sub/audit.json: cannot be read: not a directory; check DIR/file/sub, or set another " +
				"checkpoint_path",
		},
		"is a directory": {
			prepare: func(t *testing.T, dir string) { require.NoError(t, os.Mkdir(dir+"/audit.json", 0o700)) },
			want: "DIR/audit.json: is a directory; set checkpoint_path to a file in it, such as " +
				"DIR/audit.json/wherobots_audit.json",
		},
		"is a pipe": {
			prepare: func(t *testing.T, dir string) { require.NoError(t, syscall.Mkfifo(dir+"/audit.json", 0o600)) },
			want:    "DIR/audit.json: is not a regular file; set another checkpoint_path",
		},
		"links in a circle": {
			prepare: func(t *testing.T, dir string) { require.NoError(t, os.Symlink("audit.json", dir+"/audit.json")) },
			want: "DIR/audit.json: cannot be read: too many levels of symbolic links; check DIR, or set another " +
				"checkpoint_path",
		},
		"lock file is a directory": {
			prepare: func(t *testing.T, dir string) { require.NoError(t, os.Mkdir(dir+"/audit.json.lock", 0o700)) },
			want: "DIR/audit.json: cannot be locked: DIR/audit.json.lock is not a regular file; remove that, " +
				"or set another checkpoint_path",
		},
		"empty": {
			prepare: content(""),
			want:    "DIR/audit.json: is empty" + startOver,
		},
		"blank": {
			prepare: content(" \n"),
			want:    "DIR/audit.json: is empty" + startOver,
		},
		"cut": {
			prepare: content(valid(t)[:300]),
			want:    "DIR/audit.json: is cut off after 300 bytes" + startOver,
		},
		"cut behind an inner object": {
			prepare: content(valid(t)[:strings.Index(valid(t), "}")+1]),
			want:    "DIR/audit.json: is cut off after 105 bytes" + startOver,
		},
	}
}

func refusedTexts(t *testing.T) map[string]refusal {
	return map[string]refusal{
		"garbage": {
			prepare: content("through=yesterday"),
			want: "DIR/audit.json: is not a checkpoint: invalid character 'h' in literal true (expecting 'r') at byte 2" +
				otherFile,
		},
		"NUL bytes, as a power loss may leave them": {
			prepare: content(strings.Repeat("\x00", 512)),
			want: `DIR/audit.json: is not a checkpoint: invalid character '\x00' looking for beginning of value at byte 1` +
				otherFile,
		},
		"other JSON": {
			prepare: content(`{"offset": 12}`),
			want:    `DIR/audit.json: is not a checkpoint: it has no "format"` + otherFile,
		},
		"a list": {
			prepare: content(`[1]`),
			want:    "DIR/audit.json: is not a checkpoint: it is a JSON array" + otherFile,
		},
		"newer format": {
			prepare: content(`{"format": 2, "through": 17, "shards": []}`),
			want: "DIR/audit.json: was written by a newer version of this plugin: its format is 2, this version knows " +
				"1; upgrade the plugin, or set another checkpoint_path",
		},
		"format zero": {
			prepare: sealed(t, `"format": 1`, `"format": 0`),
			want:    "DIR/audit.json: is damaged: there is no format 0" + startOver,
		},
		"other endpoint": {
			prepare: sealed(t, "https://api.example.test", "https://api.staging.example.test"),
			want: `DIR/audit.json: belongs to endpoint https://api.staging.example.test with search_term "login", ` +
				`but the settings say endpoint https://api.example.test with search_term "login"; restore the settings, or ` +
				`set another checkpoint_path`,
		},
		"other search term": {
			prepare: sealed(t, `"search_term": "login"`, `"search_term": ""`),
			want: `DIR/audit.json: belongs to endpoint https://api.example.test without search_term, ` +
				`but the settings say endpoint https://api.example.test with search_term "login"; restore the settings, or ` +
				`set another checkpoint_path`,
		},
		"no through": {
			prepare: sealed(t, `"through"`, `"thorough"`),
			want:    `DIR/audit.json: is damaged: its time "through" is missing` + startOver,
		},
		"through is no time": {
			prepare: sealed(t, `"2026-03-01T12:01:00.123456789Z"`, `"yesterday"`),
			want:    `DIR/audit.json: is damaged: its time "through" is "yesterday", not RFC 3339` + startOver,
		},
	}
}

func refusedStates(t *testing.T) map[string]refusal {
	return map[string]refusal{
		"through is a number": {
			prepare: sealed(t, `"2026-03-01T12:01:00.123456789Z"`, `1772366460`),
			want:    `DIR/audit.json: is damaged: its "through" cannot be a JSON number` + startOver,
		},
		"through is absurd": {
			prepare: sealed(t, `"2026-03-01T12:01:00.123456789Z"`, `"0206-03-01T12:01:00Z"`),
			want:    `DIR/audit.json: is damaged: its time "through" is in the year 206` + startOver,
		},
		"no beginning": {
			prepare: sealed(t, `"from": "2026-03-01T11:01:00.123456789Z"`, `"from": "never"`),
			want: `DIR/audit.json: is damaged: it says where it stands ("through"), but not where it began ("from")` +
				startOver,
		},
		"no key": {
			prepare: sealed(t, `"key"`, `"keys"`),
			want:    `DIR/audit.json: is damaged: its "key" is missing` + startOver,
		},
		"short key": {
			prepare: sealed(t, `"key": "a2V5LTAwMDAwMDAwMDAwMQ=="`, `"key": "a2V5"`),
			want:    `DIR/audit.json: is damaged: its key has 3 bytes instead of 16` + startOver,
		},
		"broken base64": {
			prepare: sealed(t, `"seen": "`, `"seen": "?`),
			want:    `DIR/audit.json: is damaged: its "seen" is no base64: illegal base64 data at input byte 0` + startOver,
		},
		"no checksum": {
			prepare: content(valid(t)[:strings.Index(valid(t), trailerStart)] + "\n}\n"),
			want:    "DIR/audit.json: is damaged: it has no checksum at its end" + startOver,
		},
		"edited": {
			prepare: content(strings.Replace(valid(t), "12:01:00", "12:31:00", 1)),
			want:    "DIR/audit.json: was damaged or edited: its checksum does not fit" + startOver,
		},
		"appended to": {
			prepare: content(valid(t) + "{}"),
			want: "DIR/audit.json: is not a checkpoint: invalid character '{' after top-level value at byte " +
				fmt.Sprint(len(valid(t))+1) + otherFile,
		},
	}
}

// Every refusal is an interface: a person reads it once, at start. DIR stands for the directory.
func TestOpenRefuses(t *testing.T) {
	all := refusedPlaces(t)
	maps.Copy(all, refusedTexts(t))
	maps.Copy(all, refusedStates(t))
	for name, test := range all {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.prepare != nil {
				test.prepare(t, dir)
			}
			if test.file == "" {
				test.file = "audit.json"
			}
			path := filepath.Join(dir, test.file)
			before := bytesOf(path)
			for range 2 { // the first refusal must let go of the lock
				_, err := Open(path, testSource)
				assert.EqualError(t, err, strings.ReplaceAll(test.want, "DIR", dir))
			}
			assert.Equal(t, before, bytesOf(path), "a refused file stays for a person to look at")
		})
	}
}

func TestPermissions(t *testing.T) {
	const user = 12345
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"directory closed": {
			func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0)) },
			"DIR/audit.json: cannot be read: permission denied; let user UID read and write DIR, or set another checkpoint_path",
		},
		"directory unwritable": {
			func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0o555)) },
			"DIR/audit.json: cannot be locked: permission denied; let user UID write in the directory DIR, or set another " +
				"checkpoint_path",
		},
		"directory unwritable, lock file there": {
			func(t *testing.T, dir string) {
				write(t, dir+"/audit.json.lock", "")
				require.NoError(t, os.Chmod(dir+"/audit.json.lock", 0o666))
				require.NoError(t, os.Chmod(dir, 0o555))
			},
			"DIR/audit.json: cannot be written: permission denied; let user UID read and write DIR, or set another " +
				"checkpoint_path",
		},
		"file unreadable": {
			func(t *testing.T, dir string) {
				write(t, dir+"/audit.json", "{}")
				require.NoError(t, os.Chmod(dir+"/audit.json", 0))
			},
			"DIR/audit.json: cannot be read: permission denied; let user UID read and write DIR/audit.json, or set another " +
				"checkpoint_path",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
			require.NoError(t, os.Chmod(dir, 0o777))
			test.prepare(t, dir)
			t.Cleanup(func() { os.Chmod(dir, 0o700) })
			var err error
			asUser(t, user, func() { _, err = Open(dir+"/audit.json", testSource) })
			want := strings.ReplaceAll(strings.ReplaceAll(test.want, "DIR", dir), "UID", fmt.Sprint(os.Geteuid()))
			assert.EqualError(t, err, want)
		})
	}
}

// asUser runs f with the file access of another user if this one is root, whom no permission stops.
func asUser(t *testing.T, uid int, f func()) {
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread() // the kernel keeps the file access by thread
	defer runtime.UnlockOSThread()
	require.NoError(t, unix.Setfsuid(uid))
	defer unix.Setfsuid(0)
	f()
}

// A container runtime that mounts the file alone makes a file that cannot be renamed over: better to say so
// at start than at the first save.
func TestMountedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.json")
	save(t, path, testState(1))
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread with the mount ends with this goroutine
		for _, err := range []error{
			unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount(path, path, "", unix.MS_BIND, ""),
		} {
			if err != nil {
				return
			}
		}
		_, err := Open(path, testSource)
		done <- err
	}()
	err, mounted := <-done
	if !mounted {
		t.Skip("mounting is not permitted here")
	}
	assert.EqualError(t, err, strings.ReplaceAll("DIR/audit.json: cannot be written: device or resource busy; "+
		"mount the directory DIR instead of the file alone: a mounted file cannot be replaced", "DIR", dir))
}

func TestSystemErrorsHaveAWayOut(t *testing.T) {
	f := &File{name: "/d/audit.json", path: "/d/audit.json"}
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "/d/audit.json: cannot be written: no space left on device; free space for the directory /d",
		syscall.EDQUOT: "/d/audit.json: cannot be written: disk quota exceeded; free space for the directory /d",
		syscall.EROFS: "/d/audit.json: cannot be written: read-only file system; mount /d writable, or set another " +
			"checkpoint_path",
		syscall.EBUSY: "/d/audit.json: cannot be written: device or resource busy; mount the directory /d instead of " +
			"the file alone: a mounted file cannot be replaced",
		syscall.EIO: "/d/audit.json: cannot be written: input/output error; check the disk under /d, or set another " +
			"checkpoint_path",
	} {
		err := f.writeError(&os.LinkError{Op: "rename", Old: "/d/.audit.json1", New: "/d/audit.json", Err: errno})
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, errno)
	}
}

// bytesOf returns nil for what is not a regular file; a pipe would be read for ever.
func bytesOf(path string) []byte {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	data, _ := os.ReadFile(path)
	return data
}
