package csv

import (
	"bytes"
	"io"
)

// This file reads exports whose lines end with a lone CR, as old spreadsheet programs write them. The header decides:
// in an export whose header ends so, each CR outside quotes ends a line.

// carriages makes an LF of each CR, or CR and LF, outside quotes. A quoted field keeps its own.
type carriages struct {
	body io.Reader
	scan rowScanner
	held bool // the last byte was a CR that was given out as LF: an LF behind it belongs to it
}

func (c *carriages) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	return c.translate(p[:n]), err
}

// translate changes text in place and returns how much of it is left.
func (c *carriages) translate(text []byte) int {
	kept := 0
	for _, b := range text {
		if b == '\n' && c.held {
			c.held = false
			continue
		}
		c.held = b == '\r' && !c.scan.inQuotes()
		if c.held {
			b = '\n'
		}
		if c.scan.step(b) {
			c.scan.state = atField
		}
		text[kept] = b
		kept++
	}
	return kept
}

// endsWithCR reports whether a lone CR ends the first line of text that is not blank. Unless known, more must
// be read to tell. CR CR LF is no lone CR.
func endsWithCR(text []byte, whole bool) (lone, known bool) {
	text = bytes.TrimLeft(text, " \t\r\n")
	var scan rowScanner
	for i, b := range text {
		if b == '\r' && !scan.inQuotes() {
			if i+1 < len(text) {
				return text[i+1] != '\n' && text[i+1] != '\r', true
			}
			return whole, whole
		}
		if scan.step(b) {
			return false, true
		}
	}
	return false, whole
}

// setLineEnds sees to it that lines end with LF, once it can be told whether they do.
func (d *Decoder) setLineEnds() (known bool) {
	lone, known := endsWithCR(d.buf[d.start:d.end], d.err != nil)
	if lone {
		c := &carriages{body: d.body}
		d.end = d.start + c.translate(d.buf[d.start:d.end])
		d.body = c
	}
	return known
}
