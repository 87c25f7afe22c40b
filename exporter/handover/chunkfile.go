package handover

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// chunkFile is one file of the engine's storage, held open: what was opened stays readable after the engine has
// delivered and removed it.
//
// Its name is <pid>-<seconds>.<nanoseconds>.flb, of the time when it was made. It has a header of 24 bytes, in which
// bytes 10–13 are the length of the content, set with every write, and 22–23 that of the metadata before it (read in
// chunkio of 3.2 to 5.1.1, measured). The engine writes through a shared mapping, which a reader sees at once.
type chunkFile struct {
	file     *os.File
	path     string
	from     int       // where the content begins that no batch was found in yet
	searched searched  // the last search
	gone     time.Time // when the engine had removed it; zero = not yet
}

// searched is what a search depends on: as long as it is the same, there is nothing new to be found.
type searched struct {
	length       int    // of the content
	newest       uint32 // batch
	wanted, byID int    // batches, and those of them that may be found by an event_id
}

const chunkHeader = 24 // bytes

// errNoHeader says that a file has no header yet, or never got one on a full disk.
var errNoHeader = errors.New("the chunk file has no header")

// header returns how long the content is and where it begins.
func header(file io.ReaderAt) (length, begin int, err error) {
	var head [chunkHeader]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return 0, 0, errors.Join(errNoHeader, err)
	}
	if head[0] != 0xC1 || head[1] != 0 {
		return 0, 0, errNoHeader
	}
	return int(binary.BigEndian.Uint32(head[10:])), chunkHeader + int(binary.BigEndian.Uint16(head[22:])), nil
}

// unread returns the content that no batch was found in.
func (c *chunkFile) unread() (content []byte, err error) {
	length, begin, err := header(c.file)
	if err != nil || length < c.from {
		return nil, err
	}
	content = make([]byte, length-c.from)
	if _, err := c.file.ReadAt(content, int64(begin+c.from)); err != nil {
		return nil, err
	}
	return content, nil
}

// find returns the numbers of those batches that the file holds. They are in the order of their hand-over, and so are
// they in the file.
func (c *chunkFile) find(wanted []acceptance, what searched) (found []uint32) {
	length, _, err := header(c.file)
	if what.length = length; err != nil || length == 0 || what == c.searched {
		return nil
	}
	content, err := c.unread()
	if err != nil {
		return nil
	}
	c.searched = what
	for _, a := range wanted {
		end := a.trace.whole(content)
		if end < 0 {
			end = a.trace.changed(content)
		}
		if end >= 0 {
			content = content[end:]
			c.from += end
			found = append(found, a.number)
		}
	}
	return found
}

// sync makes what the file holds survive a loss of power, and its name too.
func (c *chunkFile) sync() error {
	if err := c.file.Sync(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(c.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// chunkPath is where a chunk file lies: the storage path, the input, pid, seconds and nanoseconds, padded
// with blanks.
var chunkPath = regexp.MustCompile(`^(/.*)/([^/]+\.\d+)/\d+-(\d+)\. *(\d+)\.flb$`)

// chunkTime returns when a chunk file was made, by its path; zero = it is none.
func chunkTime(path string) time.Time {
	parts := chunkPath.FindStringSubmatch(path)
	if parts == nil {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(parts[3], 10, 64)
	nanoseconds, err2 := strconv.ParseInt(parts[4], 10, 64)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	return time.Unix(seconds, nanoseconds)
}

// findStorage returns a chunk file that the engine, which is this process, has open now, and its path; nil if
// there is none. The engine keeps it open from the first append until it is flushed. descriptors is
// /proc/self/fd. A file of this plugin is preferred.
func findStorage(descriptors string) (path string, file *os.File) {
	list, err := os.ReadDir(descriptors)
	if err != nil {
		return "", nil
	}
	best := ""
	for _, descriptor := range list {
		link := filepath.Join(descriptors, descriptor.Name())
		target, err := os.Readlink(link)
		if err != nil || !strings.HasSuffix(target, ".flb") {
			continue
		}
		parts := chunkPath.FindStringSubmatch(target)
		if parts == nil || best != "" && !strings.HasPrefix(parts[2], pluginPrefix) {
			continue
		}
		best, path = link, target
	}
	if best == "" {
		return "", nil
	}
	if file, err = os.Open(best); err != nil {
		return "", nil
	}
	return path, file
}
