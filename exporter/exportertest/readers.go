package exportertest

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing/iotest"
)

// RandomChunks gives out random pieces, none of which is empty.
type RandomChunks struct {
	Reader io.Reader
	Random *rand.Rand
	Max    int
}

func (c *RandomChunks) Read(p []byte) (int, error) {
	return c.Reader.Read(p[:min(len(p), 1+c.Random.IntN(c.Max))])
}

// Chunkings are the ways in which a body's bytes may arrive.
func Chunkings(text string) map[string]io.Reader {
	return map[string]io.Reader{
		"at once":       strings.NewReader(text),
		"one byte":      iotest.OneByteReader(strings.NewReader(text)),
		"half":          iotest.HalfReader(strings.NewReader(text)),
		"data with EOF": iotest.DataErrReader(strings.NewReader(text)),
		"one with EOF":  iotest.DataErrReader(iotest.OneByteReader(strings.NewReader(text))),
		"random":        &RandomChunks{strings.NewReader(text), rand.New(rand.NewPCG(1, uint64(len(text)))), 17},
	}
}

// IdleReader never has anything.
type IdleReader struct{}

func (IdleReader) Read([]byte) (int, error) { return 0, nil }

// Endless repeats its text.
type Endless struct {
	Text string
	rest string
}

func (e *Endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if e.rest == "" {
			e.rest = e.Text
		}
		copied := copy(p[n:], e.rest)
		e.rest = e.rest[copied:]
		n += copied
	}
	return n, nil
}
