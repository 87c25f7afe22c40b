package buffer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const full = 1<<20 + usualRecord

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

func TestABatchBeginsSmallAndIsMovedOnce(t *testing.T) {
	p := New(1 << 20)
	require.False(t, p.Fits(nil))
	data := p.Grow(nil)
	require.Equal(t, small, cap(data))
	data = append(data, make([]byte, small-usualRecord)...)
	require.True(t, p.Fits(data))
	data = append(data, 'x')
	require.False(t, p.Fits(data))
	larger := p.Grow(data)
	require.Equal(t, data, larger)
	require.Equal(t, full, cap(larger))
	require.True(t, p.Fits(larger[:full]), "there is no larger one")
}

func TestAFullBufferIsUsedAgain(t *testing.T) {
	p := New(1 << 20)
	large := p.Grow(p.Grow(nil))[:1]
	p.Return(large, noon)
	p.Tidy(noon.Add(calm - 1))
	require.Equal(t, small, cap(p.Grow(nil)), "a small batch leaves it where it is")
	again := p.Grow([]byte("x"))
	require.Equal(t, "x", string(again))
	require.Same(t, &large[0], &again[0])
	require.NotSame(t, &large[0], &p.Grow([]byte("y"))[0], "it is lent once")
}

// What is kept after a backfill would take its megabytes for ever.
func TestAFullBufferThatIsNotNeededIsGivenUp(t *testing.T) {
	p := New(1 << 20)
	large := p.Grow([]byte("x"))
	p.Return(large, noon)
	p.Return(p.Grow(nil), noon.Add(calm-1))
	p.Tidy(noon.Add(calm))
	require.NotSame(t, &large[0], &p.Grow([]byte("y"))[0])
}

func TestABufferThatOneRecordMadeHugeIsNotKept(t *testing.T) {
	p := New(1 << 20)
	p.Return(make([]byte, full+1), noon)
	require.Equal(t, full, cap(p.Grow([]byte("x"))))
}

func TestNoBufferIsLargerThanABatch(t *testing.T) {
	p := New(1000)
	first := p.Grow(nil)[:1]
	require.Equal(t, 1000+usualRecord, cap(first))
	p.Return(first, noon)
	require.Same(t, &first[0], &p.Grow(nil)[:1][0], "and none is kept for nothing")
}
