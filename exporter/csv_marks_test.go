package exporter

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// marksByDefinition is what mark must do.
func marksByDefinition(text []byte, inside bool) (s strip) {
	for i, c := range text {
		m, bit, block := &s.marks[i/markBytes], uint64(1)<<(i%markBytes), uint64(1)<<(i/markBytes)
		switch {
		case c == '"':
			m.quotes |= bit
			inside = !inside
		case (c == ',' || c == '\n') && !inside:
			m.ends |= bit
		case c == '\n':
			s.feeds |= block
		case c >= 0x80:
			s.high |= block
		}
	}
	if inside {
		s.inside = ^uint64(0)
	}
	return s
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

// eachWayToMark runs f with vectors, where the processor has them, and without.
func eachWayToMark(t *testing.T, f func(t *testing.T, mark func(*strip, []byte, int))) {
	t.Run("this processor", func(t *testing.T) { f(t, markBlocks) })
	t.Run("words", func(t *testing.T) { f(t, markWords) })
}

func TestMarksOfEachByteAtEachPlace(t *testing.T) {
	eachWayToMark(t, func(t *testing.T, mark func(*strip, []byte, int)) {
		for place := range markBytes {
			for c := range 256 {
				for _, others := range []string{"x", ",", "\xff", "\n", `"`} {
					text := make([]byte, markBytes)
					for i := range text {
						text[i] = others[0]
					}
					text[place] = byte(c)
					var got strip
					mark(&got, text, 0)
					require.Equal(t, marksByDefinition(text, false), got, "%#x at %d among %q", c, place, others)
				}
			}
		}
	})
}

func TestMarksOfBlocksThatFollowOneAnother(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	eachWayToMark(t, func(t *testing.T, mark func(*strip, []byte, int)) {
		for range 2000 {
			text := randomCSV(random, markBytes*(1+random.IntN(stripMarks)))
			var got strip
			first := random.IntN(len(text)/markBytes) * markBytes
			if first > 0 {
				mark(&got, text[:first], 0)
			}
			mark(&got, text[first:], first/markBytes)
			require.Equal(t, marksByDefinition(text, false), got)
		}
	})
}

func TestAStripMarksTextOfAnyLengthAndGoesOn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s strip
	inside := false
	for range 2000 {
		text := randomCSV(random, 1+random.IntN(stripBytes+200))
		on := random.IntN(4) > 0
		n := s.mark(text, on)
		require.Equal(t, min(len(text), stripBytes), n)
		want, used := marksByDefinition(text[:n], inside && on), (n+markBytes-1)/markBytes
		require.Equal(t, want.marks[:used], s.marks[:used])
		require.Equal(t, [3]uint64{want.high, want.feeds, want.inside}, [3]uint64{s.high, s.feeds, s.inside})
		inside = s.inside != 0
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
		if want := marksByDefinition(text, false); words != want || vectors != want {
			t.Fatalf("%q", text)
		}
	})
}

func BenchmarkMarks(b *testing.B) {
	text := benchBody(100, 0.5)[:stripBytes]
	for name, mark := range map[string]func(*strip, []byte, int){"words": markWords, "this processor": markBlocks} {
		b.Run(name, func(b *testing.B) {
			var s strip
			b.SetBytes(stripBytes)
			for b.Loop() {
				mark(&s, text, 0)
			}
		})
	}
}
