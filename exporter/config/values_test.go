package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "1.5h": 90 * time.Minute, "7d": 7 * day, "1d12h": 36 * time.Hour,
		"1d1m1s": day + 61*time.Second, "0d": 0,
		"-5m": -5 * time.Minute,
	} {
		d, err := parseDuration(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, d, text)
	}
	for _, text := range []string{
		"", "d", "5", "1.5d", "-7d", "+7d", "1d-1h", "1d+1h", "1h1d", "1d1d", "1dd", "99999999999d",
		"65535d2562047h", "1 d", "1w",
	} {
		_, err := parseDuration(text)
		assert.EqualError(t, err, "is not a duration", text)
	}
}

func TestDurationsAreSpelledAsTheyAreRead(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "1s": time.Second, "10m": 10 * time.Minute, "1h": time.Hour, "24h": day, "36h": 36 * time.Hour,
		"2d": 2 * day, "1h0m5s": time.Hour + 5*time.Second, "1h10m": 70 * time.Minute,
	} {
		assert.Equal(t, want, logline.Duration(d))
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(100*day)).Draw(t, "d"))
		if rapid.Bool().Draw(t, "round") {
			d = d.Truncate(time.Hour)
		}
		back, err := parseDuration(logline.Duration(d))
		require.NoError(t, err)
		require.Equal(t, d, back)
	})
}

// The numbers are those of flb_utils_size_to_bytes.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int{
		"64K": 64_000, "64kb": 64_000, "8M": 8_000_000, "8MB": 8_000_000, "1.5m": 1_500_000, "0.001g": 1_000_000,
		"70000": 70_000,
	} {
		n, err := parseSize(text, 64_000, 64_000_000)
		assert.NoError(t, err, text)
		assert.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "K", "8MiB", "8 M", "8T", "0x10", "1e6", "NaN", "Inf", "8KK", "."} {
		_, err := parseSize(text, 0, 64_000_000)
		assert.EqualError(t, err, "is not a size", text)
	}
}

func TestBooleans(t *testing.T) {
	for text, want := range map[string]bool{
		"on": true, "TRUE": true, "Yes": true, "off": false, "False": false, "no": false,
	} {
		b, err := parseBool(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, b, text)
	}
	for _, text := range []string{"", "1", "0", "y", "enabled"} {
		_, err := parseBool(text)
		assert.ErrorIs(t, err, errNotAllowed, text)
	}
}

func TestStart(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"now": now, "-24h": now.Add(-day), "-90d": now.Add(-90 * day), "-1d12h": now.Add(-36 * time.Hour), "-0s": now,
		"2026-01-02T03:04:05.123456+02:00": time.Date(2026, 1, 2, 1, 4, 5, 123456000, time.UTC),
	} {
		s, err := parseStart(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, s.At(now), text)
		again, err := parseStart(s.String())
		require.NoError(t, err, text)
		assert.Equal(t, s, again, "spelled as it is read")
	}
	assert.Equal(t, now, Start{}.At(now), "the zero value is the present")
}

func TestAddressesToListenOn(t *testing.T) {
	for _, text := range []string{"127.0.0.1:2112", "[::1]:2112", "localhost:1", ":2112", "0.0.0.0:65535"} {
		got, err := parseListen(text)
		require.NoError(t, err)
		assert.Equal(t, text, got)
	}
	for _, text := range []string{
		"2112", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http", "example.com:80", "x y:1",
	} {
		_, err := parseListen(text)
		assert.ErrorIs(t, err, errNotAllowed, text)
	}
}
