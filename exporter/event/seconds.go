package event

import (
	"math"
	"time"
)

// Seconds clamps to what EventTime can say, 1970 to 2106. The exact text stays in the record's own field.
func Seconds(t time.Time) uint32 {
	switch seconds := t.Unix(); {
	case seconds < 0:
		return 0
	case seconds > 1<<32-1:
		return 1<<32 - 1
	default:
		return uint32(seconds)
	}
}

// Nanos is t in nanoseconds since 1970, clamped to what fits, 1677 to 2262: what is done with each row takes a third as
// long with it as with time.Time.
func Nanos(t time.Time) int64 {
	const most = math.MaxInt64/int64(time.Second) - 1
	switch seconds := t.Unix(); {
	case seconds > most:
		return math.MaxInt64
	case seconds < -most:
		return math.MinInt64
	default:
		return seconds*int64(time.Second) + int64(t.Nanosecond())
	}
}

// Span is a range of time that rows are compared with, both ends included, as Nanos gives them.
type Span struct{ First, Last int64 }

// SpanOf is the range from start to end.
func SpanOf(start, end time.Time) Span { return Span{Nanos(start), Nanos(end)} }

// Has reports whether a time, as Nanos gives it, lies in the range.
func (s Span) Has(at int64) bool { return s.First <= at && at <= s.Last }
