package csv

import (
	"encoding/binary"
	"math/bits"
)

const (
	markBytes  = 64 // of text in one marks
	stripMarks = 128
	stripBytes = stripMarks * markBytes
	leastStrip = 1024 // bytes: a strip behind a row that made one useless, as its neighbours may
)

// strip tells of a piece of text where those bytes are that matter to CSV. The piece fits the processor's
// first cache, so that looking at each byte one more time costs next to nothing; what follows goes from end
// to end of fields.
//
// A byte is inside quotes when an odd number of them comes before it. So it is where quotes are only around
// whole fields or doubled in them; who goes by the ends must make sure of that, see decoder.quick.
type strip struct {
	ends   [stripBytes]uint16    // places of commas and line feeds that are not inside quotes
	count  int                   // of ends
	marks  [stripMarks + 1]marks // of each 64 bytes, and behind the last ones what all of them have
	inside uint64                // whether the text ends inside quotes: all ones or none
}

// marks are those of 64 bytes.
type marks struct {
	quotes uint64 // a bit for each of them
	before sums
}

// sums tell what a text has: the number of quotes in the lowest 16 bits, then those of 64 bytes that are not
// all ASCII, and of 64 bytes that have a line feed inside quotes.
type sums uint64

const (
	oneHigh sums = 1 << 16
	oneFeed sums = 1 << 32
)

func (s sums) quotes() int { return int(uint16(s)) }

func (s sums) high() bool { return uint16(s>>16) > 0 }

func (s sums) feeds() bool { return s>>32 > 0 }

// between tells what the text has from place from to place to, exclusive: how many quotes, and whether its
// blocks have what sums tell.
func (s *strip) between(from, to int) (quotes int, blocks sums) {
	first, last := &s.marks[from/markBytes], &s.marks[to/markBytes]
	quotes = (last.before - first.before).quotes() + bits.OnesCount64(last.quotes&(1<<(to%markBytes)-1)) -
		bits.OnesCount64(first.quotes&(1<<(from%markBytes)-1))
	return quotes, s.marks[to/markBytes+1].before - first.before
}

// mark marks text, as much of it as a strip holds. It begins with a row.
func (s *strip) mark(text []byte) {
	s.count, s.inside, s.marks[0].before = 0, 0, 0
	text = text[:min(len(text), stripBytes)]
	whole := len(text) / markBytes
	if whole > 0 {
		markBlocks(s, text[:whole*markBytes], 0)
	}
	if rest := text[whole*markBytes:]; len(rest) > 0 {
		var last [markBytes]byte
		copy(last[:], rest)
		markBlocks(s, last[:], whole)
	}
}

// markWords marks whole blocks eight bytes at a time, from the given one on, where there are no vectors or
// nobody wrote the code for them.
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
		for ends &^= inside; ends != 0; ends &= ends - 1 {
			s.ends[s.count] = uint16(block*markBytes + bits.TrailingZeros64(ends))
			s.count++
		}
		m := &s.marks[block]
		m.quotes = quotes
		block++
		s.marks[block].before = m.before + sums(bits.OnesCount64(quotes)) +
			oneFeed*sums(some(feeds&inside)) + oneHigh*sums(some(all&highBits))
	}
}

const (
	eachByte = 0x0101010101010101
	lowBits  = 0x7f * eachByte
	highBits = 0x80 * eachByte
)

// other sets the highest bit of each byte of a word that is not c. An exclusive or leaves no bit of a byte
// that is; of any other it leaves the highest, or so much that adding 0x7f carries into that.
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
