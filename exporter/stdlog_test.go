package exporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// A server that sends an answer nobody asked for makes net/http print its beginning, key and events included. It becomes
// one short line without either.
func TestWhatTheStandardLoggerPrintsIsRedacted(t *testing.T) {
	inBubble(t, map[string]string{"api_key": "Wb-0123456789abcdefghij"}, func(h *simHost) {
		h.server.SetCredentials(h.settings["api_key"], "")
		h.start()
		h.liveWith(2)
		text := "Unsolicited response received on idle HTTP channel starting with \"HTTP/1.1 200 OK\\r\\nkey: " + h.settings["api_key"] +
			strings.Repeat(" audit row", 400)
		for range 3 {
			_, _ = new(standardLog).Write([]byte(text))
		}
		logger := new(standardLog)
		for range 3 {
			_, _ = logger.Write([]byte(text))
		}
		time.Sleep(2 * time.Second)
		h.takeLines()
		require.Contains(t, h.logged(), "Unsolicited response")
		require.NotContains(t, h.logged(), h.settings["api_key"])
		require.Equal(t, 4, count(h.logged(), "Unsolicited"), "once for each logger")
		for line := range strings.Lines(h.logged()) {
			require.Less(t, len(line), 400)
		}
	})
}

// An error page that is cut in the middle of the key leaves nothing of it.
func TestNoPartOfTheKeyIsLogged(t *testing.T) {
	key := "Wb-0123456789abcdefghij-KLMNOPQ"
	for n := 60; n < 200; n += 4 {
		inBubble(t, map[string]string{"api_key": key}, func(h *simHost) {
			h.server.SetCredentials(key, "")
			h.start()
			h.liveWith(1)
			body := "<html>" + strings.Repeat("x", n) + key + "</html>"
			h.server.Fail(exportertest.Fault{Body: body})
			h.liveWith(3)
			require.NotContains(t, h.logged(), key[:8])
		})
	}
}
