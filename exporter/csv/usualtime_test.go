package csv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Nearly all times are written in one form, which is read by position. Whatever else is a time takes longer.
func TestWhichTimesAreReadByPosition(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-01-31T23:59:59": true, "2026-01-31T23:59:59Z": true, "2026-01-31 23:59:59Z": true,
		"2026-01-31T23:59:59.1Z": true, "2026-01-31T23:59:59.123456789Z": true, "2026-01-31T23:59:59.25": true,
		"2026-01-31T23:59:59.5":     true,
		"2026-01-31T23:59:59+01:30": true, "2026-01-31T23:59:59.5-23:59": true, "0000-01-01T00:00:00Z": true,
		"9999-12-31T00:00:00Z": true,

		"2026-01-31T23:59:60Z": false, "2026-01-31T23:59:59z": false, "2026-01-31t23:59:59Z": false,
		"2026-01-31T23:59:59,5Z": false, "2026-01-31T23:59:59+0100": false, "2026-01-31T23:59Z": false,
		"2026-01-31T23:59:59.1234567890Z": false,
	} {
		at, ok := parseFixedTime([]byte(text))
		require.Equal(t, want, ok, text)
		general, known := parseAnyTime([]byte(text))
		require.True(t, known, text)
		if want {
			require.Equal(t, general, at, text)
		}
	}
}

// Times of one minute are read by what is remembered of it: here of an hour too late, to tell.
func TestNeighboursAreReadByTheMinuteThatIsRemembered(t *testing.T) {
	for text, remembered := range map[string]bool{
		"2026-01-31T23:59:00Z": true, "2026-01-31T23:59:59Z": true, "2026-01-31T23:59:59.5Z": true,
		"2026-01-31T23:59:59.123456789Z": true,

		"2026-01-31T23:58:59Z": false, "2026-01-31T22:59:59Z": false, "2026-01-31T23:59:60Z": false,
		"2026-01-31T23:59:59": false, "2026-01-31T23:59:59+00:00": false, "2026-01-31T23:59Z": false,
	} {
		var p timeParser
		_, ok := p.parse([]byte("2026-01-31T23:59:07.25Z"))
		require.True(t, ok)
		p.unix += 3600
		at, ok := p.parse([]byte(text))
		require.True(t, ok, text)
		want, _ := parseAnyTime([]byte(text))
		if remembered {
			want = want.Add(time.Hour)
		}
		require.Equal(t, want, at, text)
	}
}
