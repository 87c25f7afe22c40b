package exporter

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
)

const day = 24 * time.Hour

// simHost is Fluent Bit in fake time, as the ledger's comment describes it: it collects once a second, keeps
// what it copied in a ring that is emptied every 250 ms, and delivers what was emptied. A kill loses the
// ring.
type simHost struct {
	t        *testing.T
	server   *exportertest.Server
	settings map[string]string
	engine   http.RoundTripper                         // monitoring API, for commit_on delivery
	take     func([]records.Event)                     // gets what left the ring; nil = it is delivered at once
	live     func(stop <-chan struct{})                // what else runs as long as the engine does
	wrap     func(http.RoundTripper) http.RoundTripper // around the way to the endpoint
	prepare  func(e *Exporter)                         // before it starts

	e         *Exporter
	stop      chan struct{}
	filled    chan struct{} // something may be in the ring
	wg        sync.WaitGroup
	mu        sync.Mutex
	ring      [][]byte
	keep      bool     // batches are kept as they were handed over …
	kept      [][]byte // … here
	delivered []records.Event
	log       []string
	dropping  bool          // batches that are emptied from the ring vanish
	slow      bool          // the ring is full: an append takes a second and drops the batch
	silent    bool          // the engine's defect: collect is not called
	happened  int64         // calls of happen
	offset    time.Duration // of the server's clock
}

const ringInterval = 250 * time.Millisecond

// inBubble runs test in fake time against a host with an endpoint that has the given settings on top of the defaults.
func inBubble(t *testing.T, settings map[string]string, test func(h *simHost)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * 365 * day) // a bubble begins in the year 2000, before anything that is allowed
		all := map[string]string{
			"endpoint": "https://api.example.test", "api_key": "key", "checkpoint_path": path,
			"start_time": time.Now().Add(-time.Hour).Format(time.RFC3339), "reconcile_interval": "0",
		}
		for key, value := range settings {
			all[key] = value
		}
		h := &simHost{t: t, settings: all}
		h.server = exportertest.New(exportertest.Options{APIKey: "key", Clock: h.now})
		defer h.kill() // also when the test fails: a bubble's goroutines must end
		test(h)
	})
}

func (h *simHost) start() {
	h.t.Helper()
	require.NoError(h.t, h.tryStart())
}

// setting is what is set for a key. The name of a shape of records stands for the two settings that choose it.
func (h *simHost) setting(key string) string {
	if h.settings["schema"] == string(schema.OCSFFine) {
		switch key {
		case "schema":
			return string(schema.OCSF)
		case "ocsf_class":
			return "fine"
		}
	}
	return h.settings[key]
}

func (h *simHost) tryStart() error {
	cfg, err := config.Parse(h.setting)
	if err != nil {
		return err
	}
	endpoint := h.server.Transport()
	if h.wrap != nil {
		endpoint = h.wrap(endpoint)
	}
	e, err := newExporter(context.Background(), cfg, handover.OnTime, endpoint, h.engine, nil)
	if err != nil {
		return err
	}
	h.e, h.stop, h.filled = e, make(chan struct{}), make(chan struct{}, 1)
	if h.prepare != nil {
		h.prepare(e)
	}
	e.Start()
	h.wg.Go(h.collect)
	h.wg.Go(h.empty)
	if h.live != nil {
		stop := h.stop
		h.wg.Go(func() { h.live(stop) })
	}
	return nil
}

// The host's parts wake at different moments, so that which of them comes first is not left to the scheduler.
const (
	collectPhase = 3 * time.Millisecond
	ringPhase    = 5 * time.Millisecond
	enginePhase  = 7 * time.Millisecond
)

func (h *simHost) collect() {
	time.Sleep(collectPhase)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-ticker.C:
			if h.isSilent() {
				continue
			}
			if data := h.e.Next(); len(data) > 0 {
				h.copyBatch(data)
				h.e.Accepted()
			}
			h.takeLines()
		}
	}
}

func (h *simHost) copyBatch(data []byte) {
	h.mu.Lock()
	slow := h.slow
	if !slow {
		h.ring = append(h.ring, slices.Clone(data))
		if h.keep {
			h.kept = append(h.kept, slices.Clone(data))
		}
	}
	h.mu.Unlock()
	select {
	case h.filled <- struct{}{}:
	default:
	}
	if slow {
		time.Sleep(time.Second)
	}
}

// drop reports whether what is in the ring vanishes.
func (h *simHost) drop(dropping bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropping = dropping
}

func (h *simHost) empty() {
	time.Sleep(ringPhase)
	for begin := time.Now(); ; {
		select {
		case <-h.stop:
			return
		case <-h.filled: // a tick with nothing to do is left out: months are simulated
		}
		select {
		case <-h.stop:
			return
		case <-time.After(ringInterval - time.Since(begin)%ringInterval):
			h.emptyRing()
		}
	}
}

func (h *simHost) emptyRing() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, data := range h.ring {
		switch {
		case h.dropping:
		case h.take != nil:
			h.take(records.Events(h.t, data))
		default:
			h.delivered = append(h.delivered, records.Events(h.t, data)...)
		}
	}
	h.ring = nil
}

// deliver is what an output does.
func (h *simHost) deliver(events []records.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered = append(h.delivered, events...)
}

// now is the server's clock.
func (h *simHost) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.offset)
}

// setServerClock puts the server's clock that much ahead of the local one.
func (h *simHost) setServerClock(ahead time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset = ahead
}

// setSilent stops and starts the collect calls.
func (h *simHost) setSilent(silent bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = silent
}

func (h *simHost) isSilent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.silent
}

// setSlow fills the ring.
func (h *simHost) setSlow(slow bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slow = slow
}

func (h *simHost) takeLines() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.e.Lines() {
		h.log = append(h.log, fmt.Sprintf("%d %s", line.Level, line.Text))
	}
}

// clearLog forgets what was logged.
func (h *simHost) clearLog() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = nil
}

// kill ends everything at this moment, as SIGKILL does: what is in the ring is lost and nothing is saved.
func (h *simHost) kill() {
	if h.e == nil {
		return
	}
	close(h.stop)
	h.wg.Wait()
	h.e.abandon()
	h.takeLines()
	h.mu.Lock()
	h.ring = nil
	h.mu.Unlock()
	h.e = nil
}

// shutdown ends everything as SIGTERM does: a pause, a grace period of up to a second, a second pause, exit.
func (h *simHost) shutdown() {
	h.e.Pause()
	time.Sleep(time.Second - time.Duration(time.Now().Nanosecond()))
	h.e.Pause()
	close(h.stop)
	h.wg.Wait()
	h.emptyRing()
	err := h.e.Close()
	h.takeLines()
	h.e = nil // first, since a test that fails here kills what is still there
	require.NoError(h.t, err)
}

// abandon is Close without its last save.
func (e *Exporter) abandon() {
	fleet.leave(e)
	e.cancel()
	e.done.Wait()
	e.file.Close()
}

// arrived returns how often each event was delivered, by event_id.
func (h *simHost) arrived() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	times := make(map[string]int)
	for _, event := range h.delivered {
		id, _ := event.Record["event_id"].(string)
		times[id]++
	}
	return times
}

// requireOnce checks that every event of the endpoint arrived, once.
func (h *simHost) requireOnce() {
	h.t.Helper()
	times := h.arrived()
	for _, event := range h.server.Events() {
		require.Equal(h.t, 1, times[event.ID], "event %s of %s, log:\n%s", event.ID, event.Time, h.logged())
	}
	require.Len(h.t, times, len(h.server.Events()))
}

// requireAll checks that every event of the endpoint arrived, however often.
func (h *simHost) requireAll() {
	h.t.Helper()
	times := h.arrived()
	for _, event := range h.server.Events() {
		require.NotZero(h.t, times[event.ID], "event %s of %s is lost, log:\n%s", event.ID, event.Time, h.logged())
	}
}

func (h *simHost) logged() string {
	if h.e != nil {
		h.takeLines()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.log, "\n")
}

// happen adds n events that happen now, a second apart backwards.
func (h *simHost) happen(n int) {
	now := h.now()
	h.happened++
	begin := now.Add(-time.Duration(n) * time.Second)
	h.server.Add(exportertest.Generate(now.UnixNano()+1e12*h.happened, n, begin, now)...)
}

// exports are the requests for the export.
func (h *simHost) exports() (requests []exportertest.Request) {
	for _, r := range h.server.Requests() {
		if r.Path == exportertest.Path {
			requests = append(requests, r)
		}
	}
	return requests
}

// count says how often part is in text.
func count(text, part string) int { return strings.Count(text, part) }
