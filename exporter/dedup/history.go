package dedup

import (
	"encoding/binary"
	"errors"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// History holds a digest of every minute behind the checkpoint, so that reconciliation can tell whether a
// minute that is read again has events that were never handed over. A minute costs 20 bytes of the
// checkpoint, whatever happened in it: 24 hours are 28 KiB.
type History struct {
	Minutes map[int64]Digest // by Unix minute; a minute without events has none
}

// Digest is the same for the same events in any order.
type Digest struct {
	sum   uint64 // of the mixed ids
	Count uint32
}

// Sum is the sum of what was added, modulo 2^64.
func (d Digest) Sum() uint64 { return d.sum }

// Plus is the digest of both sets of events.
func (d Digest) Plus(other Digest) Digest { return Digest{d.sum + other.sum, d.Count + other.Count} }

// Minus is the digest that Plus makes d of other.
func (d Digest) Minus(other Digest) Digest { return Digest{d.sum - other.sum, d.Count - other.Count} }

// DigestOf is the digest of one event.
func DigestOf(sum uint64) Digest { return Digest{sum, 1} }

// Exceeds reports whether d has more events than other, or as many and other ones.
func (d Digest) Exceeds(other Digest) bool {
	return d.Count > other.Count || d.Count == other.Count && d.sum != other.sum
}

func NewHistory() *History { return &History{Minutes: make(map[int64]Digest)} }

func MinuteOf(t time.Time) int64 { return int64(event.Seconds(t)) / 60 }

// Sum is the same for the same ids in any order.
type Sum struct{ sum uint64 }

// Add adds an id.
func (s *Sum) Add(id uint64) { s.sum += Mix(id) }

// Mix spreads an id before it is summed, so that sums of different sets differ.
func Mix(id uint64) uint64 {
	hi, lo := bits.Mul64(id^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return hi ^ lo
}

// Tally adds events to a history. Neighbours are mostly of one minute, which it looks up once for all of them.
type Tally struct {
	history *History
	minute  int64
	digest  Digest // of minute, newer than the history's
}

func (h *History) Tally() *Tally { return &Tally{history: h, minute: -1} }

// Add adds an event by what its id adds to sums.
func (t *Tally) Add(sum uint64, minute int64) {
	if minute != t.minute {
		t.End()
		t.minute, t.digest = minute, t.history.Minutes[minute]
	}
	t.digest.sum += sum
	t.digest.Count++
}

// End puts what was added into the history. It must be called before that is read.
func (t *Tally) End() {
	if t.digest.Count > 0 {
		t.history.Minutes[t.minute] = t.digest
	}
	t.minute, t.digest = -1, Digest{}
}

// Pending is the digests of what was handed over and is in no checkpoint yet, by batch: which of it a
// checkpoint will count is known only then. It has the events whose identities seen has, and no others, or a
// minute that is read again would be counted wrongly.
type Pending struct {
	batches []batchMinute
	batch   uint32 // that events are added to
	tally   *Tally // its events
}

type batchMinute struct {
	minute int64
	digest Digest
	batch  uint32
}

func NewPending() *Pending { return &Pending{tally: NewHistory().Tally()} }

// Add counts an event that the given batch carries, by what its id adds to sums.
func (u *Pending) Add(batch uint32, sum uint64, minute int64) {
	if batch != u.batch {
		u.end()
		u.batch = batch
	}
	u.tally.Add(sum, minute)
}

// end goes on to the next batch.
func (u *Pending) end() {
	u.tally.End()
	for minute, d := range u.tally.history.Minutes {
		u.batches = append(u.batches, batchMinute{minute, d, u.batch})
	}
	clear(u.tally.history.Minutes)
}

// Count adds the batches up to the given one to a history. They stay, so that a save that fails can be tried again.
func (u *Pending) Count(batch uint32, h *History) {
	u.end()
	for _, b := range u.batches {
		if b.batch <= batch {
			h.Minutes[b.minute] = h.Minutes[b.minute].Plus(b.digest)
		}
	}
}

// Counted forgets the batches up to the given one: they are in the checkpoint.
func (u *Pending) Counted(batch uint32) {
	u.forget(func(b batchMinute) bool { return b.batch <= batch })
}

// Revert forgets batches after the given one.
func (u *Pending) Revert(batch uint32) {
	u.forget(func(b batchMinute) bool { return b.batch > batch })
}

// Expire forgets minutes before floor.
func (u *Pending) Expire(floor time.Time) {
	first := MinuteOf(floor)
	u.forget(func(b batchMinute) bool { return b.minute < first })
}

func (u *Pending) forget(which func(batchMinute) bool) {
	u.end()
	u.batches = slices.DeleteFunc(u.batches, which)
}

// Clone lets a commit prepare the next history while the current one stays what is on disk.
func (h *History) Clone() *History { return &History{maps.Clone(h.Minutes)} }

// Apply adds to minutes what a re-read found to be missing there, or takes away what it did not find.
func (h *History) Apply(changes map[int64]Digest) { apply(h.Minutes, changes) }

func apply(digests, changes map[int64]Digest) {
	for at, change := range changes {
		if d := digests[at].Plus(change); d.Count > 0 {
			digests[at] = d
		} else {
			delete(digests, at)
		}
	}
}

// Merge adds the events of another history, of which none is in h.
func (h *History) Merge(other *History) {
	for minute, d := range other.Minutes {
		h.Minutes[minute] = h.Minutes[minute].Plus(d)
	}
}

// Expire forgets what reconciliation will not read again.
func (h *History) Expire(floor time.Time) {
	first := MinuteOf(floor)
	for minute := range h.Minutes {
		if minute < first {
			delete(h.Minutes, minute)
		}
	}
}

// Forget forgets the minutes from start up to end: what happened there is read and counted anew.
func (h *History) Forget(start, end time.Time) { forget(h.Minutes, MinuteOf(start), MinuteOf(end)) }

func forget(digests map[int64]Digest, first, last int64) {
	maps.DeleteFunc(digests, func(at int64, _ Digest) bool { return at >= first && at <= last })
}

// Limit forgets minutes after latest.
func (h *History) Limit(latest time.Time) {
	last := MinuteOf(latest)
	maps.DeleteFunc(h.Minutes, func(minute int64, _ Digest) bool { return minute > last })
}

const historyStored = 20 // bytes of a minute in the checkpoint: minute, sum, count

func (h *History) Store() []byte { return storeDigests(nil, h.Minutes) }

func storeDigests(out []byte, digests map[int64]Digest) []byte {
	out = slices.Grow(out, len(digests)*historyStored)
	for at, d := range digests {
		out = binary.LittleEndian.AppendUint64(out, uint64(at))
		out = binary.LittleEndian.AppendUint64(out, d.sum)
		out = binary.LittleEndian.AppendUint32(out, d.Count)
	}
	return out
}

func LoadHistory(stored []byte) (*History, error) {
	if len(stored)%historyStored != 0 {
		return nil, errors.New("the checkpoint's list of minutes has a torn entry")
	}
	return &History{loadDigests(stored)}, nil
}

func loadDigests(stored []byte) map[int64]Digest {
	digests := make(map[int64]Digest, len(stored)/historyStored)
	for ; len(stored) > 0; stored = stored[historyStored:] {
		digests[int64(binary.LittleEndian.Uint64(stored))] = Digest{
			sum:   binary.LittleEndian.Uint64(stored[8:]),
			Count: binary.LittleEndian.Uint32(stored[16:]),
		}
	}
	return digests
}
