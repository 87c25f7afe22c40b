package dedup

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Seen remembers the identities of events that were handed over, so that the next window, which reads the
// overlap again, forwards each once.
//
// A million rows may have to be remembered, so entries are 24 bytes without pointers, one behind the other in
// blocks as they came, and an index of 4 bytes a slot finds them. An index is never less than 0.35 full, so
// an event costs at most 24 + 4/0.35 = 35.4 bytes and its share of the last block. Most events are new, which
// the index alone can tell. It is larger than the processor's cache, so Touch asks for what will be looked at before
// that is needed, and what is looked at for one event is nearly always in one line of the cache.
//
// An event_id that many events share would make each of them look at all others. So the first seenVersions
// with the same id have their slots by the id, and the others by id and content.
//
// All is cut into parts that grow one at a time, so that growing needs a 16th of the index twice. Entries
// never move while it grows.
type Seen struct {
	parts [seenParts]seenPart
	Count int
}

type seenPart struct {
	index  []uint32 // open addressing; a slot has the number of an entry, from 1, and 8 bits of its id on top; 0 = free
	blocks []seenBlock
	n      int // entries
	room   int // entries for which the index is large enough
}

// seenBlock knows when its newest entry happened, so that a commit need not look at those that only have
// older ones: they are long out of the processor's cache.
type seenBlock struct {
	entries *[seenBlockEntries]seenEntry
	newest  uint32
}

type seenEntry struct {
	id, content uint64
	second      uint32 // event_time in Unix seconds, clamped as eventSeconds does
	batch       uint32 // number of the batch that carries it; 0 = of an earlier run
}

const (
	seenPartBits     = 4
	seenParts        = 1 << seenPartBits
	seenBlockEntries = 128 // 3072 bytes, a size that the allocator has
	seenFull         = 0.7 // of an index; then it is doubled
	lineSlots        = 16  // of an index, in one cache line; an index has whole lines
	seenLeast        = 2 * lineSlots
	seenVersions     = 16 // of one id that are looked through
	seenStored       = 20 // bytes of an entry in the checkpoint: id, content, second

	numberBits = 24 // of a slot: 268 million events in all
	numberMask = 1<<numberBits - 1
)

// Group is how many identities Touch takes at most: what they ask for, and the rows, still lie in the cache when each
// is looked up.
const Group = 16

type Sighting int

const (
	Fresh   Sighting = iota // never handed over
	Known                   // handed over, same content
	Changed                 // handed over with another content
)

// Touch asks for the places at which these identities, at most Group, will be looked up: they come into the
// processor's cache together, and meanwhile it goes on.
func (s *Seen) Touch(group []Identity) {
	var places [Group]*uint32
	n := 0
	for i := range group {
		if p := s.part(group[i].ID); len(p.index) > 0 {
			places[n] = &p.index[p.home(group[i].ID)]
			n++
		}
	}
	prefetch(&places, n)
}

// Mark reports whether who was seen, and remembers it when not as carried by the given batch. at is how long it
// must be remembered: until no window starts at or before it.
func (s *Seen) Mark(who Identity, at time.Time, batch uint32) Sighting {
	p, second := s.part(who.ID), event.Seconds(at)
	number, place, verdict := p.find(who)
	if verdict == Known {
		block, e := p.entry(number)
		e.second = max(e.second, second)
		block.newest = max(block.newest, second)
		return Known
	}
	p.add(place, seenEntry{who.ID, who.Content, second, batch})
	s.Count++
	return verdict
}

// Has reports whether who was seen, with the same content.
func (s *Seen) Has(who Identity) bool {
	_, _, verdict := s.part(who.ID).find(who)
	return verdict == Known
}

// Carry notes that who goes with another batch than was thought.
func (s *Seen) Carry(who Identity, batch uint32) {
	p := s.part(who.ID)
	if number, _, verdict := p.find(who); verdict == Known {
		_, e := p.entry(number)
		e.batch = batch
	}
}

func (s *Seen) part(id uint64) *seenPart { return &s.parts[id>>(64-seenPartBits)] }

// seenPlace is where an event is or would go.
type seenPlace struct {
	key  uint64 // that slots were looked through by
	slot int
}

// find returns the number of a known event's entry, and the place where the event is or would go.
func (p *seenPart) find(who Identity) (number int, place seenPlace, verdict Sighting) {
	place.key = who.ID
	if len(p.index) == 0 {
		return 0, place, Fresh
	}
	versions := 0
	home, probe := p.home(place.key), 0
	for {
		place.slot = p.slot(home, probe)
		probe++
		slot := p.index[place.slot]
		if slot == 0 {
			return 0, place, verdict
		}
		if (slot^uint32(place.key))>>numberBits != 0 {
			continue
		}
		number := int(slot & numberMask)
		_, e := p.entry(number)
		if e.id != who.ID {
			continue
		}
		if e.content == who.Content {
			return number, place, Known
		}
		verdict = Changed
		if versions++; versions == seenVersions && place.key == who.ID {
			place.key = who.crowded()
			home, probe = p.home(place.key), 0
		}
	}
}

// crowded is the key of an event whose id has too many versions: it differs with the content.
func (who Identity) crowded() uint64 { return who.ID ^ who.Content*0x9e3779b97f4a7c15 }

// entry returns an entry by its number, from 1, and the block that it is in.
func (p *seenPart) entry(number int) (*seenBlock, *seenEntry) {
	block := &p.blocks[(number-1)/seenBlockEntries]
	return block, &block.entries[(number-1)%seenBlockEntries]
}

// add adds an entry, whose slot is free.
func (p *seenPart) add(free seenPlace, e seenEntry) {
	if p.n == p.room {
		p.resize(max(seenLeast, 2*len(p.index)))
		_, free, _ = p.find(Identity{e.id, e.content})
	}
	if p.n == len(p.blocks)*seenBlockEntries {
		entries := new([seenBlockEntries]seenEntry)
		clear(entries[:]) // new memory that is read before it is written costs two page faults
		p.blocks = append(p.blocks, seenBlock{entries: entries})
	}
	p.n++
	block, at := p.entry(p.n)
	*at = e
	block.newest = max(block.newest, e.second)
	p.enter(free, p.n)
}

// resize makes a new index of so many slots.
func (p *seenPart) resize(slots int) {
	p.index, p.room = make([]uint32, slots), int(seenFull*float64(slots))
	clear(p.index) // as for entries
	for i := range p.n {
		_, e := p.entry(i + 1)
		_, free, _ := p.find(Identity{e.id, e.content})
		p.enter(free, i+1)
	}
}

func (p *seenPart) enter(place seenPlace, number int) {
	p.index[place.slot] = uint32(place.key)&^numberMask | uint32(number)
}

// home is the slot at which looking for a key begins. It spreads the bits below those that chose the part.
func (p *seenPart) home(key uint64) int {
	hi, _ := bits.Mul64(key<<seenPartBits, uint64(len(p.index)))
	return int(hi)
}

// slot is the one to look at after so many others. Those of a cache line come first, since they are there, and then
// those of the next one.
func (p *seenPart) slot(home, probe int) int {
	line := home&^(lineSlots-1) + probe&^(lineSlots-1)
	if line >= len(p.index) {
		line -= len(p.index)
	}
	return line + (home+probe)&(lineSlots-1)
}

// keep forgets every entry that is older than second or of a batch after the given one.
func (s *Seen) keep(second, batch uint32) {
	s.Count = 0
	for i := range s.parts {
		s.parts[i].keep(second, batch)
		s.Count += s.parts[i].n
	}
}

func (p *seenPart) keep(second, batch uint32) {
	left := 0
	for e := range p.wanted(second, batch) {
		left++
		block, at := p.entry(left)
		if left%seenBlockEntries == 1 {
			block.newest = 0
		}
		*at = *e
		block.newest = max(block.newest, e.second)
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

// wanted gives the entries not older than second of batches up to the given one, in the order of their
// numbers. Those before the one that is given may be overwritten meanwhile.
func (p *seenPart) wanted(second, batch uint32) iter.Seq[*seenEntry] {
	return func(yield func(*seenEntry) bool) {
		for i := range p.blocks {
			block := &p.blocks[i]
			if block.newest < second {
				continue
			}
			entries := block.entries[:min(p.n-i*seenBlockEntries, seenBlockEntries)]
			for j := range entries {
				if e := &entries[j]; e.second >= second && e.batch <= batch && !yield(e) {
					return
				}
			}
		}
	}
}

// Expire forgets what happened before floor: no window will read it again.
func (s *Seen) Expire(floor time.Time) { s.keep(event.Seconds(floor), math.MaxUint32) }

// since returns how many entries are not older than floor.
func (s *Seen) since(floor time.Time) (n int) {
	for i := range s.parts {
		for range s.parts[i].wanted(event.Seconds(floor), math.MaxUint32) {
			n++
		}
	}
	return n
}

// Revert forgets what batches after the given one carried.
func (s *Seen) Revert(batch uint32) { s.keep(0, batch) }

// Store returns what the checkpoint keeps: the entries not older than floor in batches up to the given one.
func (s *Seen) Store(floor time.Time, batch uint32) []byte {
	second := event.Seconds(floor)
	out := make([]byte, 0, s.Count*seenStored)
	for i := range s.parts {
		for e := range s.parts[i].wanted(second, batch) {
			out = binary.LittleEndian.AppendUint64(out, e.id)
			out = binary.LittleEndian.AppendUint64(out, e.content)
			out = binary.LittleEndian.AppendUint32(out, e.second)
		}
	}
	return out
}

// Oldest returns the time of the oldest entry; ok is false without any.
func (s *Seen) Oldest() (t time.Time, ok bool) {
	oldest := uint32(math.MaxUint32)
	for i := range s.parts {
		for e := range s.parts[i].wanted(0, math.MaxUint32) {
			oldest = min(oldest, e.second)
		}
	}
	return time.Unix(int64(oldest), 0).UTC(), s.Count > 0
}

// Limit lets what is dated after latest be forgotten as if it had happened then.
func (s *Seen) Limit(latest time.Time) {
	second := event.Seconds(latest)
	for i := range s.parts {
		for j := range s.parts[i].blocks {
			block := &s.parts[i].blocks[j]
			if block.newest <= second {
				continue
			}
			block.newest = second
			for k := range block.entries {
				block.entries[k].second = min(block.entries[k].second, second)
			}
		}
	}
}

// Reserve makes room for n more events, so that noting them allocates nothing.
func (s *Seen) Reserve(n int) {
	for i := range s.parts {
		part := &s.parts[i]
		part.resize(max(seenLeast, (n+lineSlots-1)&^(lineSlots-1))) // as for all of them in one part
		for range n/seenBlockEntries + 1 {
			part.blocks = append(part.blocks, seenBlock{entries: new([seenBlockEntries]seenEntry)})
		}
	}
}

// LoadSeen is the reverse of store; the entries belong to batch 0.
func LoadSeen(stored []byte) (*Seen, error) {
	if len(stored)%seenStored != 0 {
		return nil, errors.New("the checkpoint's list of seen events has a torn entry")
	}
	s := new(Seen)
	for ; len(stored) > 0; stored = stored[seenStored:] {
		e := seenEntry{
			id:      binary.LittleEndian.Uint64(stored),
			content: binary.LittleEndian.Uint64(stored[8:]),
			second:  binary.LittleEndian.Uint32(stored[16:]),
		}
		p := s.part(e.id)
		if _, free, verdict := p.find(Identity{e.id, e.content}); verdict != Known {
			p.add(free, e)
			s.Count++
		}
	}
	return s, nil
}
