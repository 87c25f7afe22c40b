package exporter

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"time"
)

// seen remembers the identities of events that were handed over, so that the next window, which reads the overlap again, forwards each once.
//
// A million rows may have to be remembered, so an entry is 24 bytes without pointers in an open-addressing table that is at least 0.64 full
// after it grew: at most 24/0.64 = 37.5 bytes an event. It is cut into parts that grow one at a time, so that growing needs a 64th of it twice.
type seen struct {
	parts [seenParts]seenPart
	n     int
}

type seenPart struct {
	entries []seenEntry // a free slot has id 0
	n       int
}

type seenEntry struct {
	id, content uint64
	second      uint32 // event_time in Unix seconds, clamped as eventSeconds does
	batch       uint32 // number of the batch that carries it; 0 = of an earlier run
}

// uncounted marks the batch of an entry that the digests of minutes leave out: a bad row, or another version of a known event.
const uncounted = 1 << 31

const (
	seenParts    = 64
	seenMaxLoad  = 0.80
	seenGrowth   = 1.25
	seenMinSlots = 16
	seenStored   = 20 // bytes of an entry in the checkpoint: id, content, second
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
	if who.id == 0 {
		who.id = 1
	}
	p, second := &s.parts[who.id>>58], eventSeconds(at)
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
	who.id = max(who.id, 1)
	if e, verdict := s.parts[who.id>>58].find(who); verdict == known {
		e.batch = e.batch&uncounted | batch
	}
}

func (p *seenPart) find(who identity) (*seenEntry, sighting) {
	verdict := fresh
	if len(p.entries) == 0 {
		return nil, verdict
	}
	for i := p.slot(who.id); p.entries[i].id != 0; i = p.after(i) {
		if e := &p.entries[i]; e.id == who.id {
			if e.content == who.content {
				return e, known
			}
			verdict = changed
		}
	}
	return nil, verdict
}

func (p *seenPart) add(e seenEntry) {
	if float64(p.n+1) > seenMaxLoad*float64(len(p.entries)) {
		p.resize(max(seenMinSlots, int(seenGrowth*float64(len(p.entries)))))
	}
	p.put(e)
}

func (p *seenPart) put(e seenEntry) {
	i := p.slot(e.id)
	for p.entries[i].id != 0 {
		i = p.after(i)
	}
	p.entries[i] = e
	p.n++
}

// slot spreads the bits below those that chose the part over the slots.
func (p *seenPart) slot(id uint64) int {
	hi, _ := bits.Mul64(id<<6, uint64(len(p.entries)))
	return int(hi)
}

func (p *seenPart) after(i int) int {
	if i++; i == len(p.entries) {
		return 0
	}
	return i
}

func (p *seenPart) resize(slots int) {
	old := p.entries
	p.entries, p.n = make([]seenEntry, slots), 0
	for _, e := range old {
		if e.id != 0 {
			p.put(e)
		}
	}
}

// keep forgets every entry that wanted refuses.
func (s *seen) keep(wanted func(seenEntry) bool) {
	s.n = 0
	for i := range s.parts {
		s.parts[i].keep(wanted)
		s.n += s.parts[i].n
	}
}

func (p *seenPart) keep(wanted func(seenEntry) bool) {
	left := 0
	for i, e := range p.entries {
		switch {
		case e.id == 0:
		case wanted(e):
			left++
		default:
			p.entries[i].batch = forgotten
		}
	}
	if left == p.n {
		return
	}
	old := p.entries
	p.entries, p.n = nil, 0
	if left > 0 {
		p.entries = make([]seenEntry, max(seenMinSlots, int(float64(left)/seenMaxLoad*seenGrowth)+1))
	}
	for _, e := range old {
		if e.id != 0 && e.batch != forgotten {
			p.put(e)
		}
	}
}

// forgotten marks an entry for removal inside keep; no batch has this number.
const forgotten = 1<<32 - 1

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
			if e.id == 0 || e.batch&^uncounted > batch {
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
		if e.id == 0 {
			return nil, errors.New("the checkpoint's list of seen events has an empty entry")
		}
		s.parts[e.id>>58].add(e)
		s.n++
	}
	return s, nil
}
