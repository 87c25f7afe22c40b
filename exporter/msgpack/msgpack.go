// Package msgpack reads what the encoder wrote: it cuts a batch into its records and shows a record to a person. It
// imports nothing of the plugin.
package msgpack

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// ErrMalformed says that bytes are no msgpack.
var ErrMalformed = errors.New("malformed msgpack")

// maxDepth is how deep values may be nested; records have four levels.
const maxDepth = 64

// Ends returns the offset behind each of the values that stand one after the other in data.
func Ends(data []byte) (ends []int, err error) {
	for at := 0; at < len(data); {
		rest, err := walk(data[at:], nil, 0)
		if err != nil {
			return nil, err
		}
		at = len(data) - len(rest)
		ends = append(ends, at)
	}
	return ends, nil
}

// JSON returns the first value in data as JSON. Keys keep their order; binary data is base64, an extension
// its bytes in base64.
func JSON(data []byte) ([]byte, error) {
	text := []byte{}
	_, err := walk(data, &text, 0)
	return text, err
}

// Elements returns the elements of the array in data, each as msgpack.
func Elements(data []byte) (elements [][]byte, err error) {
	h, rest, err := head(data)
	if err != nil || h.kind != array {
		return nil, errors.Join(err, ErrMalformed)
	}
	for range h.size {
		after, err := walk(rest, nil, 0)
		if err != nil {
			return nil, err
		}
		elements = append(elements, rest[:len(rest)-len(after)])
		rest = after
	}
	return elements, nil
}

type kind int

const (
	scalar kind = iota // text is its JSON
	text
	binaryData
	array
	object
)

// header is what the first bytes of a value say.
type header struct {
	kind kind
	size int    // bytes that follow, or elements
	text string // of a scalar
}

// walk goes over a value and returns what follows it. With out it appends the value's JSON to it.
func walk(data []byte, out *[]byte, depth int) (rest []byte, err error) {
	h, rest, err := head(data)
	if err != nil || depth > maxDepth {
		return nil, errors.Join(err, ErrMalformed)
	}
	switch h.kind {
	case array:
		return elements(rest, h.size, "[]", out, depth)
	case object:
		return elements(rest, 2*h.size, "{}", out, depth)
	case text, binaryData:
		if h.size > len(rest) {
			return nil, ErrMalformed
		}
		value := string(rest[:h.size])
		if h.kind == binaryData {
			value = base64.StdEncoding.EncodeToString(rest[:h.size])
		}
		if out != nil {
			*out = appendString(*out, value)
		}
		return rest[h.size:], nil
	}
	if out != nil {
		*out = append(*out, h.text...)
	}
	return rest, nil
}

// elements goes over n values; those of an object are keys and values in turn.
func elements(rest []byte, n int, marks string, out *[]byte, depth int) ([]byte, error) {
	put := func(mark byte) {
		if out != nil {
			*out = append(*out, mark)
		}
	}
	put(marks[0])
	for i := range n {
		switch {
		case i > 0 && marks == "{}" && i%2 == 1:
			put(':')
		case i > 0:
			put(',')
		}
		var err error
		if rest, err = walk(rest, out, depth+1); err != nil {
			return nil, err
		}
	}
	put(marks[1])
	return rest, nil
}

func appendString(dst []byte, s string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false) // it is no HTML
	_ = encoder.Encode(s)        // a string never fails
	return append(dst, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

// head reads the first bytes of a value.
func head(data []byte) (h header, rest []byte, err error) {
	if len(data) == 0 {
		return h, nil, ErrMalformed
	}
	first, rest := data[0], data[1:]
	switch {
	case first < 0x80:
		return header{text: strconv.Itoa(int(first))}, rest, nil
	case first < 0x90:
		return header{kind: object, size: int(first & 0x0f)}, rest, nil
	case first < 0xa0:
		return header{kind: array, size: int(first & 0x0f)}, rest, nil
	case first < 0xc0:
		return header{kind: text, size: int(first & 0x1f)}, rest, nil
	case first >= 0xe0:
		return header{text: strconv.Itoa(int(int8(first)))}, rest, nil
	}
	return longHead(first, rest)
}

// longHead reads a value whose first byte is its type alone.
func longHead(first byte, rest []byte) (h header, after []byte, err error) {
	switch first {
	case 0xc0:
		return header{text: "null"}, rest, nil
	case 0xc2:
		return header{text: "false"}, rest, nil
	case 0xc3:
		return header{text: "true"}, rest, nil
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext: a type and so many bytes
		return header{kind: binaryData, size: 1 + 1<<(first-0xd4)}, rest, nil
	}
	form, known := forms[first]
	if !known || len(rest) < form.width {
		return h, nil, ErrMalformed
	}
	var wide [8]byte
	copy(wide[8-form.width:], rest)
	n, after := binary.BigEndian.Uint64(wide[:]), rest[form.width:]
	if form.show != nil {
		return header{text: form.show(n)}, after, nil
	}
	size := n + uint64(form.more)  // an int of 32 bits would become negative
	if size > uint64(len(after)) { // each element takes a byte at least
		return h, nil, ErrMalformed
	}
	return header{kind: form.kind, size: int(size)}, after, nil
}

// form is how a type is written: so many bytes of a number, which is the value or says how much follows.
type form struct {
	width int
	kind  kind
	more  int // bytes that follow besides
	show  func(uint64) string
}

var forms = map[byte]form{
	0xc4: {1, binaryData, 0, nil}, 0xc5: {2, binaryData, 0, nil}, 0xc6: {4, binaryData, 0, nil},
	0xc7: {1, binaryData, 1, nil}, 0xc8: {2, binaryData, 1, nil}, 0xc9: {4, binaryData, 1, nil},
	0xca: {width: 4, show: func(n uint64) string { return float(float64(math.Float32frombits(uint32(n)))) }},
	0xcb: {width: 8, show: func(n uint64) string { return float(math.Float64frombits(n)) }},
	0xcc: {width: 1, show: unsigned}, 0xcd: {width: 2, show: unsigned},
	0xce: {width: 4, show: unsigned}, 0xcf: {width: 8, show: unsigned},
	0xd0: {width: 1, show: func(n uint64) string { return signed(int64(int8(n))) }},
	0xd1: {width: 2, show: func(n uint64) string { return signed(int64(int16(n))) }},
	0xd2: {width: 4, show: func(n uint64) string { return signed(int64(int32(n))) }},
	0xd3: {width: 8, show: func(n uint64) string { return signed(int64(n)) }},
	0xd9: {1, text, 0, nil}, 0xda: {2, text, 0, nil}, 0xdb: {4, text, 0, nil},
	0xdc: {2, array, 0, nil}, 0xdd: {4, array, 0, nil},
	0xde: {2, object, 0, nil}, 0xdf: {4, object, 0, nil},
}

func unsigned(n uint64) string { return strconv.FormatUint(n, 10) }

func signed(n int64) string { return strconv.FormatInt(n, 10) }

// float is null where JSON has no such number.
func float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "null"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
