package csv

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// marked is what a strip tells.
type marked struct {
	ends   []uint16
	marks  []marks // quotes of each 64 bytes, and what is before them; at last what all have
	inside uint64
}

func (s *strip) marked(size int) marked {
	m := marked{append([]uint16{}, s.ends[:s.count]...), append([]marks{}, s.marks[:size/markBytes+1]...), s.inside}
	m.marks[size/markBytes].quotes = 0 // of nothing
	return m
}

// marksByDefinition is what must be told of text.
func marksByDefinition(text []byte) marked {
	m := marked{ends: []uint16{}, marks: make([]marks, 1)}
	inside := false
	for at := 0; at < len(text); at += markBytes {
		var quotes, high, feeds sums
		for i, c := range text[at : at+markBytes] {
			switch {
			case c == '"':
				m.marks[at/markBytes].quotes |= 1 << i
				quotes++
				inside = !inside
			case (c == ',' || c == '\n') && !inside:
				m.ends = append(m.ends, uint16(at+i))
			case c == '\n':
				feeds = oneFeed
			case c >= 0x80:
				high = oneHigh
			}
		}
		m.marks = append(m.marks, marks{before: m.marks[at/markBytes].before + quotes + high + feeds})
	}
	if inside {
		m.inside = ^uint64(0)
	}
	return m
}

// eachWay runs f with vectors, where the processor has them, and without.
func eachWay(t *testing.T, f func(t *testing.T)) {
	t.Run("this processor", f)
	t.Run("words", func(t *testing.T) {
		defer func(has bool) { hasVectors = has }(hasVectors)
		hasVectors = false
		f(t)
	})
}

func TestMarksOfEachByteAtEachPlace(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		for place := range markBytes {
			for c := range 256 {
				for _, others := range []string{"x", ",", "\xff", "\n", `"`} {
					text := make([]byte, markBytes)
					for i := range text {
						text[i] = others[0]
					}
					text[place] = byte(c)
					var got strip
					markBlocks(&got, text, 0)
					require.Equal(t, marksByDefinition(text), got.marked(len(text)), "%#x at %d among %q", c, place, others)
				}
			}
		}
	})
}

func TestMarksOfBlocksThatFollowOneAnother(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	eachWay(t, func(t *testing.T) {
		for range 2000 {
			text := randomCSV(random, markBytes*(1+random.IntN(stripMarks)))
			var got strip
			first := random.IntN(len(text)/markBytes) * markBytes
			if first > 0 {
				markBlocks(&got, text[:first], 0)
			}
			markBlocks(&got, text[first:], first/markBytes)
			require.Equal(t, marksByDefinition(text), got.marked(len(text)))
		}
	})
}

// A strip is used again and again, for text of any length; what lies behind the text's end must not matter.
func TestAStripMarksTextOfAnyLength(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s strip
	for range 2000 {
		text := randomCSV(random, random.IntN(stripBytes+200))
		s.mark(text)
		whole := append(bytes.Clone(text), make([]byte, markBytes)...)
		whole = whole[:min(len(text)+markBytes-1, stripBytes)/markBytes*markBytes]
		require.Equal(t, marksByDefinition(whole), s.marked(len(whole)))
	}
}

func TestAStripTellsOfAnyPartOfItsText(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s strip
	for range 2000 {
		text := randomCSV(random, 1+random.IntN(stripBytes))
		s.mark(text)
		from := random.IntN(len(text))
		to := from + random.IntN(len(text)-from)
		quotes, blocks := s.between(from, to)
		require.Equal(t, bytes.Count(text[from:to], []byte{'"'}), quotes)
		touched := text[from/markBytes*markBytes : min(len(text), (to/markBytes+1)*markBytes)]
		require.Equal(t, !event.IsASCII(touched), blocks.high())
	}
}

func randomCSV(random *rand.Rand, size int) []byte {
	text := make([]byte, size)
	for i := range text {
		text[i] = ",\"\nxyz\xc3\xa9"[random.IntN(8)]
	}
	return text
}

func FuzzMarks(f *testing.F) {
	f.Add([]byte("a,\"b\"\r\n\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		text = append(text, make([]byte, markBytes)...)
		text = text[:min(len(text)/markBytes*markBytes, stripBytes)]
		var words, vectors strip
		markWords(&words, text, 0)
		markBlocks(&vectors, text, 0)
		want := marksByDefinition(text)
		require.Equal(t, want, words.marked(len(text)), "%q", text)
		require.Equal(t, want, vectors.marked(len(text)), "%q", text)
	})
}

func BenchmarkMarks(b *testing.B) {
	text := exportertest.Body(100, 0.5)[:stripBytes]
	for name, mark := range map[string]func(*strip, []byte, int){"words": markWords, "this processor": markBlocks} {
		b.Run(name, func(b *testing.B) {
			var s strip
			b.SetBytes(stripBytes)
			for b.Loop() {
				s.count = 0
				mark(&s, text, 0)
			}
		})
	}
}
