package buffer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const full = 1<<20 + usualRecord

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
	p.Return(large)
	again := p.Grow(nil)
	require.Empty(t, again)
	require.Same(t, &large[0], &again[:1][0])
	require.Equal(t, small, cap(p.Grow(nil)), "it is lent once")
}

// A full buffer that is kept after a backfill would take its megabytes for ever.
func TestAfterASmallBatchNoFullBufferIsKept(t *testing.T) {
	p := New(1 << 20)
	large := append(p.Grow(p.Grow(nil)), make([]byte, small+1)...)
	p.Return(large)
	p.Return(make([]byte, small))
	require.Equal(t, small, cap(p.Grow(nil)))
	p.Return(large[:small])
	require.Equal(t, small, cap(p.Grow(nil)), "nor one that a small batch is in")
}

func TestABufferThatOneRecordMadeHugeIsNotKept(t *testing.T) {
	p := New(1 << 20)
	p.Return(make([]byte, full+1))
	require.Equal(t, small, cap(p.Grow(nil)))
}

func TestNoBufferIsLargerThanABatch(t *testing.T) {
	p := New(1000)
	require.Equal(t, 1000+usualRecord, cap(p.Grow(nil)))
}
