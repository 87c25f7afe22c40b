package dedup

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// Stored is what a checkpoint keeps of what was handed over, each part as its Store wrote it.
type Stored struct{ Seen, Strays, Minutes, Hours []byte }

// Before returns what stays right when everything that happened at t or later is read and counted anew. t is a whole
// hour, and not after through, up to where all was handed over. What hours were issued with stays: only what becomes
// another digest is issued again.
func (s Stored) Before(t, through time.Time) (left Stored, err error) {
	hours, err := LoadHours(s.Hours, through)
	if err != nil {
		return left, err
	}
	minutes, err := LoadHistory(s.Minutes)
	if err != nil {
		return left, err
	}
	for _, of := range []struct {
		from []byte
		load func([]byte) error
	}{
		{s.Seen, func(b []byte) error { _, err := LoadSeen(b); return err }},
		{s.Strays, func(b []byte) error { _, err := LoadStrays(b, through); return err }},
	} {
		if err := of.load(of.from); err != nil {
			return left, err
		}
	}
	ever := time.Unix(math.MaxUint32, 0)
	minutes.Forget(t, ever)
	hours.Forget(t, ever)
	if hours.Since.After(t) {
		hours.Since = t
	}
	left = Stored{Seen: seenBefore(s.Seen, t), Minutes: minutes.Store(), Hours: hours.Store()}
	if len(s.Strays) > 0 {
		left.Strays = straysBefore(s.Strays, t)
	}
	return left, nil
}

// seenBefore are the stored entries of what happened before t.
func seenBefore(stored []byte, t time.Time) (left []byte) {
	second := event.Seconds(t)
	for ; len(stored) > 0; stored = stored[seenStored:] {
		if binary.LittleEndian.Uint32(stored[16:]) < second {
			left = append(left, stored[:seenStored]...)
		}
	}
	return left
}

// straysBefore also lets strays be known since t, and none of what happened later be given up.
func straysBefore(stored []byte, t time.Time) []byte {
	left := make([]byte, straysHeader)
	for at := 0; at < straysHeader; at += 8 {
		if was := storedTime(stored[at:]); !was.IsZero() {
			binary.LittleEndian.PutUint64(left[at:], uint64(min(was.Unix(), t.Unix())))
		}
	}
	return append(left, seenBefore(stored[straysHeader:], t)...)
}

// Check reports what is wrong with a part that no Store can have written.
func (s Stored) Check(through time.Time) error {
	_, err := s.Before(through, through)
	return err
}

// Counts are how much is stored.
type Counts struct {
	Seen, Strays, Minutes, Hours int
	Oldest                       time.Time // of what is seen, zero = nothing is
	FirstHour, LastHour          time.Time // that had events, zero = none had
}

// Count returns how much is stored.
func (s Stored) Count(through time.Time) (c Counts, err error) {
	hours, err := LoadHours(s.Hours, through)
	minutes, err2 := LoadHistory(s.Minutes)
	seen, err3 := LoadSeen(s.Seen)
	strays, err4 := LoadStrays(s.Strays, through)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return c, err
	}
	known := make(map[int64]bool)
	for hour := range hours.hours {
		known[hour] = true
	}
	for minute := range hours.minutes.Minutes {
		known[minute/60] = true
	}
	c = Counts{Seen: seen.Count, Strays: strays.seen.Count, Minutes: len(minutes.Minutes), Hours: len(known)}
	if oldest, ok := seen.Oldest(); ok {
		c.Oldest = oldest
	}
	for hour := range known {
		at := time.Unix(hour*3600, 0).UTC()
		if c.FirstHour.IsZero() || at.Before(c.FirstHour) {
			c.FirstHour = at
		}
		if at.After(c.LastHour) {
			c.LastHour = at
		}
	}
	return c, nil
}
