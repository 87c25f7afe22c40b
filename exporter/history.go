package exporter

import (
	"encoding/binary"
	"errors"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// history holds a digest of every minute behind the checkpoint, so that reconciliation can tell whether a minute that is read again has
// events that were never handed over. A minute costs 20 bytes of the checkpoint, whatever happened in it: 24 hours
// are 28 KiB.
type history struct {
	minutes map[int64]digest // by Unix minute; a minute without events has none
}

// digest is the same for the same events in any order.
type digest struct {
	sum   uint64 // of the mixed ids
	count uint32
}

func newHistory() *history { return &history{minutes: make(map[int64]digest)} }

func minuteOf(t time.Time) int64 { return int64(eventSeconds(t)) / 60 }

// mix spreads an id before it is summed, so that sums of different sets differ.
func mix(id uint64) uint64 {
	hi, lo := bits.Mul64(id^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return hi ^ lo
}

// tally adds events to a history. Neighbours are mostly of one minute, which it looks up once for all of them.
type tally struct {
	history *history
	minute  int64
	digest  digest // of minute, newer than the history's
}

func (h *history) tally() *tally { return &tally{history: h, minute: -1} }

func (t *tally) add(id uint64, minute int64) {
	if minute != t.minute {
		t.end()
		t.minute, t.digest = minute, t.history.minutes[minute]
	}
	t.digest.sum += mix(id)
	t.digest.count++
}

// end puts what was added into the history. It must be called before that is read.
func (t *tally) end() {
	if t.digest.count > 0 {
		t.history.minutes[t.minute] = t.digest
	}
	t.minute, t.digest = -1, digest{}
}

// uncounted is the digests of what was handed over and is in no checkpoint yet, by batch: which of it a checkpoint will count is known only then.
// It has the events whose identities seen has, and no others, or a minute that is read again would be counted wrongly.
type uncounted struct {
	batches []batchMinute
	batch   uint32 // that events are added to
	tally   *tally // its events
}

type batchMinute struct {
	minute int64
	digest digest
	batch  uint32
}

func newUncounted() *uncounted { return &uncounted{tally: newHistory().tally()} }

// add counts an event that the given batch carries.
func (u *uncounted) add(batch uint32, id uint64, minute int64) {
	if batch != u.batch {
		u.end()
		u.batch = batch
	}
	u.tally.add(id, minute)
}

// end goes on to the next batch.
func (u *uncounted) end() {
	u.tally.end()
	for minute, d := range u.tally.history.minutes {
		u.batches = append(u.batches, batchMinute{minute, d, u.batch})
	}
	clear(u.tally.history.minutes)
}

// count adds the batches up to the given one to a history. They stay, so that a save that fails can be tried again.
func (u *uncounted) count(batch uint32, h *history) {
	u.end()
	for _, b := range u.batches {
		if b.batch <= batch {
			sum := h.minutes[b.minute]
			h.minutes[b.minute] = digest{sum.sum + b.digest.sum, sum.count + b.digest.count}
		}
	}
}

// counted forgets the batches up to the given one: they are in the checkpoint.
func (u *uncounted) counted(batch uint32) {
	u.forget(func(b batchMinute) bool { return b.batch <= batch })
}

// revert forgets batches after the given one.
func (u *uncounted) revert(batch uint32) {
	u.forget(func(b batchMinute) bool { return b.batch > batch })
}

// expire forgets minutes before floor.
func (u *uncounted) expire(floor time.Time) {
	first := minuteOf(floor)
	u.forget(func(b batchMinute) bool { return b.minute < first })
}

func (u *uncounted) forget(which func(batchMinute) bool) {
	u.end()
	u.batches = slices.DeleteFunc(u.batches, which)
}

// clone lets a commit prepare the next history while the current one stays what is on disk.
func (h *history) clone() *history { return &history{maps.Clone(h.minutes)} }

// replace takes over what a re-read found; minutes are those that were handed over again.
func (h *history) replace(minutes map[int64]digest) {
	for minute, d := range minutes {
		if d.count == 0 {
			delete(h.minutes, minute)
			continue
		}
		h.minutes[minute] = d
	}
}

// expire forgets what reconciliation will not read again.
func (h *history) expire(floor time.Time) {
	first := minuteOf(floor)
	for minute := range h.minutes {
		if minute < first {
			delete(h.minutes, minute)
		}
	}
}

const historyStored = 20 // bytes of a minute in the checkpoint: minute, sum, count

func (h *history) store() []byte {
	out := make([]byte, 0, len(h.minutes)*historyStored)
	for minute, d := range h.minutes {
		out = binary.LittleEndian.AppendUint64(out, uint64(minute))
		out = binary.LittleEndian.AppendUint64(out, d.sum)
		out = binary.LittleEndian.AppendUint32(out, d.count)
	}
	return out
}

func loadHistory(stored []byte) (*history, error) {
	if len(stored)%historyStored != 0 {
		return nil, errors.New("the checkpoint's list of minutes has a torn entry")
	}
	h := newHistory()
	for ; len(stored) > 0; stored = stored[historyStored:] {
		h.minutes[int64(binary.LittleEndian.Uint64(stored))] = digest{
			sum:   binary.LittleEndian.Uint64(stored[8:]),
			count: binary.LittleEndian.Uint32(stored[16:]),
		}
	}
	return h, nil
}
