package schema

import (
	"encoding/binary"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// textEntry is a field and what comes before it when it is not empty.
type textEntry struct {
	key   [putBytes]byte // encoded, with what else never changes
	size  int            // of the key
	place int            // in row.fields
}

func newTextEntry(key []byte, place int) textEntry {
	e := textEntry{size: len(key), place: place}
	copy(e.key[:], key)
	return e
}

const (
	putBytes  = 32
	maxPut    = 4 * putBytes          // of a text that is copied in pieces
	entryRoom = putBytes + 2 + maxPut // that the copies of an entry may touch
)

// appendFieldTexts appends the entries of the fields that are not empty. Where there is room on both sides it
// copies pieces of fixed length, longer than needed, which takes fewer steps than finding out how long they
// must be. What it writes too much is overwritten by what comes next.
func appendFieldTexts(dst []byte, r *event.Row, entries []textEntry) (_ []byte, written int) {
	for len(entries) > 0 {
		if r.ASCII && cap(dst)-len(dst) >= len(entries)*entryRoom {
			n, done, some := putTexts(dst[len(dst):cap(dst)], r.Fields, entries)
			dst, written, entries = dst[:len(dst)+n], written+some, entries[done:]
			if len(entries) == 0 {
				break
			}
		}
		e := &entries[0]
		if text := r.Field(e.place); len(text) > 0 {
			dst = appendFieldText(append(dst, e.key[:e.size]...), r, text)
			written++
		}
		entries = entries[1:]
	}
	return dst, written
}

// putWords is putTexts, eight bytes at a time.
func putWords(room []byte, fields [][]byte, entries []textEntry) (n, done, written int) {
	for ; done < len(entries); done++ {
		e := &entries[done]
		if e.place >= len(fields) {
			continue
		}
		text := fields[e.place]
		size := len(text)
		if size > maxPut || cap(text) < maxPut {
			break
		}
		entry := (*[entryRoom]byte)(room[n:])
		put32(entry[:], e.key[:])
		value := entry[e.size&63:]
		if size < 32 {
			value[0] = 0xa0 | byte(size)
			put32(value[1:], text[:putBytes])
			some := int(uint64(-int64(size)) >> 63) // 0 for an empty field, whose entry is overwritten; else 1
			n += (e.size + 1 + size) * some
			written += some
			continue
		}
		value[0], value[1] = 0xd9, byte(size)
		for at := 0; at < size; at += 2 * putBytes {
			put32(value[2+at:], text[at:at+putBytes])
			put32(value[2+at+putBytes:], text[at+putBytes:at+2*putBytes])
		}
		n += e.size + 2 + size
		written++
	}
	return n, done, written
}

// put32 copies putBytes without a call: an array assignment would be one, since the places might overlap.
func put32(dst, src []byte) {
	_, _ = dst[putBytes-1], src[putBytes-1]
	a, b := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
	c, d := binary.LittleEndian.Uint64(src[16:]), binary.LittleEndian.Uint64(src[24:])
	binary.LittleEndian.PutUint64(dst, a)
	binary.LittleEndian.PutUint64(dst[8:], b)
	binary.LittleEndian.PutUint64(dst[16:], c)
	binary.LittleEndian.PutUint64(dst[24:], d)
}
