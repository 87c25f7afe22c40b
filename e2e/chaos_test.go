package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// chaosCase is a way of storing and committing that promises to lose nothing
// when the process is killed. Memory storage with commit_on handoff does not.
type chaosCase struct {
	commitOn string
	memory   bool
}

var chaosCases = []chaosCase{{"handoff", false}, {"delivery", false}, {"delivery", true}}

func (c chaosCase) storage() string {
	if c.memory {
		return "memory"
	}
	return "filesystem"
}

// longest is the longest life of a process: twice what it takes until the
// checkpoint first moves, so that half of the kills come before and half after.
func (c chaosCase) longest(h host) time.Duration {
	if _, real := h.(engine); real && c.commitOn == "delivery" {
		return 20 * time.Second // the engine's figures are up to 5 s old
	}
	return 6 * time.Second
}

// outcome is one line of the reliability table.
type outcome struct {
	host, commitOn, storage         string
	kills, faults, refusals, events int
	lost, doubled, resent           int
}

// Live events, some of them late, while the host is killed at random moments, the
// endpoint fails in every class, cuts and hangs, and the destination refuses: at
// the end nothing is lost, and event_id tells all doubles.
func TestChaos(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var table []outcome
	t.Run("all", func(t *testing.T) {
		for _, c := range chaosCases {
			t.Run(c.commitOn+" "+c.storage(), func(t *testing.T) {
				t.Parallel()
				onEachHost(t, func(t *testing.T, h host) {
					o := chaos(t, h, c)
					mu.Lock()
					table = append(table, o)
					mu.Unlock()
					assert.Zero(t, o.lost, "events lost")
					assert.Zero(t, o.doubled, "events doubled after de-duplication")
				})
			})
		}
	})
	text := markdown(table)
	fmt.Print(text)
	require.NoError(t, os.WriteFile(filepath.Join(root, "build", "chaos.md"), []byte(text), 0o600))
}

func chaos(t *testing.T, h host, c chaosCase) outcome {
	t.Helper()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	s := newSource(t, past(2000)...)
	s.SetChaos(exportertest.Chaos{Seed: seed, Fail: 0.2, Cut: 0.1, Hang: 0.02})
	sink := newRefusingSink(t, 0.2)
	r := newRig(t, h, s.url).set("commit_on", c.commitOn, "request_timeout", "2s", "max_window", "2h")
	r.memory, r.sink, r.flags = c.memory, sink, []string{"--refuse", "0.2", "--deliver-after-ms", "200", "--storage-refresh-ms", "500"}
	if c.commitOn == "delivery" {
		r.port = freePort(t)
		r.set("engine_url", fmt.Sprintf("http://127.0.0.1:%d", r.port))
	}

	stop := s.live(t, 5*time.Second)
	for range *chaosKills {
		p := r.start(t)
		select {
		case <-time.After(time.Duration(random.Int64N(int64(c.longest(h))))):
		case <-p.done:
			require.FailNow(t, "the host ended by itself", "%v", p.err)
		}
		p.kill()
	}
	stop()
	time.Sleep(5 * time.Second) // the last late event is visible now
	p := r.start(t)
	p.until(2*time.Minute, "every event", func() bool {
		missing, _ := compare(s.Events(), r.records(t, *chaosKills))
		return len(missing) == 0
	})
	p.stop()
	o := weigh(s, r.records(t, *chaosKills))
	o.host, o.commitOn, o.storage, o.kills = h.name(), c.commitOn, c.storage(), *chaosKills
	o.refusals = sink.count() + strings.Count(r.log(t), "[host] delivery refused")
	return o
}

// weigh compares source and sink.
func weigh(s *source, records []record) outcome {
	missing, _ := compare(s.Events(), records)
	known := map[string]bool{}
	for _, e := range s.Events() {
		known[e.ID] = true
	}
	distinct := map[string]bool{} // an event with two contents is one too many
	for _, r := range records {
		text, _ := json.Marshal(r.fields)
		distinct[string(text)] = true
	}
	o := outcome{events: len(known), lost: len(missing)}
	o.resent = len(records) - (len(known) - len(missing))
	o.doubled = len(distinct) - (len(known) - len(missing))
	for _, request := range s.Requests() {
		if request.Status != http.StatusOK || request.Fault != "" {
			o.faults++
		}
	}
	return o
}

func markdown(table []outcome) string {
	var text strings.Builder
	text.WriteString("| host | commit_on | storage | kills | failed requests | refused deliveries | events | lost | doubled after de-duplication | re-sent |\n")
	text.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range table {
		fmt.Fprintf(&text, "| %s | %s | %s | %d | %d | %d | %d | %d | %d | %d |\n",
			o.host, o.commitOn, o.storage, o.kills, o.faults, o.refusals, o.events, o.lost, o.doubled, o.resent)
	}
	return text.String()
}
