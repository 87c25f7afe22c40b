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
	large := append(p.Grow(p.Grow(nil)), make([]byte, small+1)...)
	p.Return(large, noon)
	p.Tidy(noon.Add(calm - 1))
	again := p.Grow(nil)
	require.Empty(t, again)
	require.Same(t, &large[0], &again[:1][0])
	require.Equal(t, small, cap(p.Grow(nil)), "it is lent once")
}

// What is kept after a backfill would take its megabytes for ever.
func TestAFullBufferThatIsNotNeededIsGivenUp(t *testing.T) {
	p := New(1 << 20)
	large := append(p.Grow(p.Grow(nil)), make([]byte, small+1)...)
	p.Return(large[:small], noon)
	require.Equal(t, small, cap(p.Grow(nil)), "a small batch does not need it")
	p.Return(large, noon)
	p.Tidy(noon.Add(calm))
	require.Equal(t, small, cap(p.Grow(nil)))
}

func TestABufferThatOneRecordMadeHugeIsNotKept(t *testing.T) {
	p := New(1 << 20)
	p.Return(make([]byte, full+1), noon)
	require.Equal(t, small, cap(p.Grow(nil)))
}

func TestNoBufferIsLargerThanABatch(t *testing.T) {
	p := New(1000)
	require.Equal(t, 1000+usualRecord, cap(p.Grow(nil)))
}
