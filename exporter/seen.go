package exporter

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"time"
)

// seen remembers the identities of events that were handed over, so that the next window, which reads the overlap again, forwards each once.
//
// A million rows may have to be remembered, so entries are 24 bytes without pointers, one behind the other in blocks as they came, and an index
// of 4 bytes a slot finds them. An index is never less than 0.35 full, so an event costs at most 24 + 4/0.35 = 35.4 bytes and its share of the
// last block. Most events are new, which the index alone can tell. It is larger than the processor's cache: touch asks for many slots at once
// before they are needed, which costs hardly more than one.
//
// All is cut into parts that grow one at a time, so that growing needs a 16th of the index twice. Entries never move while it grows.
type seen struct {
	parts   [seenParts]seenPart
	n       int
	touched uint32 // what touch read, so that it is not left out
}

type seenPart struct {
	index  []uint32 // open addressing; a slot has the number of an entry, from 1, and 8 bits of its id on top; 0 = free
	blocks []*seenBlock
	n      int // entries
	room   int // entries for which the index is large enough
}

type seenBlock [seenBlockEntries]seenEntry

type seenEntry struct {
	id, content uint64
	second      uint32 // event_time in Unix seconds, clamped as eventSeconds does
	batch       uint32 // number of the batch that carries it; 0 = of an earlier run
}

// uncounted marks the batch of an entry that the digests of minutes leave out: a bad row, or another version of a known event.
const uncounted = 1 << 31

const (
	seenPartBits     = 4
	seenParts        = 1 << seenPartBits
	seenBlockEntries = 128 // 3072 bytes, a size that the allocator has
	seenFull         = 0.7 // of an index; then it is doubled
	seenLeast        = 32  // slots
	seenStored       = 20  // bytes of an entry in the checkpoint: id, content, second

	numberBits = 24 // of a slot: 268 million events in all
	numberMask = 1<<numberBits - 1
)

type sighting int

const (
	fresh   sighting = iota // never handed over
	known                   // handed over, same content
	changed                 // handed over with another content
)

// touch brings the places at which these identities will be looked up into the processor's cache. The reads do not depend on one another, so
// the processor waits for memory once and not for each.
func (s *seen) touch(group []identity) {
	var all uint32
	for i := range group {
		if p := s.part(group[i].id); len(p.index) > 0 {
			all ^= p.index[p.slot(group[i].id)]
		}
	}
	s.touched = all
}

// mark says whether who was seen, and remembers it when not as carried by the given batch. at is how long it must be remembered: until no
// window starts at or before it.
func (s *seen) mark(who identity, at time.Time, batch uint32) sighting {
	p, second := s.part(who.id), eventSeconds(at)
	e, free, verdict := p.find(who)
	if verdict == known {
		e.second = max(e.second, second)
		return known
	}
	if verdict == changed {
		batch |= uncounted
	}
	p.add(free, seenEntry{who.id, who.content, second, batch})
	s.n++
	return verdict
}

// carry notes that who goes with another batch than was thought.
func (s *seen) carry(who identity, batch uint32) {
	if e, _, verdict := s.part(who.id).find(who); verdict == known {
		e.batch = e.batch&uncounted | batch
	}
}

func (s *seen) part(id uint64) *seenPart { return &s.parts[id>>(64-seenPartBits)] }

// find returns the entry of a known event, else the slot where it would go.
func (p *seenPart) find(who identity) (_ *seenEntry, free int, verdict sighting) {
	if len(p.index) == 0 {
		return nil, 0, fresh
	}
	i := p.slot(who.id)
	for ; p.index[i] != 0; i = p.after(i) {
		if (p.index[i]^uint32(who.id))>>numberBits != 0 {
			continue
		}
		if e := p.entry(int(p.index[i]&numberMask) - 1); e.id == who.id {
			if e.content == who.content {
				return e, i, known
			}
			verdict = changed
		}
	}
	return nil, i, verdict
}

func (p *seenPart) entry(i int) *seenEntry { return &p.blocks[i/seenBlockEntries][i%seenBlockEntries] }

// add adds an entry, whose slot is free.
func (p *seenPart) add(free int, e seenEntry) {
	if p.n == p.room {
		p.resize(max(seenLeast, 2*len(p.index)))
		free = p.free(e.id)
	}
	if p.n == len(p.blocks)*seenBlockEntries {
		block := new(seenBlock)
		clear(block[:]) // as above
		p.blocks = append(p.blocks, block)
	}
	*p.entry(p.n) = e
	p.n++
	p.enter(free, p.n, e.id)
}

// resize makes a new index of so many slots.
func (p *seenPart) resize(slots int) {
	p.index, p.room = make([]uint32, slots), int(seenFull*float64(slots))
	clear(p.index) // new memory that is read before it is written costs two page faults
	for i := range p.n {
		id := p.entry(i).id
		p.enter(p.free(id), i+1, id)
	}
}

// free finds the slot for a new entry.
func (p *seenPart) free(id uint64) int {
	i := p.slot(id)
	for p.index[i] != 0 {
		i = p.after(i)
	}
	return i
}

func (p *seenPart) enter(slot, number int, id uint64) {
	p.index[slot] = uint32(id)&^numberMask | uint32(number)
}

// slot spreads the bits below those that chose the part over the slots.
func (p *seenPart) slot(id uint64) int {
	hi, _ := bits.Mul64(id<<seenPartBits, uint64(len(p.index)))
	return int(hi)
}

func (p *seenPart) after(i int) int {
	if i++; i == len(p.index) {
		return 0
	}
	return i
}

// keep forgets every entry that wanted refuses.
func (s *seen) keep(wanted func(*seenEntry) bool) {
	s.n = 0
	for i := range s.parts {
		s.parts[i].keep(wanted)
		s.n += s.parts[i].n
	}
}

func (p *seenPart) keep(wanted func(*seenEntry) bool) {
	left := 0
	for i := range p.n {
		if e := p.entry(i); wanted(e) {
			*p.entry(left) = *e
			left++
		}
	}
	switch left {
	case p.n:
		return
	case 0:
		*p = seenPart{}
		return
	}
	used := (left + seenBlockEntries - 1) / seenBlockEntries
	p.n, p.blocks = left, slices.Clone(p.blocks[:used])
	slots := len(p.index)
	for slots > seenLeast && float64(left) <= seenFull/2*float64(slots) {
		slots /= 2
	}
	p.resize(slots)
}

// expire forgets what happened before floor: no window will read it again.
func (s *seen) expire(floor time.Time) {
	second := eventSeconds(floor)
	s.keep(func(e *seenEntry) bool { return e.second >= second })
}

// revert forgets what batches after the given one carried.
func (s *seen) revert(batch uint32) {
	s.keep(func(e *seenEntry) bool { return e.batch&^uncounted <= batch })
}

// store returns what the checkpoint keeps: the entries not older than floor in batches up to the given one. It adds those of batches after
// counted to the history.
func (s *seen) store(floor time.Time, counted, batch uint32, h *history) []byte {
	second, tally := eventSeconds(floor), h.tally()
	defer tally.end()
	var out []byte
	for i := range s.parts {
		for j := range s.parts[i].n {
			e := s.parts[i].entry(j)
			if e.batch&^uncounted > batch {
				continue
			}
			if e.batch > counted && e.batch < uncounted {
				tally.add(e.id, int64(e.second)/60)
			}
			if e.second < second {
				continue
			}
			out = binary.LittleEndian.AppendUint64(out, e.id)
			out = binary.LittleEndian.AppendUint64(out, e.content)
			out = binary.LittleEndian.AppendUint32(out, e.second)
		}
	}
	return out
}

// loadSeen is the reverse of store; the entries belong to window 0.
func loadSeen(stored []byte) (*seen, error) {
	if len(stored)%seenStored != 0 {
		return nil, errors.New("the checkpoint's list of seen events has a torn entry")
	}
	s := new(seen)
	for ; len(stored) > 0; stored = stored[seenStored:] {
		e := seenEntry{
			id:      binary.LittleEndian.Uint64(stored),
			content: binary.LittleEndian.Uint64(stored[8:]),
			second:  binary.LittleEndian.Uint32(stored[16:]),
		}
		p := s.part(e.id)
		if _, free, verdict := p.find(identity{e.id, e.content}); verdict != known {
			p.add(free, e)
			s.n++
		}
	}
	return s, nil
}
