package dedup

import (
	"encoding/binary"
	"errors"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Hours says hour by hour what was handed over, in a way that anybody can recompute from the event_ids in a SIEM: how
// many events, and the sum modulo 2^64 of the XXH3-64 hashes, seed 0, of event_id as it stands in the delivered record:
//
//	printf %s "$event_id" | xxhsum -H3
//
// SHA-256 would be at hand in more places, but costs 70 ns an event, a quarter of what a raw row costs in all.
//
// The hour is that of event_time. An event counts once, however many versions of it there were. Rows without an
// event_id and bad rows do not count, nor rows whose event_time lies behind the window that answered them or more than
// a day before it. The digests show what is lost, not what was forged: sums of chosen ids can be made equal.
//
// Minutes that reconciliation may still read are kept apart, and join their hour when they are older. An hour costs 20
// bytes of the checkpoint, whatever happened in it: 90 days are 43 KB.
type Hours struct {
	Since   time.Time        // what happened before is not known: an earlier version collected it; zero = all is known
	hours   map[int64]Digest // by Unix hour
	minutes *History
	issued  map[int64]issue // what the manifest said last
}

// issue is what the manifest said of an hour.
type issue struct {
	revision uint16
	check    uint32 // of the digest
}

// Hour is a line of the manifest.
type Hour struct {
	Start    time.Time
	Digest   Digest
	Revision uint16 // from 1 on; a higher one replaces a lower one
}

// Total returns for how many hours there are digests of events, and how many events these have.
func (h *Hours) Total() (hours int, events int64) {
	known := make(map[int64]bool, len(h.hours))
	for hour, d := range h.hours {
		known[hour] = true
		events += int64(d.Count)
	}
	for minute, d := range h.minutes.Minutes {
		known[minute/60] = true
		events += int64(d.Count)
	}
	return len(known), events
}

// HourOf is the Unix hour of a time.
func HourOf(t time.Time) int64 { return int64(event.Seconds(t)) / 3600 }

// NewHours are none yet, of a collection that begins now.
func NewHours() *Hours {
	return &Hours{hours: make(map[int64]Digest), minutes: NewHistory(), issued: make(map[int64]issue)}
}

const (
	hoursHeader  = 8 + 4 + 4 // bytes before the entries: since in Unix seconds, 0 = none; numbers of hours and minutes
	issuedStored = 8 + 2 + 4 // bytes of an hour that was issued: hour, revision, check
)

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
	hours := int64(binary.LittleEndian.Uint32(stored[8:])) * historyStored
	minutes := int64(binary.LittleEndian.Uint32(stored[12:])) * historyStored
	entries := stored[hoursHeader:]
	if left := int64(len(entries)) - hours - minutes; left < 0 || left%issuedStored != 0 {
		return nil, errTornHours
	}
	h.Since = storedTime(stored)
	h.hours, h.minutes.Minutes = loadDigests(entries[:hours]), loadDigests(entries[hours:hours+minutes])
	for entries = entries[hours+minutes:]; len(entries) > 0; entries = entries[issuedStored:] {
		h.issued[int64(binary.LittleEndian.Uint64(entries))] = issue{
			binary.LittleEndian.Uint16(entries[8:]), binary.LittleEndian.Uint32(entries[10:]),
		}
	}
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
	binary.LittleEndian.PutUint32(out[12:], uint32(len(h.minutes.Minutes)))
	out = storeDigests(storeDigests(out, h.hours), h.minutes.Minutes)
	for hour, i := range h.issued {
		out = binary.LittleEndian.AppendUint64(out, uint64(hour))
		out = binary.LittleEndian.AppendUint16(out, i.revision)
		out = binary.LittleEndian.AppendUint32(out, i.check)
	}
	return out
}

// Clone lets a commit prepare the next digests while the current ones stay what is on disk.
func (h *Hours) Clone() *Hours {
	return &Hours{
		Since: h.Since, hours: maps.Clone(h.hours), minutes: h.minutes.Clone(), issued: maps.Clone(h.issued),
	}
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
	maps.DeleteFunc(h.issued, func(at int64, _ issue) bool { return at < hour })
}

// Due returns up to most hours from start up to end of which the manifest says nothing yet, or something else, the
// oldest first. Hours without events are left out, unless they had some.
func (h *Hours) Due(start, end time.Time, most int) (due []Hour) {
	for at := start; at.Before(end) && len(due) < most; at = at.Add(time.Hour) {
		d, was := h.Of(HourOf(at)), h.issued[HourOf(at)]
		if (d.Count > 0 || was.revision > 0) && (was.revision == 0 || was.check != d.check()) {
			due = append(due, Hour{at, d, was.revision + 1})
		}
	}
	return due
}

// Issue notes that the manifest says so.
func (h *Hours) Issue(hours []Hour) {
	for _, hour := range hours {
		h.issued[HourOf(hour.Start)] = issue{hour.Revision, hour.Digest.check()}
	}
}

// check tells digests apart, but for one in four billions.
func (d Digest) check() uint32 { return uint32(d.sum>>32) ^ uint32(d.sum) + d.Count }

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

// PublishedID is what an event_id adds to the sum of its hour. Each byte that is part of no rune counts as U+FFFD,
// which the record has in its place.
func PublishedID(id []byte) uint64 { return publishedID(id, false) }

// publishedID takes an id that is known to be ASCII as it is.
func publishedID(id []byte, ascii bool) uint64 {
	if !ascii && !utf8.Valid(id) {
		id = []byte(string([]rune(string(id))))
	}
	return xxh3.Hash(id)
}

// Published returns PublishedID of a row whose identity is who; ok is false for a row without an event_id, or one that
// cannot be read whole.
func (x *Identifier) Published(r *event.Row, who Identity) (sum uint64, ok bool) {
	id := r.Value(event.EventID)
	switch {
	case r.Bad != "" || len(id) == 0 || isPlaceholder(id):
		return 0, false
	case len(x.shared.ids) > 0 && xxh3.HashSeed(id, x.key) != who.ID: // see idOf
		return 0, false
	}
	return publishedID(id, r.ASCII), true
}
