package exporter

import (
	"encoding/binary"
	"math/bits"
)

// marks says of 64 bytes of text where those are that matter to CSV, one bit for each byte.
type marks struct {
	ends   uint64 // commas and line feeds that are not inside quotes: where fields end
	quotes uint64
}

const (
	markBytes  = 64 // of text in one marks
	stripMarks = 64
	stripBytes = stripMarks * markBytes
)

// strip is the marks of a piece of text that fits the processor's first cache, so that looking at each byte one more time costs next to nothing.
// What follows goes from mark to mark.
//
// A byte is inside quotes when an odd number of them comes before it. So it is where quotes are only around whole fields or doubled in them;
// who goes by the marks must make sure of that, see decoder.quick.
type strip struct {
	marks  [stripMarks]marks
	high   uint64 // a bit for each of them, set when its text is not all ASCII
	feeds  uint64 // the same, when it has a line feed inside quotes
	inside uint64 // whether the text ends inside quotes: all ones or none
}

// mark marks text, as much of it as a strip holds, and returns how much that is. on says that the text goes on where the last one ended, and not
// with a new row.
func (s *strip) mark(text []byte, on bool) int {
	s.high, s.feeds = 0, 0
	if !on {
		s.inside = 0
	}
	size := min(len(text), stripBytes)
	whole := size / markBytes
	if whole > 0 {
		markBlocks(s, text[:whole*markBytes], 0)
	}
	if size > whole*markBytes {
		var last [markBytes]byte
		copy(last[:], text[whole*markBytes:size])
		markBlocks(s, last[:], whole)
	}
	return size
}

// markWords marks whole blocks eight bytes at a time, from the given one on, where there are no vectors or nobody wrote the code for them.
func markWords(s *strip, text []byte, block int) {
	for ; len(text) > 0; text = text[markBytes:] {
		var quotes, feeds, ends, all uint64
		for at := 0; at < markBytes; at += 8 {
			word := binary.LittleEndian.Uint64(text[at:])
			all |= word
			feed := other(word, '\n')
			quotes |= gather(other(word, '"')) << at
			feeds |= gather(feed) << at
			ends |= gather(feed&other(word, ',')) << at
		}
		inside := s.inside ^ parities(quotes)
		s.inside = uint64(int64(inside) >> 63)
		s.marks[block] = marks{ends &^ inside, quotes}
		s.feeds |= some(feeds&inside) << block
		s.high |= some(all&highBits) << block
		block++
	}
}

const (
	eachByte = 0x0101010101010101
	lowBits  = 0x7f * eachByte
	highBits = 0x80 * eachByte
)

// other sets the highest bit of each byte of a word that is not c. An exclusive or leaves no bit of a byte that is; of any other it leaves the
// highest, or so much that adding 0x7f carries into that.
func other(word uint64, c byte) uint64 {
	word ^= uint64(c) * eachByte
	return word&lowBits + lowBits | word
}

// gather makes eight bits of the highest bits of eight bytes, inverted.
func gather(others uint64) uint64 {
	return (^others & highBits >> 7) * 0x0102040810204080 >> 56
}

// parities tells for each bit whether the number of bits set up to it is odd.
func parities(word uint64) uint64 {
	for shift := 1; shift < 64; shift *= 2 {
		word ^= word << shift
	}
	return word
}

// some is 1 when a bit is set, else 0.
func some(word uint64) uint64 {
	_, carry := bits.Add64(word, ^uint64(0), 0)
	return carry
}
