package exporter

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// A server that sends an answer nobody asked for makes net/http print its beginning, key and events included.
// It becomes one short line without either.
func TestWhatTheStandardLoggerPrintsIsRedacted(t *testing.T) {
	inBubble(t, map[string]string{"api_key": "Wb-0123456789abcdefghij"}, func(h *simHost) {
		h.server.SetCredentials(h.settings["api_key"], "")
		h.start()
		h.liveWith(2)
		text := "Unsolicited response received on idle HTTP channel starting with \"HTTP/1.1 200 OK\\r\\nkey: " +
			h.settings["api_key"] +
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
		require.NotContains(t, h.logged(), "HTTP/1.1", "nothing of the answer, which may be events")
		require.Equal(t, 4, count(h.logged(), "Unsolicited"), "once for each logger")
		for line := range strings.Lines(h.logged()) {
			require.Less(t, len(line), 400)
		}
	})
}

// Instances come and go while the standard logger is used, and neither waits for the other for ever.
func TestInstancesComeAndGoWhileTheStandardLoggerIsUsed(t *testing.T) {
	before := log.Writer()
	log.SetOutput(io.Discard)
	over, stop, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				log.Print("something")
			}
		}
	}()
	go func() {
		defer close(over)
		e := &Exporter{log: new(logline.Queue)}
		for range 20_000 {
			fleet.join(e)
			fleet.leave(e)
		}
	}()
	select {
	case <-over:
		close(stop)
		<-stopped
		log.SetOutput(before)
	case <-time.After(30 * time.Second):
		t.Fatal("a standstill")
	}
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
