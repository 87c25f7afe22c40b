package exporter

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
)

func TestIsASCIISeesEveryByte(t *testing.T) {
	for length := range 100 {
		text := bytes.Repeat([]byte{0x7f}, length)
		require.True(t, isASCII(text), "length %d", length)
		for at := range text {
			text[at] = 0x80
			require.False(t, isASCII(text), "length %d, byte %d", length, at)
			text[at] = 0x00
		}
	}
}

func TestAFieldThatIsNoUTF8IsMendedInARowThatTheDecoderReads(t *testing.T) {
	text := "event_time,action_name,user_name\n" +
		"2026-01-01T00:00:00Z,login,plain\n" +
		"2026-01-01T00:00:00Z,login,caf\xe9\n" +
		"2026-01-01T00:00:00Z,login,café\n"
	p := newRowPath(t, SchemaRaw, bytes.NewReader([]byte(text)))
	drain(t, p, fresh)
	var names []any
	for _, event := range records.Events(t, p.batch) {
		names = append(names, event.Record["user_name"])
	}
	require.Equal(t, []any{"plain", "caf�", "café"}, names)
}
