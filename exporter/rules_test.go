package exporter

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// The design's rules, each through the whole exporter. docs/design.md says which test fails when a rule is broken.

// Rule 1: a window that was not read to its end moves nothing, even if the process dies with it.
func TestACutWindowIsReadAgainAfterAKill(t *testing.T) {
	inBubble(t, map[string]string{"batch_bytes": "64K"}, func(h *simHost) {
		h.happen(3000)
		h.start()
		time.Sleep(1500 * time.Millisecond)
		begin := h.through()
		h.kill()
		for i := range 6 {
			h.server.Fail(
				exportertest.Fault{}, exportertest.Fault{CutAfter: 100_000 * (i + 1)},
				exportertest.Fault{Status: 503, RetryAfter: "60"},
			)
			h.start()
			time.Sleep(20 * time.Second)
			if h.through().After(begin) && h.e.Stats().Failures > 0 {
				t.Fatalf("the checkpoint moved to %s over a window that was cut", h.through())
			}
			h.kill()
		}
		h.start()
		time.Sleep(time.Minute)
		h.requireAll()
	})
}

// Rule 2: many events share a timestamp, also the one at which two windows meet.
func TestTiesAtTheEdgesOfWindowsArriveOnce(t *testing.T) {
	inBubble(t, map[string]string{"max_window": "1m", "overlap": "0s"}, func(h *simHost) {
		edge := time.Now().Add(-time.Hour).Truncate(time.Second)
		for minute := range 60 {
			for i := range 20 {
				h.server.Add(exportertest.Event{
					ID:   "tie-" + strconv.Itoa(minute) + "-" + strconv.Itoa(i),
					Time: edge.Add(time.Duration(minute) * time.Minute), Action: "login",
				})
			}
		}
		h.start()
		time.Sleep(3 * time.Minute)
		h.requireOnce()
	})
}

// Rule 3: rows without an id are told apart by content and number; the same id with other content is another version.
func TestRowsWithoutAnIDAndOtherVersions(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		at := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
		equal := exportertest.Event{Time: at, Action: "login", UserName: "a@b"}
		h.server.Add(equal, equal, equal, exportertest.Event{Time: at, Action: "logout", UserName: "a@b"})
		h.server.Add(exportertest.Event{ID: "x", Time: at, Action: "login"})
		h.start()
		time.Sleep(90 * time.Second)
		h.server.Add(exportertest.Event{ID: "x", Time: at, Action: "login", UserName: "completed later"})
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Order = exportertest.Descending })
		time.Sleep(3 * time.Minute)
		times := h.arrived()
		require.Equal(t, 4, times[""], "each row without an id, once")
		require.Equal(t, 2, times["x"], "both versions, once")
		require.EqualValues(t, 1, h.e.Stats().Changed)
		require.Contains(t, h.logged(), `event "x" came again with other content`)
	})
}

// Rule 4: nothing happens, and the checkpoint goes on all the same, also over a restart.
func TestEmptyWindowsAdvance(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		for range 5 {
			time.Sleep(time.Hour)
			require.WithinDuration(t, time.Now(), h.through(), 70*time.Second)
			require.False(t, h.through().After(time.Now()), "never beyond the server's present")
		}
		h.shutdown()
		h.start()
		require.WithinDuration(t, time.Now(), h.through(), 70*time.Second)
	})
}

// Rule 8: windows shrink until the endpoint can answer, and grow back.
func TestTooLargeWindowsShrinkAndGrowBack(t *testing.T) {
	for name, with := range map[string]exportertest.TooMany{
		"413": exportertest.TooMany413, "400": exportertest.TooMany400,
		"timeout": exportertest.TooManyTimeout,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *simHost) {
				h.happen(1500) // one a second
				h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit, a.RowLimitWith = 100, with })
				h.start()
				time.Sleep(3 * time.Minute)
				h.requireOnce()
				h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit = 0 })
				time.Sleep(10 * time.Minute)
				before := len(h.exports())
				time.Sleep(10 * time.Minute)
				require.LessOrEqual(t, len(h.exports())-before, 11, "one window a poll again")
			})
		})
	}
}

// Rule 9: a credential is read anew with each try, so that replacing the file is enough.
func TestANewKeyInTheFileHeals(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		file := h.settings["checkpoint_path"] + ".key"
		require.NoError(t, os.WriteFile(file, []byte("an-old-key\n"), 0o600))
		delete(h.settings, "api_key")
		h.settings["api_key_file"] = file
		h.happen(10)
		h.start()
		time.Sleep(20 * time.Minute)
		require.Empty(t, h.arrived())
		require.Contains(t, h.logged(), "check whether the key or token is right, has expired or was revoked")
		require.Contains(
			t, h.logged(),
			"the credential is that in api_key_file "+logline.Quoted(file)+", which is read again",
		)
		require.NoError(t, os.Remove(file))
		time.Sleep(6 * time.Minute)
		require.Contains(t, h.logged(), "api_key_file "+logline.Quoted(file)+": cannot be read")
		require.NoError(t, os.WriteFile(file, []byte("key\n"), 0o600))
		time.Sleep(6 * time.Minute)
		h.requireOnce()
	})
}

// Rule 9: Retry-After is honoured.
func TestRetryAfterIsHonoured(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.start()
		time.Sleep(10 * time.Second)
		h.server.Fail(exportertest.Fault{Status: 429, RetryAfter: "1800"})
		time.Sleep(2 * time.Minute)
		before := len(h.exports())
		time.Sleep(25 * time.Minute)
		require.Len(t, h.exports(), before)
		time.Sleep(6 * time.Minute)
		require.Greater(t, len(h.exports()), before)
	})
}

// Rule 10: an engine that does not collect is not read for: what is held is about four batches.
func TestAnEngineThatDoesNotCollectStopsTheReading(t *testing.T) {
	inBubble(t, map[string]string{"batch_bytes": "64K"}, func(h *simHost) {
		h.happen(3600)
		h.setSilent(true)
		h.start()
		time.Sleep(time.Hour)
		stats := h.e.Stats()
		require.LessOrEqual(t, stats.Records, int64(64_000/100), "records of one batch wait, another is full")
		require.LessOrEqual(t, stats.Bytes, int64(4*64_000+1<<20 /* what is read at once */))
		h.setSilent(false)
		time.Sleep(3 * time.Minute)
		h.requireOnce()
	})
}

// Rule 11: an answer may repeat the credential; no line, record or checkpoint does.
func TestTheCredentialIsNowhere(t *testing.T) {
	const key = "wherobots-secret-4711"
	inBubble(t, map[string]string{"api_key": key, "status_events": "on", "retry_max_interval": "1m"}, func(h *simHost) {
		h.server.SetCredentials(key, "")
		for range 30 {
			h.server.Fail(
				exportertest.Fault{Status: 401, Code: key},
				exportertest.Fault{Redirect: "https://evil.example/?key=" + key},
				exportertest.Fault{Body: "<html>your key " + key + " has expired</html>"},
				exportertest.Fault{JSONError: true, Code: key},
				exportertest.Fault{Body: "key\n" + key + "\n"},
			)
		}
		h.happen(3)
		h.start()
		for range 150 {
			time.Sleep(time.Minute)
		}
		h.requireAll()
		require.Contains(t, h.logged(), "[redacted]")
		require.NotContains(t, h.logged(), key)
		status, err := json.Marshal(h.e.instance())
		require.NoError(t, err)
		require.Contains(t, string(status), "[redacted]")
		require.NotContains(t, string(status), key)
		text, err := os.ReadFile(h.settings["checkpoint_path"])
		require.NoError(t, err)
		require.NotContains(t, string(text), key)
		for _, event := range h.delivered {
			for _, value := range event.Record {
				if text, ok := value.(string); ok {
					require.False(t, strings.Contains(text, key))
				}
			}
		}
	})
}
