package exporter

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

var (
	allSchemas  = []schema.Name{schema.Raw, schema.ECS, schema.OCSF, schema.OCSFFine}
	statusKinds = []schema.Kind{
		schema.StatusStarted, schema.StatusRetentionGap, schema.StatusCheckpointReset, schema.StatusRefused,
		schema.StatusRefusedOver, schema.StatusStalled, schema.StatusStalledOver, schema.StatusReconciled,
		schema.StatusOverlapTooShort, schema.StatusRefetched, schema.StatusSetAside,
		schema.StatusColumnsChanged,
		schema.StatusRowLimit, schema.StatusRowGap, schema.StatusCountMismatch,
		schema.StatusRewound, schema.StatusGapAccepted,
		schema.StatusCredentialSwitched, schema.StatusCredentialExpires,
	}
)

// statusCases are the situations that status events name.
var statusCases = map[schema.Kind]struct {
	settings map[string]string
	happens  func(h *simHost)
	times    int    // how often it is told
	log      string // the line that comes with it, status events on or off
}{
	schema.StatusStarted: {nil, func(h *simHost) {
		h.start()
		h.liveWith(3)
	}, 1, "found no checkpoint at "},

	schema.StatusCheckpointReset: {nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.shutdown()
		require.NoError(h.t, os.Remove(h.settings["checkpoint_path"]))
		h.start()
		h.liveWith(2)
	}, 1, "it was lost or moved away"},

	schema.StatusRetentionGap: {nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.shutdown()
		time.Sleep(100 * day)
		h.start()
		h.liveWith(3)
	}, 1, "the endpoint keeps events for 90 days only"},

	schema.StatusRefused: {map[string]string{"retry_max_interval": "1m"}, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.server.SetCredentials("another key", "")
		h.liveWith(15)
	}, 1, "this probably needs a person"},

	schema.StatusRefusedOver: {map[string]string{"retry_max_interval": "1m"}, func(h *simHost) {
		h.start()
		h.liveWith(2)
		for range 2 {
			h.server.SetCredentials("another key", "")
			h.liveWith(8)
			h.server.SetCredentials("key", "")
			h.liveWith(4)
		}
	}, 2, "the endpoint answers again after "},

	schema.StatusStalled: {nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		for range 2 { // once for each standstill, whatever errors follow one another in it
			for status := range 30 {
				h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{Status: 500 + status%5} })
				time.Sleep(time.Minute)
			}
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{} })
			h.liveWith(10)
		}
	}, 2, "the collection has stood still for 15m"},

	schema.StatusStalledOver: {nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{HTML: true} })
		time.Sleep(30 * time.Minute)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{} })
		h.liveWith(10)
	}, 1, "the collection goes on"},

	schema.StatusCredentialSwitched: {
		nil,
		func(h *simHost) {
			h.settings["api_key_file_next"] = h.settings["checkpoint_path"] + ".next"
			h.start()
			h.liveWith(2)
			h.writeKey(h.settings["api_key_file_next"], "another-key")
			h.server.SetCredentials("another-key", "")
			h.liveWith(2)
		}, 1, "credential_switched: ",
	},

	schema.StatusCredentialExpires: {map[string]string{"credential_expires": "2009-12-30"}, func(h *simHost) {
		h.start()
		h.liveWith(2)
	}, 1, "the credential expires in "},

	schema.StatusReconciled: {reconciling(nil), func(h *simHost) {
		h.start()
		h.liveFor(2)
		h.happenLate(3, time.Hour)
		h.liveFor(2)
		h.happenLate(4, time.Hour)
		h.liveFor(130)
	}, 2, "their minutes were forwarded again"},

	schema.StatusOverlapTooShort: {reconciling(nil), func(h *simHost) {
		h.start()
		h.liveFor(2)
		h.happenLate(3, time.Hour)
		h.liveFor(130)
	}, 1, "caught, at most "},

	schema.StatusRefetched: {nil, func(h *simHost) {
		engine := newSimEngine(h)
		h.start()
		h.liveWith(2)
		engine.set(func(s *simEngine) { s.drop = 1 })
		h.liveWith(4)
	}, 1, "an output dropped records"},

	schema.StatusRowLimit: {nil, func(h *simHost) {
		h.limitSilently(200, true)
		h.happen(300)
		h.start()
		h.liveWith(5)
	}, 1, "the endpoint leaves out what goes beyond 200 rows"},

	schema.StatusRowGap: {nil, func(h *simHost) {
		h.limitSilently(200, false)
		h.crowd(300, h.now().Add(-20*time.Minute).Truncate(time.Second), 0)
		h.happen(300)
		h.start()
		h.liveWith(5)
	}, 1, "and leaves out the others"},

	schema.StatusCountMismatch: {nil, func(h *simHost) {
		h.happen(300)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off = 3 })
		h.start()
		time.Sleep(20 * time.Second) // one poll
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off = 0 })
		h.liveWith(5)
	}, 1, "the endpoint counts more events of "},

	schema.StatusSetAside: {nil, func(h *simHost) {
		engine := newSimEngine(h)
		h.start()
		h.liveWith(2)
		bad := h.badEvent()
		engine.set(func(s *simEngine) { s.reject = only(bad, "") })
		h.liveWith(12)
	}, 1, "is refused for good by an output: it is kept in "},

	schema.StatusRewound: {nil, func(h *simHost) {
		h.start()
		h.liveWith(5)
		h.shutdown()
		h.rewind(h.now().Add(-30*time.Minute), "an index was lost")
		h.start()
		h.liveWith(3)
		h.shutdown()
		h.start()
		h.liveWith(3)
	}, 1, "the checkpoint was moved back by hand from "},
	schema.StatusGapAccepted: {nil, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.shutdown()
		time.Sleep(20 * time.Minute)
		h.forward(h.now().Add(-time.Minute), "not wanted")
		h.start()
		h.liveWith(3)
		h.shutdown()
		h.start()
		h.liveWith(3)
	}, 1, "the checkpoint was moved forward by hand from "},
	schema.StatusColumnsChanged: {nil, func(h *simHost) {
		h.start()
		h.liveWith(3)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Extra = []string{"severity"} })
		h.liveWith(3)
		h.shutdown()
		h.start()
		h.liveWith(3)
	}, 1, "the export's columns changed: new severity; gone none"},
}

// statusOf returns the kind of a status event and "" for an audit event.
func statusOf(t *testing.T, shape schema.Name, record map[string]any) schema.Kind {
	t.Helper()
	var kind any
	switch shape {
	case schema.Raw:
		kind = record["status"]
	case schema.ECS:
		event := record["event"].(map[string]any)
		if event["dataset"] == "wherobots.status" {
			kind = event["action"]
		}
	case schema.OCSF, schema.OCSFFine:
		if record["class_uid"] == int64(0) {
			kind = record["activity_name"]
		}
	}
	text, _ := kind.(string)
	return schema.Kind(text)
}

func (h *simHost) statuses(shape schema.Name) map[schema.Kind]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[schema.Kind]int)
	for _, event := range h.delivered {
		if kind := statusOf(h.t, shape, event.Record); kind != "" {
			out[kind]++
		}
	}
	return out
}

func TestEachStatusComesInTheSituationThatItNames(t *testing.T) {
	for i, kind := range statusKinds {
		c, found := statusCases[kind]
		require.True(t, found, "%s has no situation", kind)
		shape := allSchemas[i%len(allSchemas)] // TestEveryStatusConforms has each kind in each shape
		for _, on := range []string{"on", "off"} {
			t.Run(string(kind)+" "+string(shape)+" "+on, func(t *testing.T) {
				settings := map[string]string{"status_events": on, "schema": string(shape)}
				for key, value := range c.settings {
					settings[key] = value
				}
				inBubble(t, settings, func(h *simHost) {
					c.happens(h)
					require.Contains(t, h.logged(), c.log)
					if on == "off" {
						require.Empty(t, h.statuses(shape))
						return
					}
					require.Equal(t, c.times, h.statuses(shape)[kind], "all: %v, log:\n%s", h.statuses(shape), h.logged())
				})
			})
		}
	}
}

// A healthy collection tells nothing but its beginning.
func TestNoStatusWithoutASituation(t *testing.T) {
	for _, shape := range allSchemas {
		settings := map[string]string{"status_events": "on", "status_interval": "0", "schema": string(shape)}
		inBubble(t, reconciling(settings), func(h *simHost) {
			h.start()
			h.liveFor(70)
			h.shutdown()
			h.start()
			h.liveFor(10)
			require.Equal(t, map[schema.Kind]int{schema.StatusStarted: 1}, h.statuses(shape))
		})
	}
}

// The endpoint refuses from the first request on: that is told before there is anything else, and changes
// nothing about where to begin.
func TestRefusedFromTheStartIsTold(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on", "retry_max_interval": "1m"}, func(h *simHost) {
		h.happen(20)
		h.server.SetCredentials("another key", "")
		h.start()
		time.Sleep(8 * time.Minute)
		require.Equal(t, map[schema.Kind]int{schema.StatusRefused: 1}, h.statuses(schema.Raw), h.logged())
		h.shutdown()
		h.start()
		time.Sleep(2 * time.Minute)
		h.server.SetCredentials("key", "")
		time.Sleep(3 * time.Minute)
		h.requireAll()
		require.LessOrEqual(t, len(h.exports()), 30)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusStarted])
		require.Zero(t, h.statuses(schema.Raw)[schema.StatusCheckpointReset])
	})
}

// That a checkpoint is gone is told by the first start that gets an answer, not forgotten by those before it.
func TestALostCheckpointIsToldOnceTheEndpointAnswers(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
		h.start()
		h.liveWith(2)
		h.shutdown()
		require.NoError(t, os.Remove(h.settings["checkpoint_path"]))
		h.server.SetCredentials("another key", "")
		for range 2 {
			h.start()
			time.Sleep(time.Minute)
			h.kill()
		}
		h.server.SetCredentials("key", "")
		h.start()
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusCheckpointReset], h.logged())
		require.Contains(t, h.logged(), "it was lost or moved away")
	})
}

// A status event that was in a batch in doubt comes again, under the same id.
func TestAStatusSurvivesAKillOfItsBatch(t *testing.T) {
	inBubble(t, map[string]string{"status_events": "on"}, func(h *simHost) {
		h.drop(true)
		h.setSlow(true)
		h.start()
		time.Sleep(10 * time.Second)
		h.drop(false)
		h.setSlow(false)
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, h.statuses(schema.Raw)[schema.StatusStarted], h.logged())
	})
}
