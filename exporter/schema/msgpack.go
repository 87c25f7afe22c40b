package schema

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
)

// This file writes the few msgpack types that a Fluent Bit record needs, appending to a buffer and allocating
// nothing else. fluent-bit-go's encoder goes through reflection and a map for each row, which costs more than
// everything else together (see the benchmarks).

// AppendEventHeader starts an event in the engine's form [timestamp, record]; the record's map must follow.
// The timestamp is Fluent Bit's EventTime: fixext8 of type 0, seconds and nanoseconds big-endian, both 32
// bits wide.
func AppendEventHeader(dst []byte, t time.Time) []byte {
	dst = append(dst, 0x92, 0xd7, 0x00)
	dst = binary.BigEndian.AppendUint32(dst, event.Seconds(t))
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

func appendMapHeader(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x80|byte(n))
	}
	return append(dst, 0xde, byte(n>>8), byte(n))
}

func appendArrayHeader(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x90|byte(n))
	}
	return append(dst, 0xdc, byte(n>>8), byte(n))
}

func appendStringHeader(dst []byte, n int) []byte {
	switch {
	case n < 32:
		return append(dst, 0xa0|byte(n))
	case n < 1<<8:
		return append(dst, 0xd9, byte(n))
	case n < 1<<16:
		return append(dst, 0xda, byte(n>>8), byte(n))
	default:
		return append(dst, 0xdb, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

func appendString[T string | []byte](dst []byte, s T) []byte {
	return append(appendStringHeader(dst, len(s)), s...)
}

// appendText appends a value that came from outside: each byte that is part of no rune becomes U+FFFD, since
// outputs refuse them or worse.
func appendText(dst, s []byte) []byte {
	if utf8.Valid(s) {
		return appendString(dst, s)
	}
	size := 0
	for rest := s; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		size += utf8.RuneLen(r)
		rest = rest[n:]
	}
	dst = appendStringHeader(dst, size)
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
	return dst
}

func appendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0 && n < 128:
		return append(dst, byte(n))
	case n >= -32 && n < 0:
		return append(dst, byte(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(n))
	}
}
