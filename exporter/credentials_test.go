package exporter

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

// withKeyFile takes the key from a file that is not there yet.
func (h *simHost) withKeyFile() (file string) {
	file = h.settings["checkpoint_path"] + ".key"
	delete(h.settings, "api_key")
	h.settings["api_key_file"] = file
	return file
}

func (h *simHost) writeKey(file, key string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(file, []byte(key), 0o600))
}

// Rule 9: a key file that comes after the start, or is replaced while its key is refused, counts within seconds,
// however long the pause was to be.
func TestAKeyFileThatComesLaterCountsAtOnce(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on", "stalled_after": "1d"}, func(h *simHost) {
		file := h.withKeyFile()
		h.happen(10)
		h.start()
		time.Sleep(20*time.Minute + 10*time.Second)
		require.Empty(t, h.exports())
		require.Contains(t, h.logged(), "api_key_file "+logline.Quoted(file)+": cannot be read: no such file or directory")
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusRefused], "once the engine has it, it is told")
		h.writeKey(file, "") // as one that is being written
		time.Sleep(10 * time.Second)
		require.Empty(t, h.exports())
		h.writeKey(file, "an-old-key\n")
		time.Sleep(2 * time.Second)
		require.Len(t, h.exports(), 1)
		time.Sleep(17 * time.Minute)
		asked := len(h.exports())
		require.Less(t, asked, 12, "one that is refused is asked with seldom")
		h.writeKey(file, "an-old-key\n")
		time.Sleep(5 * time.Second)
		require.LessOrEqual(t, len(h.exports()), asked+1, "what is the same tells nothing")

		h.writeKey(file, "key\n")
		time.Sleep(10 * time.Second)
		for _, e := range h.server.Events() {
			require.Equal(t, 1, h.arrived()[e.ID], h.logged())
		}
		require.Contains(t, h.logged(), "the credential has been replaced: asks again at once")
		require.NotContains(t, h.logged(), "an-old-key")
	})
}

// A key that is replaced while the other one is used ends that, and each change is told once.
func TestCredentialsAreSwitchedWithoutAGap(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
		file := h.withKeyFile()
		next := file + ".next"
		h.settings["api_key_file_next"] = next
		h.writeKey(file, "key")
		h.start()
		h.liveWith(2)
		h.writeKey(next, "key-of-next-year")
		h.server.SetCredentials("key-of-next-year", "")
		h.liveWith(3)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusCredentialSwitched], h.logged())
		require.Contains(t, h.logged(), "2 credential_switched: the credential in use is now that of api_key_file_next ")
		require.NotContains(t, h.logged(), "asks again in", "nobody had to wait")

		h.writeKey(file, "key-of-next-year") // the rotation is over
		h.liveWith(3)
		require.Equal(t, 2, h.statuses(schema.Raw)[schema.StatusCredentialSwitched], h.logged())
		require.Zero(t, h.statuses(schema.Raw)[schema.StatusRefused])
		require.NotContains(t, h.logged(), "key-of-next-year")
		for _, e := range h.server.Events() {
			require.Equal(t, 1, h.arrived()[e.ID], h.logged())
		}
	})
}

func TestAnExpiryIsToldInTime(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on", "poll_interval": "1h"}, func(h *simHost) {
		at := time.Now().Add(8*day + time.Hour)
		h.settings["credential_expires"] = at.Format(time.RFC3339)
		h.start()
		time.Sleep(time.Minute)
		require.Equal(t, 1, count(h.logged(), "the credential expires in 8 days"), h.logged())
		require.InDelta(t, at.Unix(), h.e.Stats().CredentialExpires, 0)
		time.Sleep(9 * day)
		require.Equal(t, 1, count(h.logged(), "the credential expires in 7 days"))
		require.Equal(t, 1, count(h.logged(), "the credential expires in 1 day, at "))
		require.Equal(t, 1, count(h.logged(), "the credential has expired at "+at.Format(time.RFC3339)))
		require.Equal(t, 4, h.statuses(schema.Raw)[schema.StatusCredentialExpires])
	})
}
