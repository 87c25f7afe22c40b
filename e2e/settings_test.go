package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A host does not start with a setting that is wrong, and says what is wrong,
// each problem once.
func TestWrongSettingsKeepTheHostFromStarting(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		settings []string
		messages []string
	}{
		"no credential":   {[]string{"api_key", ""}, []string{"api_key"}},
		"two credentials": {[]string{"bearer_token", "t"}, []string{"bearer_token"}},
		"bad duration":    {[]string{"poll_interval", "sixty"}, []string{"poll_interval", "sixty"}},
		"bad URL":         {[]string{"endpoint", "ftp://x y"}, []string{"endpoint"}},
		"unknown schema":  {[]string{"schema", "xml"}, []string{"schema", "xml"}},
		"several at once": {
			[]string{"schema", "xml", "overlap", "-1h", "batch_bytes", "0"},
			[]string{"schema", "overlap", "batch_bytes"},
		},
		"no such directory":    {[]string{"checkpoint_path", "/nonexistent/audit.json"}, []string{"/nonexistent"}},
		"unwritable directory": {[]string{"checkpoint_path", "/proc/audit.json"}, []string{"/proc/audit.json"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s := newSource(t)
				r := newRig(t, h, s.url).set(c.settings...)
				refuses(t, r, c.messages...)
				assert.Empty(t, s.Requests(), "requests of a plugin that did not start")
			})
		})
	}
}

// startPatience is how long a start that is refused may take: it waits up to 15 seconds for the
// checkpoint of a process that may still be ending.
const startPatience = 25 * time.Second

// refuses requires that the host ends with 255, with each message on one error
// line of the plugin.
func refuses(t *testing.T, r *rig, messages ...string) {
	t.Helper()
	p := r.start(t)
	if old(r.host) {
		p.until(startPatience, "the engine's own message", p.logged("failed to initialize"))
		p.stop()
	} else {
		assert.Equal(t, 255, p.code(startPatience))
	}
	log := r.log(t)
	for _, message := range messages {
		n := 0
		for line := range strings.Lines(log) {
			if strings.Contains(line, "[error] [input:wherobots_audit:audit]") && strings.Contains(line, message) {
				n++
			}
		}
		assert.Equal(t, 1, n, "error lines with %q in:\n%s", message, log)
	}
	assert.NotContains(t, log, testKey)
}

// A checkpoint that is damaged, of another source or in use is no reason to
// start from scratch.
func TestBadCheckpointKeepsTheHostFromStarting(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(20)...)
		r := newRig(t, h, s.url)
		p := r.start(t)
		p.until(15*time.Second, "the events", func() bool { return r.lines(t) >= 20 })

		t.Run("in use", func(t *testing.T) {
			other := newRig(t, h, s.url).set("checkpoint_path", r.path("audit.json"))
			refuses(t, other, "audit.json")
		})
		p.stop()
		whole, err := os.ReadFile(r.path("audit.json"))
		require.NoError(t, err)

		t.Run("of another source", func(t *testing.T) {
			other := newRig(t, h, newSource(t).url).set("checkpoint_path", r.path("audit.json"))
			refuses(t, other, "audit.json")
		})
		t.Run("damaged", func(t *testing.T) {
			require.NoError(t, os.WriteFile(r.path("audit.json"), whole[:len(whole)/2], 0o600))
			other := newRig(t, h, s.url).set("checkpoint_path", r.path("audit.json"))
			refuses(t, other, "audit.json")
			left, err := os.ReadFile(r.path("audit.json"))
			require.NoError(t, err)
			assert.Equal(t, whole[:len(whole)/2], left, "the damaged file must stay for a person to look at")
		})
	})
}

// A file with the key that is written after the start, and replaced when the key is refused, needs neither a restart
// nor patience: retry_max_interval is five minutes.
func TestKeyFileThatComesLater(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(100)...)
		r := newRig(t, h, s.url).set("api_key", "", "retry_max_interval", "5m")
		key := r.path("key")
		r.env = []string{"WHEROBOTS_API_KEY_FILE=" + key}
		p := r.start(t)
		p.until(15*time.Second, "the refusal in the log", p.logged("WHEROBOTS_API_KEY_FILE", "no such file or directory"))
		time.Sleep(8 * time.Second) // three refusals: now it would take minutes
		require.NoError(t, os.WriteFile(key, []byte("wbk-wrong-key\n"), 0o600))
		p.until(10*time.Second, "the refusal of the first key", p.logged("401"))
		require.NoError(t, os.WriteFile(key, []byte(testKey+"\n"), 0o600))
		p.until(10*time.Second, "the events", func() bool { return r.lines(t) >= 100 })
		p.stop()
		requireEach(t, s.Events(), r.records(t, 0))
		assert.NotContains(t, r.log(t), "wbk-wrong-key")
		assert.NotContains(t, r.log(t), testKey)
	})
}

// A wrong key does not end the engine; when the file holds the right one, events
// flow without a restart.
func TestWrongKeyHeals(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(100)...)
		r := newRig(t, h, s.url)
		key := r.path("key")
		r.set("api_key", "", "api_key_file", key)
		require.NoError(t, os.WriteFile(key, []byte("wbk-wrong-key\n"), 0o600))
		p := r.start(t)
		p.until(15*time.Second, "the refusal in the log", p.logged("[error]", "401"))
		require.Zero(t, r.lines(t))
		require.NoError(t, os.WriteFile(key, []byte(testKey+"\n"), 0o600))
		p.until(20*time.Second, "the events", func() bool { return r.lines(t) >= 100 })
		p.stop()
		requireEach(t, s.Events(), r.records(t, 0))
		assert.NotContains(t, r.log(t), "wbk-wrong-key")
		assert.NotContains(t, r.log(t), testKey)
	})
}
