// Package body turns the body of an answer into CSV text: gzip, a byte order mark, CSV inside a JSON string.
// What is no export at all is told from one that was cut.
package body

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// This file is what stands between a response's body and the CSV in it. The endpoint's documentation does not
// say how the CSV comes: it may be compressed, begin with a byte order mark, or be one JSON string, since the
// OpenAPI text claims application/json. And with status 200 may come what is no export at all.

const (
	peekBytes     = 16 << 10 // enough to see a CSV's first column name
	MaxErrorBytes = 64 << 10 // an error object is not looked for in more
	maxExcerpt    = 200      // bytes of a foreign body in an error
)

var (
	UTF8BOM   = []byte("\xef\xbb\xbf")
	utf16BOMs = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// Open returns the CSV in a body. It reads the body's beginning. The reader it returns ends with io.EOF only
// where the body is whole: a compressed body with a right checksum, a JSON string with its closing quote and
// nothing behind.
func Open(r io.Reader, contentEncoding, contentType string) (io.Reader, error) {
	if err := known(contentEncoding); err != nil {
		return nil, err
	}
	p, zipped := &peeker{r: r}, false
	for {
		if len(p.head) == 1 && p.err == nil {
			p.more() // two bytes tell what gzip is
		}
		if !zipped && bytes.HasPrefix(p.head, gzipMagic) { // whatever the header says, or does not say
			z, err := unzip(p)
			if err != nil {
				return nil, err
			}
			p, zipped = &peeker{r: z}, true
			continue
		}
		head := bytes.TrimPrefix(p.head, UTF8BOM)
		switch formOf(head, isJSON(contentType), p.err != nil || len(p.head) >= peekBytes) {
		case formUnknown:
			p.more()
		case formJSONString:
			p.head = head[bytes.IndexByte(head, '"')+1:]
			return newJSONString(p), nil
		default:
			if saysNothing(p) {
				return nil, ErrEmptyBody
			}
			return p, nil
		}
	}
}

var gzipMagic = []byte{0x1f, 0x8b}

func unzip(r io.Reader) (io.Reader, error) {
	m := &members{from: bufio.NewReaderSize(r, 32<<10)}
	var err error
	if m.member, err = gzip.NewReader(m.from); err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	m.member.Multistream(false)
	return m, nil
}

// members reads the members of a gzip file one after the other. Zeros behind one are padding, as for gzip itself; Go's
// reader would take them for a member that was cut.
type members struct {
	from   *bufio.Reader
	member *gzip.Reader
}

func (m *members) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if n, err = m.member.Read(p); err == io.EOF {
			err = m.next()
		}
	}
	return n, err
}

// next goes on with the next member. It returns io.EOF if there is none.
func (m *members) next() error {
	for {
		first, err := m.from.ReadByte()
		if err != nil {
			return err
		}
		if first != 0 {
			break
		}
	}
	if err := m.from.UnreadByte(); err != nil {
		return err
	}
	err := m.member.Reset(m.from)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	m.member.Multistream(false)
	return err
}

// maxNothing is more than the JSON of an empty result takes.
const maxNothing = 256

// saysNothing reports whether a body is JSON for a range without events: [], {}, null, or an object of empty
// lists such as {"events":[]}.
func saysNothing(p *peeker) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(p.head, UTF8BOM), " \t\r\n")
	if len(text) == 0 || bytes.IndexByte([]byte("[{n"), text[0]) < 0 {
		return false
	}
	for p.err == nil && len(p.head) < maxNothing {
		p.more()
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(p.head, UTF8BOM))
	if p.err != io.EOF || len(text) > maxNothing {
		return false
	}
	switch string(text) {
	case "[]", "null":
		return true
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return false
	}
	for _, value := range object {
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil || list == nil || len(list) > 0 {
			return false
		}
	}
	return true
}

// known refuses content encodings that nobody asked for. gzip is told by its first bytes; it may have several
// members, and Go's reader takes a cut or a wrong checksum for an error.
func known(contentEncoding string) error {
	switch strings.ToLower(strings.TrimSpace(contentEncoding)) {
	case "", "identity", "gzip", "x-gzip":
		return nil
	default:
		return fmt.Errorf(
			"%w: it has the content encoding %q, which was not asked for", ErrNoExport,
			logline.Excerpt([]byte(contentEncoding), 64),
		)
	}
}

type bodyForm int

const (
	formUnknown    bodyForm = iota // more must be seen
	formCSV                        // or anything else that the decoder will judge
	formJSONString                 // CSV as one JSON string
)

// formOf decides by a body's beginning. all says that no more will be seen of it.
//
// CSV with every field quoted begins with a quote too: "event_id","event_time". There a comma follows the
// closing quote, which cannot follow a JSON string; and a JSON string has no line end in it as it stands.
// What is one quoted text and nothing more would, as CSV, be a header of one column, so reading it as JSON
// loses nothing.
func formOf(head []byte, isJSON, all bool) bodyForm {
	if !all && len(head) < len(UTF8BOM) && bytes.HasPrefix(UTF8BOM, head) {
		return formUnknown
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	if len(text) == 0 || text[0] != '"' {
		if len(text) == 0 && !all {
			return formUnknown
		}
		return formCSV
	}
	escapedLineEnd := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			escapedLineEnd = escapedLineEnd || text[i] == 'n'
		case c < 0x20:
			return formCSV
		case c == '"':
			return formAfterString(text[i+1:], isJSON || escapedLineEnd, all)
		}
	}
	if all {
		return formJSONString
	}
	return formUnknown
}

// formAfterString decides by what follows a quoted text that may be a JSON string.
func formAfterString(rest []byte, likelyJSON, all bool) bodyForm {
	after := bytes.TrimLeft(rest, " \t\r\n")
	switch {
	case len(after) == 0 && !all:
		return formUnknown
	case len(after) == 0:
		return formJSONString
	case after[0] == ',', len(rest) == len(after) && after[0] == '"':
		return formCSV
	case likelyJSON:
		return formJSONString // and garbage behind it, which its reader will not take
	default:
		return formCSV
	}
}

func isJSON(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// peeker gives out again what was looked at, errors included.
type peeker struct {
	r    io.Reader
	head []byte
	err  error
}

// more reads on into head.
func (p *peeker) more() {
	if p.head == nil {
		p.head = make([]byte, 0, peekBytes)
	}
	for range 100 {
		n, err := p.r.Read(p.head[len(p.head):cap(p.head)])
		p.head, p.err = p.head[:len(p.head)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	p.err = io.ErrNoProgress
}

func (p *peeker) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.r.Read(b)
}

// LooksForeign tells by a body's first character that it is JSON or markup, which no header begins with.
func LooksForeign(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && bytes.IndexByte([]byte("<{["), text[0]) >= 0
}

// NoExport is the error for a body that begins with text.
func NoExport(text []byte) error {
	for _, bom := range utf16BOMs {
		if bytes.HasPrefix(text, bom) {
			return fmt.Errorf("%w: it is UTF-16", ErrNoExport)
		}
	}
	refusal := &source.APIError{Status: http.StatusOK}
	if codes, understood := refusal.Parse(text); understood {
		// An error object with status 200 is what its code says: a window that is too large must shrink.
		refusal.Class = source.ClassOfStatus(http.StatusOK, codes)
		refusal.Redact(func(text string) string { return text })
		return fmt.Errorf("%w: %w", ErrNoExport, refusal)
	}
	return fmt.Errorf("%w: it begins with %s", ErrNoExport, logline.Excerpt(text, maxExcerpt))
}
