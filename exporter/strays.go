package exporter

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// strays are the rows whose time does not say under which one the endpoint files them: bad rows, and rows
// that a window answered although their event_time lies outside. The digests of minutes cannot hold those, so
// each is remembered by its identity, 20 bytes in the checkpoint, for as long as reconciliation may read it
// again.
type strays struct {
	seen *dedup.Seen
	// What was answered for a time before since is not known: an earlier version collected it, or
	// reconciliation was off.
	since time.Time
	// Strays of a time before forgotten were too many, so that nothing before it can be compared.
	forgotten time.Time
	latest    time.Time // end of a window that had one
	off       bool      // reconciliation is: nothing needs to be remembered
}

const (
	maxStrays    = 100_000 // 2 MB of the checkpoint
	straysHeader = 16      // bytes before the entries: since and forgotten in Unix seconds, 0 = none
)

// loadStrays reads what store wrote. A checkpoint of an earlier version has none: what it had read up to through is
// not known then.
func loadStrays(stored []byte, through time.Time) (*strays, error) {
	if len(stored) == 0 {
		return &strays{seen: new(dedup.Seen), since: through}, nil
	}
	if len(stored) < straysHeader {
		return nil, errors.New("the checkpoint's list of strays is torn")
	}
	seen, err := dedup.LoadSeen(stored[straysHeader:])
	if err != nil {
		return nil, err
	}
	return &strays{seen: seen, since: storedTime(stored), forgotten: storedTime(stored[8:])}, nil
}

func storedTime(stored []byte) time.Time {
	if seconds := int64(binary.LittleEndian.Uint64(stored)); seconds != 0 {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}

// store returns what the checkpoint keeps of batches up to the given one: what was answered since floor.
func (s *strays) store(floor, through time.Time, batch uint32) []byte {
	since := s.since
	if s.off {
		since = through
	}
	out := make([]byte, straysHeader)
	for i, t := range []time.Time{since, s.forgotten} {
		if !t.IsZero() {
			binary.LittleEndian.PutUint64(out[8*i:], uint64(t.Unix()))
		}
	}
	return append(out, s.seen.Store(floor, batch)...)
}

// note remembers a row that the given batch carries and that a window answered which ends at end.
func (s *strays) note(who dedup.Identity, end time.Time, batch uint32) {
	if !s.off {
		s.latest = plan.Later(s.latest, end)
		s.seen.Mark(who, end, batch)
	}
}

// has reports whether a row was handed over as a stray.
func (s *strays) has(who dedup.Identity) bool { return s.seen.Count > 0 && s.seen.Has(who) }

// expire forgets what was answered before floor, and more if there are too many: the older half of the time up to
// through, again and again.
func (s *strays) expire(floor, through time.Time) {
	s.seen.Expire(floor)
	for span := through.Sub(floor) / 2; s.seen.Count > maxStrays; span /= 2 {
		s.forgotten = through.Add(-span).Truncate(time.Second)
		if span < time.Second { // they are of the windows since
			s.forgotten, s.seen = plan.Later(through, s.latest), new(dedup.Seen)
		}
		s.seen.Expire(s.forgotten)
	}
}
