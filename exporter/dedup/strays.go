package dedup

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// Strays are the rows whose time does not say under which one the endpoint files them: bad rows, and rows
// that a window answered although their event_time lies outside. The digests of minutes cannot hold those, so
// each is remembered by its identity, 20 bytes in the checkpoint, for as long as reconciliation may read it
// again.
type Strays struct {
	seen *Seen
	// What was answered for a time before Since is not known: an earlier version collected it, or
	// reconciliation was off.
	Since time.Time
	// Strays of a time before Forgotten were too many, so that nothing before it can be compared.
	Forgotten time.Time
	latest    time.Time // end of a window that had one
	Off       bool      // reconciliation is: nothing needs to be remembered
}

const (
	maxStrays    = 100_000 // 2 MB of the checkpoint
	straysHeader = 16      // bytes before the entries: since and forgotten in Unix seconds, 0 = none
)

// LoadStrays reads what Store wrote. A checkpoint of an earlier version has none: what it had read up to through is
// not known then.
func LoadStrays(stored []byte, through time.Time) (*Strays, error) {
	if len(stored) == 0 {
		return &Strays{seen: new(Seen), Since: through}, nil
	}
	if len(stored) < straysHeader {
		return nil, errors.New("the checkpoint's list of strays is torn")
	}
	seen, err := LoadSeen(stored[straysHeader:])
	if err != nil {
		return nil, err
	}
	return &Strays{seen: seen, Since: storedTime(stored), Forgotten: storedTime(stored[8:])}, nil
}

func storedTime(stored []byte) time.Time {
	if seconds := int64(binary.LittleEndian.Uint64(stored)); seconds != 0 {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}

// Store returns what the checkpoint keeps of batches up to the given one: what was answered since floor, less if that
// is too much. It forgets nothing: that the checkpoint is saved is not certain yet.
func (s *Strays) Store(floor, through time.Time, batch uint32) []byte {
	since := s.Since
	if s.Off {
		since = through
	}
	out := make([]byte, straysHeader)
	floor, forgotten := s.bound(floor, through)
	for i, t := range []time.Time{since, forgotten} {
		if !t.IsZero() {
			binary.LittleEndian.PutUint64(out[8*i:], uint64(t.Unix()))
		}
	}
	return append(out, s.seen.Store(floor, batch)...)
}

// Note remembers a row that the given batch carries and that a window answered which ends at end.
func (s *Strays) Note(who Identity, end time.Time, batch uint32) {
	if !s.Off {
		s.latest = later(s.latest, end)
		s.seen.Mark(who, end, batch)
	}
}

// Has reports whether a row was handed over as a stray.
func (s *Strays) Has(who Identity) bool { return s.seen.Count > 0 && s.seen.Has(who) }

// Expire forgets what Store, with the same floor and through, did not keep of what was answered before floor, or that
// was too much.
func (s *Strays) Expire(floor, through time.Time) {
	floor, s.Forgotten = s.bound(floor, through)
	s.seen.Expire(floor)
}

// bound returns since when strays are kept, and before what time some were given up because there are too many: the
// older half of the time up to through, again and again.
func (s *Strays) bound(floor, through time.Time) (kept, forgotten time.Time) {
	kept, forgotten = floor, s.Forgotten
	if s.seen.Count <= maxStrays {
		return kept, forgotten
	}
	for span := through.Sub(floor) / 2; s.seen.since(kept) > maxStrays; span /= 2 {
		if span < time.Second { // they are of the windows since
			return time.Unix(math.MaxUint32, 0), later(through, s.latest)
		}
		forgotten = through.Add(-span).Truncate(time.Second)
		kept = forgotten
	}
	return kept, forgotten
}

// Revert forgets what batches after the given one carry.
func (s *Strays) Revert(batch uint32) { s.seen.Revert(batch) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
