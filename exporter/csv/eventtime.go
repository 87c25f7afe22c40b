package csv

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// parseEventTime reads an event_time; the result is UTC. The endpoint's documentation promises a date-time
// and not which, so this accepts
//
//   - 2026-01-31T23:59:59Z: the date and time of RFC 3339, with T, t or a space between them, seconds optional;
//   - behind it a fraction of any length, after a point or a comma; what is finer than a nanosecond is cut off;
//   - then the offset: Z, z, +01:00, +0100, +01 or UTC, a space before it or not; none means UTC;
//   - a date alone, which is its midnight in UTC (spreadsheet libraries write columns of midnights so);
//   - the time since 1970 as 9 to 11 digits of seconds, with a fraction or not, 12 to 14 of milliseconds,
//     15 to 17 of microseconds, 18 or 19 of nanoseconds;
//   - a date and time without separators, 202601312359[59[fraction]], see parseCompact;
//   - white space around all that.
//
// A leap second (…:60) becomes the last nanosecond of its minute, which keeps the order. Dates that no
// calendar has, hour 24 and offsets of 24 hours or more are refused. It allocates nothing.
func parseEventTime(b []byte) (time.Time, bool) {
	if t, ok := parseFixedTime(b); ok {
		return t, true
	}
	return parseAnyTime(b)
}

// timeParser reads event times that come one after the other. Neighbours are often of the same minute, of
// which it remembers the last.
type timeParser struct {
	lo, hi uint64 // the 16 bytes 2026-01-31T23:59 that a UTC time began with; 0 before the first one
	unix   int64  // that minute's beginning
}

// parse is parseEventTime.
func (p *timeParser) parse(b []byte) (time.Time, bool) {
	const minute = len("2026-01-31T23:59")
	if len(b) < minute+len(":59Z") || b[minute] != ':' || b[len(b)-1] != 'Z' {
		return parseEventTime(b)
	}
	lo, hi, second := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), twoDigits(b[minute+1:])
	if lo == p.lo && hi == p.hi && lo != 0 && second <= 59 {
		if nano, rest := fixedFraction(b[minute+3:]); len(rest) == 1 {
			return time.Unix(p.unix+int64(second), int64(nano)).UTC(), true
		}
	}
	t, ok := parseFixedTime(b)
	if !ok {
		return parseAnyTime(b)
	}
	p.lo, p.hi, p.unix = lo, hi, t.Unix()-int64(second)
	return t, true
}

// parseFixedTime reads the usual form, 2026-01-31T23:59:59[.999999999](Z|±hh:mm|), by position. What it does
// not take, parseAnyTime may.
func parseFixedTime(b []byte) (time.Time, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	century, year, month, day := twoDigits(b[0:]), twoDigits(b[2:]), twoDigits(b[5:]), twoDigits(b[8:])
	hour, minute, second := twoDigits(b[11:]), twoDigits(b[14:]), twoDigits(b[17:])
	if century > 99 || year > 99 || second > 59 {
		return time.Time{}, false
	}
	nano, rest := fixedFraction(b[19:])
	east := 0
	switch {
	case len(rest) == 0, len(rest) == 1 && rest[0] == 'Z':
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		hours, minutes := twoDigits(rest[1:]), twoDigits(rest[4:])
		if hours > 23 || minutes > 59 {
			return time.Time{}, false
		}
		east = hours*3600 + minutes*60
		if rest[0] == '-' {
			east = -east
		}
	default:
		return time.Time{}, false
	}
	return instant(century*100+year, month, day, hour, minute, second, nano, east)
}

// fixedFraction takes a point and one to nine digits from what follows a second, as nanoseconds. Anything
// else it leaves in rest.
func fixedFraction(b []byte) (nano int, rest []byte) {
	if len(b) < 2 || b[0] != '.' {
		return 0, b
	}
	n := 1
	for ; n < len(b) && n <= 9 && b[n]-'0' <= 9; n++ {
		nano = nano*10 + int(b[n]-'0')
	}
	if n == 1 {
		return 0, b
	}
	return nano * nanosPer[n-1], b[n:]
}

// nanosPer is how many nanoseconds the last of so many digits of a fraction counts.
var nanosPer = [...]int{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1}

// notDigits is larger than any two digits.
const notDigits = 1000

// twoDigits reads the number that b's first two bytes are, notDigits when they are none.
func twoDigits(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return notDigits
	}
	return int(tens)*10 + int(ones)
}

// instant is the time that a clock east seconds east of UTC shows so; ok is false when no clock and calendar can.
func instant(year, month, day, hour, minute, second, nano, east int) (t time.Time, ok bool) {
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return t, false
	}
	if second == 60 {
		second, nano = 59, 999_999_999
	}
	return time.Date(year, time.Month(month), day, hour, minute, second-east, nano, time.UTC), true
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	default:
		return 30 + (month+month>>3)&1
	}
}

// parseAnyTime reads every form that parseEventTime's comment names.
func parseAnyTime(b []byte) (time.Time, bool) {
	b = bytes.TrimSpace(b)
	if isCompact(b) {
		return parseCompact(b)
	}
	if t, ok := parseEpoch(b); ok {
		return t, true
	}
	s := timeScanner{rest: b}
	year := s.number(4)
	s.expect("-")
	month := s.number(2)
	s.expect("-")
	day := s.number(2)
	var hour, minute, second, nano, east int
	if len(s.rest) > 0 {
		s.expect("Tt ")
		hour = s.number(2)
		s.expect(":")
		minute = s.number(2)
		if s.accept(":") {
			second = s.number(2)
			if s.accept(".,") {
				nano = s.fraction()
			}
		}
		east = s.offset()
	}
	if s.wrong || len(s.rest) > 0 {
		return time.Time{}, false
	}
	return instant(year, month, day, hour, minute, second, nano, east)
}

// isCompact reports whether b is so many digits that as a time since 1970 it would lie before 2002 or after 2286, and
// begins with a year that audit events have: then it is a date, or nothing.
func isCompact(b []byte) bool {
	switch len(b) {
	case 12, 14, 15, 17, 18:
	default:
		return false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	year := twoDigits(b)*100 + twoDigits(b[2:])
	return 1970 <= year && year <= 2106
}

// parseCompact reads YYYYMMDDhhmm[ss[fraction]], which is UTC. What no calendar has is not taken for a time
// since 1970.
func parseCompact(b []byte) (time.Time, bool) {
	s := timeScanner{rest: b}
	year, month, day, hour, minute := s.number(4), s.number(2), s.number(2), s.number(2), s.number(2)
	var second, nano int
	if len(s.rest) > 0 {
		second = s.number(2)
	}
	if len(s.rest) > 0 {
		nano = s.fraction()
	}
	return instant(year, month, day, hour, minute, second, nano, 0)
}

// inRange reports whether a record can carry t: Fluent Bit has 32 bits for its seconds since 1970.
func inRange(t time.Time) bool { return uint64(t.Unix()) <= math.MaxUint32 }

// parseEpoch reads a time since 1970. The number of digits tells the unit: for each unit they cover 1973 to
// 2286 at least.
func parseEpoch(b []byte) (time.Time, bool) {
	s := timeScanner{rest: b}
	n, digits := int64(0), 0
	for ; digits < len(b) && digits < 19 && b[digits]-'0' <= 9; digits++ {
		n = n*10 + int64(b[digits]-'0')
	}
	s.rest = b[digits:]
	nano := 0
	if digits >= 9 && digits <= 11 && s.accept(".,") {
		nano = s.fraction()
	}
	if s.wrong || len(s.rest) > 0 || n < 0 {
		return time.Time{}, false
	}
	switch {
	case digits < 9:
		return time.Time{}, false
	case digits <= 11:
		return time.Unix(n, int64(nano)).UTC(), true
	case digits <= 14:
		return time.UnixMilli(n).UTC(), true
	case digits <= 17:
		return time.UnixMicro(n).UTC(), true
	default:
		return time.Unix(0, n).UTC(), true
	}
}

// timeScanner takes a time apart from its beginning. After a step that does not fit, wrong is true.
type timeScanner struct {
	rest  []byte
	wrong bool
}

// accept takes one of these bytes, if it is next.
func (s *timeScanner) accept(bytes string) bool {
	for i := range len(bytes) {
		if len(s.rest) > 0 && s.rest[0] == bytes[i] {
			s.rest = s.rest[1:]
			return true
		}
	}
	return false
}

func (s *timeScanner) expect(bytes string) {
	if !s.accept(bytes) {
		s.wrong = true
	}
}

// number takes a number of exactly so many digits.
func (s *timeScanner) number(digits int) int {
	n := 0
	for range digits {
		if len(s.rest) == 0 || s.rest[0]-'0' > 9 {
			s.wrong = true
			return 0
		}
		n = n*10 + int(s.rest[0]-'0')
		s.rest = s.rest[1:]
	}
	return n
}

// fraction takes the digits of a fraction, one at least, as nanoseconds.
func (s *timeScanner) fraction() int {
	nano, scale := s.number(1)*100_000_000, 10_000_000
	for len(s.rest) > 0 && s.rest[0]-'0' <= 9 {
		nano += int(s.rest[0]-'0') * scale
		scale /= 10
		s.rest = s.rest[1:]
	}
	return nano
}

// offset takes the offset from UTC, in seconds.
func (s *timeScanner) offset() int {
	s.accept(" ")
	sign := 1
	switch {
	case len(s.rest) == 0, s.accept("Zz"):
		return 0
	case bytes.EqualFold(s.rest, []byte("UTC")):
		s.rest = nil
		return 0
	case s.accept("-"):
		sign = -1
	default:
		s.expect("+")
	}
	hours, minutes := s.number(2), 0
	if s.accept(":") || len(s.rest) > 0 {
		minutes = s.number(2)
	}
	if hours > 23 || minutes > 59 {
		s.wrong = true
	}
	return sign * (hours*3600 + minutes*60)
}
