package dedup

import (
	"encoding/binary"
	"errors"
	"maps"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Hours says hour by hour what was handed over, in a way that anybody can recompute from the event_ids in a SIEM: how
// many events, and the sum modulo 2^64 of the XXH3-64 hashes (seed 0) of their event_ids. The hour is that of
// event_time. An event counts once, however many versions of it there were. Rows without an event_id and bad rows do
// not count, nor rows whose event_time lies behind the window that answered them or more than a day before it. XXH3 is
// no cryptographic hash: the digests show what is lost, not what was forged.
//
// Minutes that reconciliation may still read are kept apart, and join their hour when they are older. An hour costs 20
// bytes of the checkpoint, whatever happened in it: 90 days are 43 KB.
type Hours struct {
	Since   time.Time        // what happened before is not known: an earlier version collected it; zero = all is known
	hours   map[int64]Digest // by Unix hour
	minutes *History
}

// HourOf is the Unix hour of a time.
func HourOf(t time.Time) int64 { return int64(event.Seconds(t)) / 3600 }

// NewHours are none yet, of a collection that begins now.
func NewHours() *Hours { return &Hours{hours: make(map[int64]Digest), minutes: NewHistory()} }

const hoursHeader = 8 + 4 // bytes before the entries: since in Unix seconds, 0 = none, and the number of hours

// LoadHours reads what Store wrote. A checkpoint of an earlier version has none: what it had read up to through is not
// known then.
func LoadHours(stored []byte, through time.Time) (*Hours, error) {
	h := NewHours()
	if len(stored) == 0 {
		h.Since = through
		return h, nil
	}
	if len(stored) < hoursHeader {
		return nil, errTornHours
	}
	n, entries := int64(binary.LittleEndian.Uint32(stored[8:])), stored[hoursHeader:]
	if len(entries)%historyStored != 0 || n*historyStored > int64(len(entries)) {
		return nil, errTornHours
	}
	h.Since = storedTime(stored)
	h.hours, h.minutes.Minutes = loadDigests(entries[:n*historyStored]), loadDigests(entries[n*historyStored:])
	return h, nil
}

var errTornHours = errors.New("the checkpoint's list of hours is torn")

// Store returns what the checkpoint keeps.
func (h *Hours) Store() []byte {
	out := make([]byte, hoursHeader)
	if !h.Since.IsZero() {
		binary.LittleEndian.PutUint64(out, uint64(h.Since.Unix()))
	}
	binary.LittleEndian.PutUint32(out[8:], uint32(len(h.hours)))
	return storeDigests(storeDigests(out, h.hours), h.minutes.Minutes)
}

// Clone lets a commit prepare the next digests while the current ones stay what is on disk.
func (h *Hours) Clone() *Hours {
	return &Hours{Since: h.Since, hours: maps.Clone(h.hours), minutes: h.minutes.Clone()}
}

// Count adds what batches up to the given one carry.
func (h *Hours) Count(u *Pending, batch uint32) { u.Count(batch, h.minutes) }

// Apply adds what re-reads found to be missing: by minute, and by hour.
func (h *Hours) Apply(minutes, hours map[int64]Digest) {
	h.minutes.Apply(minutes)
	apply(h.hours, hours)
}

// Fold lets minutes before floor join their hour, and forgets hours before oldest.
func (h *Hours) Fold(floor, oldest time.Time) {
	first := MinuteOf(floor)
	for minute, d := range h.minutes.Minutes {
		if minute < first {
			h.hours[minute/60] = h.hours[minute/60].Plus(d)
			delete(h.minutes.Minutes, minute)
		}
	}
	hour := HourOf(oldest)
	maps.DeleteFunc(h.hours, func(at int64, _ Digest) bool { return at < hour })
}

// Forget forgets the minutes and hours from start up to end: what happened there is read and counted anew.
func (h *Hours) Forget(start, end time.Time) {
	h.minutes.Forget(start, end)
	forget(h.hours, HourOf(start), HourOf(end))
}

// Of is the digest of an hour.
func (h *Hours) Of(hour int64) Digest {
	d := h.hours[hour]
	for minute := hour * 60; minute < hour*60+60; minute++ {
		d = d.Plus(h.minutes.Minutes[minute])
	}
	return d
}

// Minute is the digest of a minute that has not joined its hour.
func (h *Hours) Minute(minute int64) Digest { return h.minutes.Minutes[minute] }

// PublishedID is what an event_id adds to the sum of its hour.
func PublishedID(id []byte) uint64 { return xxh3.Hash(id) }

// Published returns PublishedID of a row whose identity is who; ok is false for a row without an event_id, or one that
// cannot be read whole.
func (x *Identifier) Published(r *event.Row, who Identity) (sum uint64, ok bool) {
	id := r.Value(event.EventID)
	if r.Bad != "" || len(id) == 0 || xxh3.HashSeed(id, x.key) != who.ID {
		return 0, false
	}
	return PublishedID(id), true
}
