// Package records reads what the plugin hands over as the engine would, for tests. It is an independent
// reading of the msgpack specification, not the encoder's mirror image.
package records

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// Event is one event as the engine would read it.
type Event struct {
	Time   time.Time
	Record map[string]any // strings, bools, nil, int64, float64, map[string]any, []any
}

// Events reads a batch as the engine does: events [EventTime, map] one after the other. It is strict where
// the engine is: a key must be a string, keys must be unique, strings must be UTF-8 and nothing may be left
// over.
func Events(t testing.TB, batch []byte) []Event {
	t.Helper()
	var events []Event
	d := decoder{rest: batch}
	for len(d.rest) > 0 {
		event, err := d.event()
		require.NoError(t, err, "event %d, %d bytes before the end", len(events), len(d.rest))
		events = append(events, event)
	}
	return events
}

// Record reads one record without an event's header.
func Record(t testing.TB, record []byte) map[string]any {
	t.Helper()
	d := decoder{rest: record}
	value, err := d.value()
	require.NoError(t, err)
	require.Empty(t, d.rest, "bytes after the record")
	require.IsType(t, map[string]any{}, value)
	return value.(map[string]any)
}

// decoder is an independent reading of the msgpack specification, not the encoder's mirror image.
type decoder struct{ rest []byte }

func (d *decoder) take(n int) ([]byte, error) {
	if n > len(d.rest) {
		return nil, fmt.Errorf("cut: %d bytes wanted, %d left", n, len(d.rest))
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken, nil
}

// number takes a big-endian number of size bytes.
func (d *decoder) number(size int) (uint64, error) {
	b, err := d.take(size)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[8-size:], b)
	return binary.BigEndian.Uint64(wide[:]), nil
}

func (d *decoder) event() (Event, error) {
	header, err := d.take(3)
	if err != nil {
		return Event{}, err
	}
	if header[0] != 0x92 || header[1] != 0xd7 || header[2] != 0 {
		return Event{}, fmt.Errorf("no event header: % x", header)
	}
	stamp, err := d.number(8)
	if err != nil {
		return Event{}, err
	}
	value, err := d.value()
	if err != nil {
		return Event{}, err
	}
	record, ok := value.(map[string]any)
	if !ok {
		return Event{}, fmt.Errorf("record is a %T", value)
	}
	return Event{Time: time.Unix(int64(stamp>>32), int64(stamp&math.MaxUint32)).UTC(), Record: record}, nil
}

func (d *decoder) value() (any, error) {
	b, err := d.take(1)
	if err != nil {
		return nil, err
	}
	switch kind := b[0]; {
	case kind < 0x80:
		return int64(kind), nil
	case kind < 0x90:
		return d.mapping(int(kind & 0x0f))
	case kind < 0xa0:
		return d.array(int(kind & 0x0f))
	case kind < 0xc0:
		return d.text(int(kind & 0x1f))
	case kind >= 0xe0:
		return int64(int8(kind)), nil
	default:
		return d.wide(kind)
	}
}

// wide reads what has its type in a byte of its own.
func (d *decoder) wide(kind byte) (any, error) {
	switch kind {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return kind == 0xc3, nil
	case 0xca:
		n, err := d.number(4)
		return float64(math.Float32frombits(uint32(n))), err
	case 0xcb:
		n, err := d.number(8)
		return math.Float64frombits(n), err
	case 0xcc, 0xcd, 0xce, 0xcf:
		n, err := d.number(1 << (kind - 0xcc))
		return int64(n), err
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := 1 << (kind - 0xd0)
		n, err := d.number(size)
		shift := 64 - 8*size
		return int64(n<<shift) >> shift, err
	case 0xd9, 0xda, 0xdb:
		return sized(d, 1<<(kind-0xd9), d.text)
	case 0xdc, 0xdd:
		return sized(d, 2<<(kind-0xdc), d.array)
	case 0xde, 0xdf:
		return sized(d, 2<<(kind-0xde), d.mapping)
	default:
		return nil, fmt.Errorf("type 0x%02x is not for records", kind)
	}
}

func sized(d *decoder, size int, read func(int) (any, error)) (any, error) {
	n, err := d.number(size)
	if err != nil {
		return nil, err
	}
	return read(int(n))
}

func (d *decoder) text(n int) (any, error) {
	b, err := d.take(n)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("no UTF-8: %q", b)
	}
	return string(b), nil
}

func (d *decoder) array(n int) (any, error) {
	values := []any{}
	for range n {
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (d *decoder) mapping(n int) (any, error) {
	record := map[string]any{}
	for range n {
		key, err := d.value()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("key is a %T", key)
		}
		if _, twice := record[name]; twice {
			return nil, fmt.Errorf("key %q twice", name)
		}
		if record[name], err = d.value(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return record, nil
}
