package e2e

import (
	"debug/elf"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/figures"
)

// 100,000 events, fifty of them on one timestamp here and there, arrive once
// each, whole, with the time of the event, in whatever order the endpoint lists
// them.
func TestDelivers100000Events(t *testing.T) {
	t.Parallel()
	events := past(100_000)
	for n := 0; n+50 < len(events); n += 1000 {
		for tie := range 50 {
			events[n+tie].Time = events[n].Time
		}
	}
	for name, order := range map[string]exportertest.Order{
		"ascending": exportertest.Ascending, "descending": exportertest.Descending, "shuffled": exportertest.Shuffled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s := newSource(t, events...)
				s.SetAnswers(func(a *exportertest.Answers) { a.Order = order })
				r := newRig(t, h, s.url)
				p := r.start(t)
				p.until(90*time.Second, "100,000 lines", func() bool { return r.lines(t) >= len(events) })
				p.stop()
				requireEach(t, events, r.records(t, 0))
			})
		})
	}
}

// SIGTERM and a new start, ten times during live events: none missing, and,
// since nothing crashed, none twice where the batches were seen in storage.
func TestRestartsDuringLiveEvents(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(500)...)
		r := newRig(t, h, s.url)
		stop := s.live(t, 0)
		for n := range 10 {
			p := r.start(t)
			before := r.lines(t)
			p.until(20*time.Second, "new events", func() bool { return r.lines(t) > before })
			// Stop at another moment of the engine's second each time.
			time.Sleep(time.Duration(n) * 130 * time.Millisecond)
			p.stop()
		}
		stop()
		drain(t, s, r)
		records := r.records(t, 0)
		if h == hosts[0] {
			requireEach(t, s.Events(), records)
			return
		}
		// A real engine may have delivered a chunk, and removed its file, before the plugin sees it: then the last second
		// is sent again, of the first start all 500.
		missing, twice := compare(s.Events(), records)
		require.Empty(t, sample(missing), "%d events missing", len(missing))
		require.Less(t, len(twice), 500+len(s.Events())/4, "events more than once")
	})
}

// drain starts the host once more, waits until all has arrived, and a second
// poll longer for what must not, and stops it.
func drain(t *testing.T, s *source, r *rig) {
	t.Helper()
	p := r.start(t)
	p.until(60*time.Second, "every event", func() bool {
		missing, _ := compare(s.Events(), r.records(t, 1000))
		return len(missing) == 0
	})
	time.Sleep(2500 * time.Millisecond)
	p.stop()
}

// A pause holds every event and loses none.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := newSource(t, past(50)...)
	r := newRig(t, hosts[0], s.url)
	p := r.start(t)
	p.until(10*time.Second, "the past events", func() bool { return r.lines(t) >= 50 })
	// What was taken less than a second before a pause would be fetched again.
	time.Sleep(2500 * time.Millisecond)
	p.signal(syscall.SIGUSR1)
	time.Sleep(500 * time.Millisecond)
	held := r.lines(t)
	stop := s.live(t, 0)
	time.Sleep(5 * time.Second)
	require.Equal(t, held, r.lines(t), "handed over during a pause")
	p.signal(syscall.SIGUSR2)
	stop()
	p.until(15*time.Second, "the events of the pause", func() bool { return r.lines(t) >= len(s.Events()) })
	p.stop()
	requireEach(t, s.Events(), r.records(t, 0))
}

// Two instances in one process split the past by time; each has a checkpoint of
// its own, and together they have every event. The bundled host does it once
// more without contexts, as engines before 4.1 call.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	middle := time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Second)
	check := func(t *testing.T, h host, flags ...string) {
		s := newSource(t, past(2000)...)
		r := newRig(t, h, s.url)
		r.flags = flags
		r.set("end_time", middle.Add(-time.Second).Format(time.RFC3339))
		r.add("second", map[string]string{"endpoint": s.url, "api_key": testKey, "start_time": middle.Format(time.RFC3339)})
		p := r.start(t)
		p.until(30*time.Second, "every event", func() bool { return r.lines(t) >= 1990 })
		time.Sleep(2500 * time.Millisecond)
		p.stop()
		// Between the two ranges lies one second that neither asks for.
		var wanted []exportertest.Event
		for _, e := range s.Events() {
			if gap := middle.Sub(e.Time); gap <= 0 || gap >= time.Second {
				wanted = append(wanted, e)
			}
		}
		requireEach(t, wanted, r.records(t, 0))
		for _, name := range []string{"audit.json", "second.json"} {
			assert.FileExists(t, r.path(name))
		}
	}
	onEachHost(t, func(t *testing.T, h host) {
		if old(h) {
			t.Skip("engines before 4.1 can have one instance only")
		}
		check(t, h)
	})
	t.Run("without contexts", func(t *testing.T) {
		t.Parallel()
		check(t, hosts[0], "--old-abi")
	})
}

// The plugin's lines obey the engine's level and go where its own go, and no
// line, file or record holds the key.
func TestLogGoesToTheEngine(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(10)...)
		r := newRig(t, h, s.url)
		r.logFile = true
		p := r.start(t)
		p.until(15*time.Second, "the events", func() bool { return r.lines(t) >= 10 })
		p.stop()
		log := r.log(t)
		if h != hosts[0] {
			assert.NotContains(t, log, "[input:wherobots_audit:audit]", "past the engine's log_file")
			text, err := os.ReadFile(r.path("engine.log"))
			require.NoError(t, err)
			log = string(text)
		}
		assert.Contains(t, log, "[input:wherobots_audit:audit] ")
		checkpoint, err := os.ReadFile(r.path("audit.json"))
		require.NoError(t, err)
		for what, text := range map[string]string{
			"log": log, "checkpoint": string(checkpoint), "output": string(r.output(t)),
		} {
			assert.NotContains(t, text, testKey, what)
		}
	})
}

// The engine shows the plugin's figures among its own, under the instance's
// alias.
func TestMetrics(t *testing.T) {
	t.Parallel()
	if len(hosts) == 1 {
		t.Skip("no real engine; the bundled host has no metrics")
	}
	s := newSource(t, past(123)...)
	r := newRig(t, hosts[1], s.url)
	r.add("second", map[string]string{
		"endpoint": s.url, "api_key": testKey, "start_time": "-1m", "organization": "Acme",
	})
	r.port = freePort(t)
	p := r.start(t)
	var text string
	p.until(30*time.Second, "wherobots_audit_records_total 123", func() bool {
		text = get("http://127.0.0.1:" + strconv.Itoa(r.port) + "/api/v2/metrics/prometheus")
		return regexp.MustCompile(`wherobots_audit_records_total\{name="audit"[^}]*\} 123`).MatchString(text)
	})
	assert.Contains(t, text, `wherobots_audit_rows_total{name="second",organization="Acme"}`)
	assert.Contains(t, text, "# TYPE wherobots_audit_lag_seconds gauge")
	assert.Contains(t, text, "# TYPE wherobots_audit_event_lateness_seconds histogram")
	for _, name := range figures.Names() {
		assert.Regexp(t, `(?m)^`+name+`\{[^}]*name="audit"[^}]*\} -?[0-9.]+`, text)
	}
	assert.Regexp(t, `wherobots_audit_requests_total\{name="audit"[^}]*,outcome="ok"\} [1-9]`, text)
	assert.Regexp(t, `wherobots_audit_build_info\{name="audit"[^}]*,version="[^"]+",schema="raw"\} 1`, text)
	p.stop()
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

// The shared object exports what engines of every supported version look up,
// and stays small.
func TestSharedObject(t *testing.T) {
	t.Parallel()
	file, err := elf.Open(plugin)
	require.NoError(t, err)
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	require.NoError(t, err)
	exported := map[string]bool{}
	for _, symbol := range symbols {
		exported[symbol.Name] = exported[symbol.Name] || symbol.Section != elf.SHN_UNDEF
	}
	for _, name := range []string{
		"FLBPluginRegister", "FLBPluginUnregister", "FLBPluginInit", "FLBPluginExit", "FLBPluginInputCallback",
		"FLBPluginInputCallbackCtx", "FLBPluginInputCleanupCallback", "FLBPluginInputCleanupCallbackCtx",
		"FLBPluginInputPause", "FLBPluginInputResume", "FLBPluginInputPreRun", "FLBPluginInputPreExit",
	} {
		assert.True(t, exported[name], name)
	}
	info, err := os.Stat(plugin)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(12<<20), "bytes of the stripped shared object")
}
