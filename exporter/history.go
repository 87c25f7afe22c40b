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
// events that were never handed over. A minute costs 12 bytes, whatever happened in it: 24 hours are 17 KiB.
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

// uncounted holds the digests of what was handed over and is in no checkpoint yet, by batch in rising order.
type uncounted []batchTally

type batchTally struct {
	batch uint32
	*tally
}

// add counts an event that the given batch carries: not before the last one's.
func (u *uncounted) add(batch uint32, id uint64, minute int64) {
	if n := len(*u); n == 0 || (*u)[n-1].batch != batch {
		*u = append(*u, batchTally{batch, newHistory().tally()})
		u.bound()
	}
	(*u)[len(*u)-1].add(id, minute)
}

// bound makes one of the two oldest when there are too many, since the checkpoint cannot move.
func (u *uncounted) bound() {
	if len(*u) <= maxFlights {
		return
	}
	second := (*u)[1]
	second.end()
	u.count(1, second.history)
	*u = slices.Delete(*u, 0, 1)
}

// upTo returns the number of batches up to the given one.
func (u uncounted) upTo(batch uint32) int {
	n := 0
	for n < len(u) && u[n].batch <= batch {
		n++
	}
	return n
}

// count adds the first n batches to a history.
func (u uncounted) count(n int, h *history) {
	for _, b := range u[:n] {
		b.end()
		for minute, d := range b.history.minutes {
			sum := h.minutes[minute]
			h.minutes[minute] = digest{sum.sum + d.sum, sum.count + d.count}
		}
	}
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
