package event

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIsASCIISeesEveryByte(t *testing.T) {
	for length := range 100 {
		text := bytes.Repeat([]byte{0x7f}, length)
		require.True(t, IsASCII(text), "length %d", length)
		for at := range text {
			text[at] = 0x80
			require.False(t, IsASCII(text), "length %d, byte %d", length, at)
			text[at] = 0x00
		}
	}
}
