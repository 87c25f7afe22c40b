package exporter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
)

// people are events that say who did it in several places.
func people(h *simHost) (names []string) {
	now := h.now()
	for n, e := range exportertest.Generate(1, 40, now.Add(-30*time.Minute), now) {
		guest := fmt.Sprintf("guest%04d@corp.example", n)
		e.UserID, e.UserName = fmt.Sprintf("u-%04d", n), fmt.Sprintf("user%04d@corp.example", n)
		e.SourceIP, e.ResourceName = fmt.Sprintf("203.0.113.%d", n), "invitation of "+guest+" by "+e.UserName
		h.server.Add(e)
		names = append(names, e.UserID, e.UserName, guest)
	}
	return names
}

// Nobody is named in any schema, neither in records nor in the log or the checkpoint; and everything arrives once, also
// when the setting comes or goes between two runs: what counts as the same event is not changed by it.
func TestNobodyIsNamedWithPseudonyms(t *testing.T) {
	for _, shape := range allSchemas {
		t.Run(string(shape), func(t *testing.T) {
			inBubble(t, map[string]string{"schema": string(shape), "status_events": "on"}, func(h *simHost) {
				file := filepath.Join(t.TempDir(), "key")
				require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("k", 64)), 0o600))
				h.settings["pseudonymize"] = "user_id, user_name,source_ip"
				h.settings["pseudonymize_key_file"] = file
				names := people(h)
				h.server.SetAnswers(func(a *exportertest.Answers) { a.MiddleLine = "torn," + names[1] + "," + names[0] })
				h.start()
				h.liveFor(70)
				h.shutdown()
				records := fmt.Sprint(h.delivered)
				checkpoint, err := os.ReadFile(h.settings["checkpoint_path"])
				require.NoError(t, err)
				key, err := pseudonym.LoadKey(file)
				require.NoError(t, err)
				for _, name := range names {
					require.NotContains(t, records, name)
					require.NotContains(t, h.logged(), name)
					require.NotContains(t, string(checkpoint), name)
				}
				require.NotContains(t, h.logged(), strings.Repeat("k", 8))
				require.Contains(t, records, key.Of(names[0]))
				require.Contains(t, records, key.Of(names[1]))
				require.Contains(t, records, key.Of(names[2]), "whom it is about")
				require.Contains(t, records, key.Of("203.0.113.1"))

				delete(h.settings, "pseudonymize")
				delete(h.settings, "pseudonymize_key_file")
				h.start()
				time.Sleep(5 * time.Minute)
				h.shutdown()
				times := map[string]int{}
				for _, e := range h.delivered {
					id := idOf(e.Record)
					times[id]++
					require.Equal(t, 1, times[id], "sent again: %v", e.Record)
				}
				require.Greater(t, len(times), len(h.server.Events()))
			})
		})
	}
}

// A row is itself again when its record is made: the rows that are read into its place are their own.
func TestEachOfManyEventsArrivesWithPseudonyms(t *testing.T) {
	inBubble(t, map[string]string{"pseudonymize": "user_id,user_name"}, func(h *simHost) {
		file := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("k", 64)), 0o600))
		h.settings["pseudonymize_key_file"] = file
		h.happen(3000)
		h.start()
		time.Sleep(2 * time.Minute)
		h.requireOnce()
		require.NotContains(t, fmt.Sprint(h.delivered), h.server.Events()[0].UserName)
	})
}

// The key must be there before anybody is named.
func TestNothingStartsWithoutTheKeyOfPseudonyms(t *testing.T) {
	inBubble(t, map[string]string{"pseudonymize": "user_name"}, func(h *simHost) {
		h.settings["pseudonymize_key_file"] = h.settings["checkpoint_path"] + ".none"
		require.ErrorContains(t, h.tryStart(), "pseudonymize_key_file")
	})
}
