package schema

import (
	"bytes"
)

// actionEntries are entries of a map that follow from an action's name alone.
type actionEntries struct {
	count  int
	append func(dst, name []byte) []byte // appends count keys with their values
}

const (
	maxCachedActions    = 1024
	maxCachedActionName = 256
)

// actionCache remembers the encoded entries of actions: an audit log has some dozens of them in millions of
// rows. A name that no longer fits is worked out each time. It belongs to one program, hence to one
// goroutine.
type actionCache struct {
	make    actionEntries
	encoded map[string][]byte
	most    int    // names that are remembered
	ready   []byte // the entries of the next row, if they are known already
}

func newActionCache(entries actionEntries) *actionCache {
	return &actionCache{make: entries, encoded: make(map[string][]byte), most: maxCachedActions}
}

func (c *actionCache) append(dst, name []byte) []byte {
	if c.ready != nil {
		dst = append(dst, c.ready...)
		c.ready = nil
		return dst
	}
	if entries, ok := c.encoded[string(name)]; ok {
		return append(dst, entries...)
	}
	start := len(dst)
	dst = c.make.append(dst, name)
	if len(c.encoded) < c.most && len(name) <= maxCachedActionName {
		c.encoded[string(name)] = bytes.Clone(dst[start:])
	}
	return dst
}
