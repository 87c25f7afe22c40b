package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// chaosCase is a way of storing and committing, and what happens besides.
type chaosCase struct {
	commitOn string
	memory   bool
	ordeal   string
}

var chaosCases = []chaosCase{
	{"handoff", false, ""},
	{"delivery", false, ""},
	{"delivery", true, ""},
	{"handoff", true, ""},
	{"handoff", false, "re-emitted"},
	{"delivery", false, "re-emitted"},
	{"handoff", true, "unmatched"},
	{"delivery", false, "unmatched"},
	{"handoff", false, "full disk"},
	{"delivery", false, "full disk"},
	{"handoff", false, "slow disk"},
	{"delivery", true, "backpressure"},
	{"delivery", false, "deep"},
}

// usualCases is how many of them CI goes through; make chaos goes through all.
const usualCases = 3

func (c chaosCase) storage() string {
	if c.memory {
		return "memory"
	}
	return "filesystem"
}

// longest is the longest life of a process: twice what it takes until the
// checkpoint first moves, so that half of the kills come before and half after.
func (c chaosCase) longest(h host) time.Duration {
	if _, real := h.(engine); real && (c.commitOn == "delivery" || c.memory || c.ordeal == "re-emitted") {
		return 20 * time.Second // the engine's figures are up to 5 s old
	}
	return 6 * time.Second
}

// outcome is one line of the reliability table.
type outcome struct {
	host, commitOn, storage, besides string
	kills, faults, refusals, events  int
	lost, doubled, resent            int
}

// Live events, some of them late, while the host is killed at random moments, the
// endpoint fails in every class, cuts and hangs, and the destination refuses: at
// the end nothing is lost, and event_id tells all doubles.
func TestChaos(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var table []outcome
	t.Run("all", func(t *testing.T) {
		cases := chaosCases[:usualCases]
		if *chaosKills > usualKills {
			cases = chaosCases
		}
		for _, c := range cases {
			t.Run(strings.TrimSpace(c.commitOn+" "+c.storage()+" "+c.ordeal), func(t *testing.T) {
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
	if *chaosDoc != "" && !t.Failed() {
		writeBetween(t, *chaosDoc, "<!-- chaos:begin -->\n", "<!-- chaos:end -->", text)
	}
}

// writeBetween replaces what stands between two marks of a file.
func writeBetween(t *testing.T, path, begin, end, text string) {
	t.Helper()
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, begun := strings.Cut(string(old), begin)
	_, after, ended := strings.Cut(rest, end)
	require.True(t, begun && ended, "%s has no %s … %s", path, begin, end)
	require.NoError(t, os.WriteFile(path, []byte(before+begin+text+end+after), 0o644))
}

func chaos(t *testing.T, h host, c chaosCase) outcome {
	t.Helper()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	s := newSource(t, past(2000)...)
	faults := exportertest.Chaos{Seed: seed, Fail: 0.2, Cut: 0.1, Hang: 0.02}
	patience := 90 * time.Second
	if *chaosKills > usualKills { // make chaos: so much trouble takes its time
		faults.Ill, patience = 0.05, 10*time.Minute
		s.SetAnswers(func(a *exportertest.Answers) {
			a.Limit = exportertest.SilentLimit{Rows: 256, Newest: seed%2 == 0}
			a.Count.Off = int(seed%7) - 3 // what the endpoint counts need not be true
		})
	}
	s.SetChaos(faults)
	sink := newRefusingSink(t, 0.2)
	r := &inOrdeal{rig: newRig(t, h, s.url)}
	r.set("commit_on", c.commitOn, "request_timeout", "2s", "max_window", "2h")
	r.memory, r.sink, r.flags = c.memory, sink, []string{
		"--refuse", "0.2", "--deliver-after-ms", "200", "--storage-refresh-ms", "500",
	}
	if c.commitOn == "delivery" || c.ordeal != "" && c.ordeal != "slow disk" || c.memory {
		r.listen(t)
	}
	ordeal := ordeals[c.ordeal]
	if ordeal.set != nil {
		ordeal.set(t, r)
	}

	stop, stopBeside := s.live(t, 5*time.Second), ordeal.goesOn(t, s)
	for n := range *chaosKills {
		ordeal.prepares(r, n)
		p := r.start(t)
		select {
		case <-time.After(life(random, c.longest(h))):
		case <-p.done:
			require.FailNow(t, "the host ended by itself", "%v", p.err)
		}
		p.kill()
	}
	stop()
	stopBeside()
	time.Sleep(5 * time.Second) // the last late event is visible now
	r.calm = true
	if ordeal.well {
		s.SetChaos(exportertest.Chaos{})
	}
	ordeal.prepares(r, 0)
	p := r.start(t)
	if ordeal.end != nil {
		ordeal.end(s)
	}
	for end := time.Now().Add(patience); time.Now().Before(end) && p.alive(); time.Sleep(time.Second) {
		if missing, _ := compare(s.Events(), r.records(t, *chaosKills)); len(missing) == 0 {
			break
		}
	}
	p.stop()
	o := weigh(t, s, r.records(t, *chaosKills))
	o.host, o.commitOn, o.storage, o.kills, o.besides = h.name(), c.commitOn, c.storage(), *chaosKills, ordeal.name
	assert.Contains(t, r.log(t), ordeal.said)
	o.refusals = sink.count() + strings.Count(r.log(t), "[host] delivery refused")
	return o
}

// life is how long the next process lives: to a random moment, or, every other
// time, to one of the 300 ms after a collect call, in which what it handed over
// is only in the engine's ring. Hosts collect at full seconds of the monotonic
// clock.
func life(random *rand.Rand, longest time.Duration) time.Duration {
	d := time.Duration(random.Int64N(int64(longest)))
	if random.IntN(2) == 0 {
		return d
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return d
	}
	end := time.Duration(now.Nano()) + d
	return d - end%time.Second + time.Second + time.Duration(random.Int64N(int64(300*time.Millisecond)))
}

// weigh compares source and sink.
func weigh(t *testing.T, s *source, records []record) outcome {
	t.Helper()
	missing, _ := compare(s.Events(), records)
	contents := map[string]map[string]bool{} // of each event, by its id: two of them are one too many
	for _, e := range s.Events() {
		contents[e.ID] = map[string]bool{}
	}
	o := outcome{events: len(contents), lost: len(missing), resent: len(missing) - len(contents)}
	for _, r := range records {
		seen, known := contents[r.id()]
		if !known { // a line that an ill endpoint put among the rows
			continue
		}
		o.resent++
		text, _ := json.Marshal(r.fields)
		if seen[string(text)] = true; len(seen) > 1 {
			t.Logf("%s has several contents: %v", r.id(), seen)
		}
	}
	for _, seen := range contents {
		o.doubled += max(0, len(seen)-1)
	}
	for _, request := range s.Requests() {
		if request.Status != http.StatusOK || request.Fault != "" {
			o.faults++
		}
	}
	return o
}

func markdown(table []outcome) string {
	var text strings.Builder
	slices.SortFunc(table, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.besides, b.besides), cmp.Compare(b.commitOn, a.commitOn),
			cmp.Compare(a.storage, b.storage))
	})
	text.WriteString("| host | commit_on | storage | besides | kills | failed requests | refused deliveries | events | " +
		"lost | doubled after de-duplication | re-sent |\n")
	text.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range table {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %d | %d | %d | %d | %d | %d | %d |\n",
			o.host, o.commitOn, o.storage, o.besides, o.kills, o.faults, o.refusals, o.events, o.lost, o.doubled, o.resent)
	}
	return text.String()
}
