package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// jsonString reads the text that one JSON string stands for, in the memory of one buffer. encoding/json would
// hold all of it, several times.
type jsonString struct {
	r      io.Reader
	buf    []byte
	start  int // buf[start:end] was read and not decoded yet
	end    int
	err    error  // why nothing more comes from r
	carry  []byte // of a decoded escape, what did not fit into the caller's slice
	escape [utf8.UTFMax]byte
	result error // what the string ended with
}

const jsonBytes = 32 << 10

// newJSONString reads the string whose opening quote was read from r. Its reader returns io.EOF when the
// string is closed and nothing but white space follows; errCut, wrapped, when r ends before; errNoExport,
// wrapped, for what is no JSON string.
func newJSONString(r io.Reader) *jsonString {
	return &jsonString{r: r, buf: make([]byte, jsonBytes)}
}

func (s *jsonString) Read(p []byte) (n int, err error) {
	for n < len(p) && s.result == nil {
		if len(s.carry) > 0 {
			copied := copy(p[n:], s.carry)
			s.carry = s.carry[copied:]
			n += copied
			continue
		}
		if s.start == s.end {
			if n > 0 {
				return n, nil // rather than wait for more
			}
			s.fill()
			continue
		}
		plain := plainPrefix(s.buf[s.start:s.end])
		copied := copy(p[n:], s.buf[s.start:s.start+plain])
		n += copied
		s.start += copied
		if copied == plain && s.start < s.end {
			s.special()
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, s.result
}

// plainPrefix is the length of what stands for itself: no quote, no backslash, no control character.
func plainPrefix(text []byte) int {
	for i, c := range text {
		if c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(text)
}

// special deals with the quote, escape or control character at start.
func (s *jsonString) special() {
	switch c := s.buf[s.start]; c {
	case '"':
		s.start++
		s.result = s.trailer()
	case '\\':
		r, size := decodeEscape(s.buf[s.start:s.end], s.err != nil)
		switch {
		case size > 0:
			s.start += size
			s.carry = utf8.AppendRune(s.escape[:0], r)
		case size == 0 && s.err == nil:
			s.fill()
		case size == 0:
			s.result = s.cut()
		default:
			s.result = fmt.Errorf(
				"%w: a JSON string with the wrong escape %s", ErrNoExport,
				logline.Excerpt(s.buf[s.start:s.end], 16),
			)
		}
	default:
		s.result = fmt.Errorf("%w: a JSON string with the control character 0x%02x", ErrNoExport, c)
	}
}

// fill reads more behind end.
func (s *jsonString) fill() {
	if s.err != nil {
		s.result = s.cut()
		return
	}
	s.end = copy(s.buf, s.buf[s.start:s.end])
	s.start = 0
	for range 100 {
		var n int
		n, s.err = s.r.Read(s.buf[s.end:])
		s.end += n
		if n > 0 || s.err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// cut is the error for a string without its closing quote.
func (s *jsonString) cut() error {
	if s.err == io.EOF {
		return fmt.Errorf("%w: inside a JSON string", ErrCut)
	}
	return s.err
}

// trailer reads what follows the closing quote.
func (s *jsonString) trailer() error {
	for {
		rest := bytes.TrimLeft(s.buf[s.start:s.end], " \t\r\n")
		if len(rest) > 0 {
			return fmt.Errorf("%w: a JSON string followed by %s", ErrNoExport, logline.Excerpt(rest, 64))
		}
		if s.err != nil {
			return s.err
		}
		s.start = s.end
		s.fill()
	}
}

var errEscape = errors.New("wrong escape")

// decodeEscape decodes the escape that text begins with. size is its length, 0 when text ends within it,
// negative when it is none. all says that nothing follows text. Half a surrogate pair becomes U+FFFD, as in
// encoding/json.
func decodeEscape(text []byte, all bool) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), text[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	first, err := hexEscape(text)
	switch {
	case err == io.ErrUnexpectedEOF:
		return 0, 0
	case err != nil:
		return 0, -1
	case !utf16.IsSurrogate(first):
		return first, 6
	}
	second, err := hexEscape(text[6:])
	if err == io.ErrUnexpectedEOF && !all {
		return 0, 0
	}
	if pair := utf16.DecodeRune(first, second); err == nil && pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hexEscape decodes \uXXXX. The error is io.ErrUnexpectedEOF when text ends within it.
func hexEscape(text []byte) (rune, error) {
	var r rune
	for i := range 6 {
		if i == len(text) {
			return 0, io.ErrUnexpectedEOF
		}
		c := text[i]
		switch {
		case i == 0 && c == '\\', i == 1 && c == 'u':
		case i < 2:
			return 0, errEscape
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, errEscape
		}
	}
	return r, nil
}
