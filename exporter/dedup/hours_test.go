package dedup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The algorithm is published: printf %s ID | sha256sum | cut -c1-16 made these.
func TestPublishedIDIsThatOfSha256sum(t *testing.T) {
	for id, want := range map[string]uint64{
		"a":                                    0xca978112ca1bbdca,
		"b42c7a50-0000-4000-8000-0123456789ab": 0xdd958030c9faec07,
		"Straße":                               0x58a3778c18c41726,
		"caf\xe9\xff":                          0x283356a1710fff3b, // as in the record: caf and twice U+FFFD
	} {
		require.Equal(t, want, PublishedID([]byte(id)), id)
	}
	id := []byte("b42c7a50-0000-4000-8000-0123456789ab")
	require.Zero(t, testing.AllocsPerRun(100, func() { PublishedID(id) }))
}
