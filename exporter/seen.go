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
// A million rows may have to be remembered, so entries are 24 bytes without pointers, one behind the other as they came, and an index of 4 bytes
// a slot finds them. Just after growing that is 1.25 × (24 + 1.9 × 4) = 39.5 bytes an event, the most it ever is. Most events are new, which the
// index alone can tell: it is small enough for the processor's cache, while each look at an entry is a wait for memory.
//
// All is cut into parts that grow one at a time, so that growing needs a 64th of it twice.
type seen struct {
	parts [seenParts]seenPart
	n     int
}

type seenPart struct {
	index   []uint32 // open addressing; a slot has the number of an entry, from 1, and 8 bits of its id on top; 0 = free
	entries []seenEntry
}

type seenEntry struct {
	id, content uint64
	second      uint32 // event_time in Unix seconds, clamped as eventSeconds does
	batch       uint32 // number of the batch that carries it; 0 = of an earlier run
}

// uncounted marks the batch of an entry that the digests of minutes leave out: a bad row, or another version of a known event.
const uncounted = 1 << 31

const (
	seenParts  = 64
	seenGrowth = 1.25
	seenSlots  = 1.9 // of the index, for each entry there is room for
	seenLeast  = 16  // entries
	seenStored = 20  // bytes of an entry in the checkpoint: id, content, second

	numberBits = 24 // of a slot: a billion events in all
	numberMask = 1<<numberBits - 1
)

type sighting int

const (
	fresh   sighting = iota // never handed over
	known                   // handed over, same content
	changed                 // handed over with another content
)

// mark says whether who was seen, and remembers it when not as carried by the given batch. at is how long it must be remembered: until no
// window starts at or before it.
func (s *seen) mark(who identity, at time.Time, batch uint32) sighting {
	p, second := s.part(who.id), eventSeconds(at)
	e, verdict := p.find(who)
	if verdict == known {
		e.second = max(e.second, second)
		return known
	}
	if verdict == changed {
		batch |= uncounted
	}
	p.add(seenEntry{who.id, who.content, second, batch})
	s.n++
	return verdict
}

// carry notes that who goes with another batch than was thought.
func (s *seen) carry(who identity, batch uint32) {
	if e, verdict := s.part(who.id).find(who); verdict == known {
		e.batch = e.batch&uncounted | batch
	}
}

func (s *seen) part(id uint64) *seenPart { return &s.parts[id>>58] }

func (p *seenPart) find(who identity) (*seenEntry, sighting) {
	verdict := fresh
	if len(p.index) == 0 {
		return nil, verdict
	}
	for i := p.slot(who.id); p.index[i] != 0; i = p.after(i) {
		if (p.index[i]^uint32(who.id))>>numberBits != 0 {
			continue
		}
		if e := &p.entries[p.index[i]&numberMask-1]; e.id == who.id {
			if e.content == who.content {
				return e, known
			}
			verdict = changed
		}
	}
	return nil, verdict
}

func (p *seenPart) add(e seenEntry) {
	if len(p.entries) == cap(p.entries) {
		p.resize(max(seenLeast, int(seenGrowth*float64(len(p.entries)))))
	}
	p.entries = append(p.entries, e)
	p.enter(len(p.entries))
}

// resize makes room for so many entries.
func (p *seenPart) resize(room int) {
	entries := make([]seenEntry, len(p.entries), room)
	copy(entries, p.entries)
	p.entries = entries
	p.index = make([]uint32, int(seenSlots*float64(room)))
	for number := range p.entries {
		p.enter(number + 1)
	}
}

// enter puts the entry with that number into the index.
func (p *seenPart) enter(number int) {
	id := p.entries[number-1].id
	i := p.slot(id)
	for p.index[i] != 0 {
		i = p.after(i)
	}
	p.index[i] = uint32(id)&^numberMask | uint32(number)
}

// slot spreads the bits below those that chose the part over the slots.
func (p *seenPart) slot(id uint64) int {
	hi, _ := bits.Mul64(id<<6, uint64(len(p.index)))
	return int(hi)
}

func (p *seenPart) after(i int) int {
	if i++; i == len(p.index) {
		return 0
	}
	return i
}

// keep forgets every entry that wanted refuses.
func (s *seen) keep(wanted func(seenEntry) bool) {
	s.n = 0
	for i := range s.parts {
		s.parts[i].keep(wanted)
		s.n += len(s.parts[i].entries)
	}
}

func (p *seenPart) keep(wanted func(seenEntry) bool) {
	left := slices.DeleteFunc(p.entries, func(e seenEntry) bool { return !wanted(e) })
	switch {
	case len(left) == len(p.entries):
	case len(left) == 0:
		*p = seenPart{}
	default:
		p.entries = left
		p.resize(max(seenLeast, int(seenGrowth*float64(len(left)))))
	}
}

// expire forgets what happened before floor: no window will read it again.
func (s *seen) expire(floor time.Time) {
	second := eventSeconds(floor)
	s.keep(func(e seenEntry) bool { return e.second >= second })
}

// revert forgets what batches after the given one carried.
func (s *seen) revert(batch uint32) {
	s.keep(func(e seenEntry) bool { return e.batch&^uncounted <= batch })
}

// store returns what the checkpoint keeps: the entries not older than floor in batches up to the given one. It adds those of batches after
// counted to the history.
func (s *seen) store(floor time.Time, counted, batch uint32, h *history) []byte {
	second := eventSeconds(floor)
	var out []byte
	for i := range s.parts {
		for _, e := range s.parts[i].entries {
			if e.batch&^uncounted > batch {
				continue
			}
			if e.batch > counted && e.batch < uncounted {
				h.add(e.id, int64(e.second)/60)
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
		if _, verdict := p.find(identity{e.id, e.content}); verdict != known {
			p.add(e)
			s.n++
		}
	}
	return s, nil
}
