package exporter

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// The model is one sentence: every event that was visible for longer than the overlap arrived; once, unless something
// happened that may cost a repetition. history_test.go draws what happens: events, late events, ties, failing
// answers, too large windows, pauses, drops, kills, restarts, clock steps, a disk that fails.

// modelStep is one thing that happens.
type modelStep struct {
	kind  string
	n     int
	delay time.Duration // how late its events appear, or how long it lasts
	ill   exportertest.Ill
}

func (s modelStep) String() string {
	text := fmt.Sprintf("%s n=%d delay=%s", s.kind, s.n, s.delay)
	if s.kind == "ill" {
		text += " " + s.ill.Name
	}
	return text
}

// modelIlls are the ways to answer badly that a run draws from: all but those that no answer shows, and those
// that take away the ids that the model goes by.
var modelIlls = slices.DeleteFunc(exportertest.Ills(), func(ill exportertest.Ill) bool {
	return ill.Silent || strings.HasPrefix(ill.Name, "one id")
})

// repeats are the steps after which an event may arrive again: something handed over was lost or could not be
// known to be safe.
var repeats = map[string]bool{"kill": true, "drop": true, "pause": true, "server clock": true}

// modelKinds are the steps that a history is drawn from; what is there more often comes more often.
var modelKinds = []string{
	"events", "events", "events", "late events", "ties", "wait", "wait", "fail", "cut", "hang",
	"odd events", "row limit", "kill", "shutdown", "reload", "pause", "drop", "server clock", "order",
	"ill", "ill", "ill", "disk",
}

// mostTies is more than the events of a step.
const mostTies = 41

// outputKinds are the steps that commit_on delivery knows besides.
var outputKinds = []string{"slow output", "output drops", "never counted", "no figures"}

// model is one run.
type model struct {
	h      *simHost
	engine *simEngine   // with commit_on delivery
	offset atomic.Int64 // of the server's clock, in nanoseconds
	may    bool         // an event may have arrived more than once

	volatile bool // as may, but only one whose row is bad: its text has a volatile column, or its columns otherwise

	healing time.Duration // how long it takes until all is well again
}

// stepPhase keeps steps away from the moment of a start or of a poll: which comes first would be left to the scheduler.
const stepPhase = 617 * time.Microsecond

func playModel(t *testing.T, path string, what history) (failure, trace string) {
	time.Sleep(10 * 365 * day)
	m := &model{healing: 11 * time.Minute}
	m.h = &simHost{t: t, settings: map[string]string{
		"endpoint": "https://api.example.test", "api_key": "key", "checkpoint_path": filepath.Join(path, "checkpoint.json"),
		"start_time": time.Now().Add(-30 * time.Minute).Format(time.RFC3339), "reconcile_interval": "0",
	}}
	for key, value := range what.settings {
		m.h.settings[key] = value
	}
	m.h.server = exportertest.New(exportertest.Options{
		APIKey: "key",
		Clock:  func() time.Time { return time.Now().Add(time.Duration(m.offset.Load())) },
	})
	m.h.server.SetAnswers(func(a *exportertest.Answers) { a.Limit, a.Count = what.limit, what.count })
	if what.delivery {
		m.engine = newSimEngine(m.h)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	m.h.start()
	for _, step := range what.steps {
		time.Sleep(stepPhase)
		m.play(step)
	}
	m.settle()
	failure = m.check(what)
	trace = fmt.Sprintf("%v\n%s", m.h.arrived(), m.h.logged())
	m.h.kill()
	return failure, trace
}

func (m *model) play(s modelStep) {
	h := m.h
	// With delivery, what an output has and is not proven to have is fetched again after a planned end too.
	m.may = m.may || repeats[s.kind] || m.engine != nil && (s.kind == "shutdown" || s.kind == "reload")
	switch s.kind {
	case "events":
		m.events(s.n, 0)
	case "late events":
		m.events(s.n, s.delay)
	case "very late events":
		m.veryLate(s.n, 30*s.delay)
	case "odd events":
		m.oddEvents(s.n, s.delay)
	case "ties":
		now := m.now()
		for i := range s.n {
			h.server.Add(exportertest.Event{ID: fmt.Sprintf("tie-%d-%d", now.UnixNano(), i), Time: now, Action: "login"})
		}
		time.Sleep(time.Millisecond)
	case "wait":
		time.Sleep(s.delay)
	case "fail":
		for i := range s.n % 5 {
			h.server.Fail(exportertest.Fault{Status: []int{500, 503, 429, 401, 403, http.StatusConflict}[(s.n+i)%6]})
		}
	case "cut":
		h.server.Fail(exportertest.Fault{CutAfter: 1 + 300*s.n})
	case "hang":
		h.server.Fail(exportertest.Fault{Hang: true})
	case "row limit":
		h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit = 10 * s.n })
	case "order":
		h.server.SetAnswers(func(a *exportertest.Answers) {
			a.Order = []exportertest.Order{exportertest.Ascending, exportertest.Descending, exportertest.Shuffled}[s.n%3]
		})
	case "kill":
		h.kill()
		time.Sleep(s.delay / 10)
		h.start()
	case "shutdown", "reload":
		h.shutdown()
		if s.kind == "shutdown" {
			time.Sleep(s.delay / 10)
		}
		h.start()
	case "pause":
		h.e.Pause()
		h.drop(true) // what is in the ring while the input is paused for memory is gone
		time.Sleep(s.delay / 10)
		h.drop(false)
		h.e.Resume()
	case "drop":
		m.fullRing()
	case "ill":
		m.fallIll(s)
	case "disk":
		m.withoutDisk(s.delay)
	case "slow output", "output drops", "never counted", "no figures":
		m.output(s)
	case "server clock":
		m.healing = max(m.healing, time.Hour)
		m.offset.Add(int64(s.delay - 2*time.Minute))
	}
}

// fallIll lets the endpoint answer badly for a while.
func (m *model) fallIll(s modelStep) {
	m.volatile = m.volatile || s.ill.Name == "volatile column" || s.ill.Name == "joined"
	size := s.n
	if strings.HasPrefix(s.ill.Name, "limit") {
		size += mostTies // what happens at one instant can be had, or it would be lost for good
	}
	m.h.server.Play(exportertest.Episode{Ill: s.ill.Name, Size: size, Lasts: s.delay})
	// What was read while rows looked otherwise, cut ones too, or under another clock may come again.
	m.may = m.may || s.ill.Alters && s.ill.Name != "volatile column" || strings.Contains(s.ill.Name, "Date") ||
		strings.Contains(s.ill.Name, "inside a field") || strings.HasPrefix(s.ill.Name, "cut off")
	if strings.Contains(s.ill.Name, "Date") {
		m.healing = max(m.healing, time.Hour)
	}
}

// withoutDisk lets no checkpoint be saved for so long.
func (m *model) withoutDisk(lasts time.Duration) {
	dir := filepath.Dir(m.h.settings["checkpoint_path"])
	if err := os.Rename(dir, dir+".away"); err != nil {
		m.h.t.Fatal(err)
	}
	time.Sleep(lasts)
	if err := os.Rename(dir+".away", dir); err != nil {
		m.h.t.Fatal(err)
	}
	m.may = true // what was handed over and could not be noted is handed over again
}

// output lets an output or the monitoring API behave badly for a while.
func (m *model) output(s modelStep) {
	change, back := func(*simEngine) {}, func(*simEngine) {}
	switch s.kind {
	case "slow output":
		change = func(e *simEngine) { e.latency = s.delay }
		back = func(e *simEngine) { e.latency = time.Second }
	case "output drops":
		change = func(e *simEngine) { e.drop = s.n % 4 }
	case "never counted":
		change = func(e *simEngine) { e.swallow = s.n % 3 }
		m.healing += time.Hour // losses in a row are looked for again after half an hour
	case "no figures":
		change = func(e *simEngine) { e.away = true }
		back = func(e *simEngine) { e.away = false }
	}
	m.may = true
	m.engine.set(change)
	time.Sleep(s.delay)
	m.engine.set(back)
}

// bad reports whether an event makes a bad row.
func bad(e exportertest.Event) bool {
	return e.Flaw != exportertest.Flawless || e.Time.Year() < 1970 || e.Time.Year() > 2106
}

// fullRing is an engine whose ring is full: the append takes a second and then drops.
func (m *model) fullRing() {
	m.h.mu.Lock()
	m.h.slow = true
	m.h.mu.Unlock()
	time.Sleep(3 * time.Second)
	m.h.mu.Lock()
	m.h.slow = false
	m.h.mu.Unlock()
}

func (m *model) now() time.Time { return time.Now().Add(time.Duration(m.offset.Load())) }

// events adds n events of the last seconds that appear late by delay.
func (m *model) events(n int, delay time.Duration) {
	now := m.now()
	events := exportertest.Generate(time.Now().UnixNano(), n, now.Add(-time.Duration(n)*50*time.Millisecond), now)
	for i := range events {
		events[i].Visible = events[i].Time.Add(delay)
	}
	m.h.server.Add(events...)
	time.Sleep(time.Millisecond)
}

// veryLate adds n events of this moment that appear so late that only deep reconciliation finds them: once their hour
// is over, within a pass.
func (m *model) veryLate(n int, delay time.Duration) {
	m.events(n, delay)
	m.healing = max(m.healing, delay+2*time.Hour)
	m.may = m.may || n > 3 // more than sums can tell: all of their hour are sent again
}

// modelOddities are the ways to be odd that leave events their ids: a stray quote may take in those of other rows.
var modelOddities = slices.DeleteFunc(slices.Clone(exportertest.Oddities), func(o exportertest.Oddity) bool {
	return o.Name == "no id" || strings.Contains(o.Name, "quote")
})

// oddEvents adds n events that are dated or written wrongly, each in another way, and appear late by delay.
func (m *model) oddEvents(n int, delay time.Duration) {
	now := m.now()
	events := exportertest.Generate(time.Now().UnixNano(), n, now.Add(-time.Duration(n)*50*time.Millisecond), now)
	for i := range events {
		events[i].Visible = events[i].Time.Add(delay)
		events[i] = modelOddities[(n+i)%len(modelOddities)].Make(events[i])
	}
	m.h.server.Add(events...)
	time.Sleep(time.Millisecond)
}

// settle lets everything heal: the endpoint answers, the engine collects, and the overlap passes.
func (m *model) settle() {
	m.h.server.Heal()
	m.h.server.SetAnswers(func(a *exportertest.Answers) { a.RowLimit = 0 })
	time.Sleep(m.healing + 250*time.Microsecond) // not at a moment at which something else happens
	if _, err := os.Stat(m.h.asidePath()); err == nil {
		time.Sleep(trialInterval + time.Minute) // an output dropped one event again and again: it is sent again
	}
}

func (m *model) check(what history) string {
	times := m.h.arrived()
	now := m.now()
	for _, event := range m.h.server.Events() {
		filed := event.Filed
		if filed.IsZero() {
			filed = event.Time
		}
		if filed.After(now) || event.Visible.After(now) {
			continue
		}
		switch n := times[event.ID]; {
		case n == 0:
			return fmt.Sprintf(
				"event %s of %s (visible %s) is lost\n%v\nlog:\n%s", event.ID, event.Time,
				event.Visible, what, m.h.logged(),
			)
		case n > 1 && !m.may && (!m.volatile || !bad(event)):
			return fmt.Sprintf(
				"event %s of %s arrived %d times without a reason\n%v\nlog:\n%s", event.ID,
				event.Time, n, what, m.h.logged(),
			)
		}
	}
	return ""
}
