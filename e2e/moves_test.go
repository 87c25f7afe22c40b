package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
)

// command runs build/wherobots-audit, with the endpoint's key in the environment.
func command(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	cmd := exec.Command(filepath.Join(root, "build", "wherobots-audit"), args...)
	cmd.Env = append(withoutKey(cmd.Environ()), "WHEROBOTS_API_KEY="+testKey)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// mustCommand is command that succeeds.
func mustCommand(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t, args...)
	require.NoError(t, err, out)
	return out
}

// A person sends the last hours again, as docs/command.md says: the checkpoint of a running host is refused, and a
// rewound one makes the host send everything since once more, and say why. Then the checkpoint goes to another place,
// and on from there.
func TestACheckpointIsRewoundAndMoved(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(300)...)
		r := newRig(t, h, s.url).set("start_time", "-7h", "status_events", "on", "commit_on", "handoff")
		r.port = freePort(t) // a small batch may be delivered before it is found in the storage
		r.set("engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
		path := r.path("audit.json")
		through := func() bool {
			out, err := command(t, "--json", "checkpoint", "show", "--checkpoint", path)
			var shown moves.Summary
			return err == nil && json.Unmarshal([]byte(out), &shown) == nil && shown.Begun && shown.LagSeconds < 600 &&
				len(moves.List(shown.Moves).Untold()) == 0
		}
		arrived := func(n int) func() bool {
			return func() bool {
				sum := 0
				for _, times := range audits(tally(r.records(t, 1))) { // the last line may be half written
					sum += times
				}
				return sum >= n
			}
		}
		p := r.start(t)
		p.until(30*time.Second, "all events", arrived(300))
		p.until(30*time.Second, "the checkpoint", through)
		to := time.Now().UTC().Add(-3 * time.Hour)
		rewind := []string{
			"checkpoint", "rewind", "--checkpoint", path, "--to", to.Format(time.RFC3339), "--reason", "an index was lost",
		}
		out, err := command(t, rewind...)
		require.Error(t, err)
		require.Contains(t, out, "stop that first: it would write over the change")
		p.stop()
		require.Contains(t, mustCommand(t, rewind...), "is sent again")

		again := 0
		for _, e := range s.Events() {
			if !e.Time.Before(to.Truncate(time.Hour)) {
				again++
			}
		}
		p = r.start(t)
		p.until(30*time.Second, "what happened since, again", arrived(300+again))
		p.until(30*time.Second, "the checkpoint", through)
		p.stop()
		require.Contains(t, r.log(t), "the checkpoint was moved back by hand from ")
		require.Contains(t, r.log(t), ": an index was lost")

		moveElsewhere(t, r, s, arrived(300+again+400))
		times := tally(r.records(t, 0))
		statuses := 0
		for id, n := range times {
			if strings.HasPrefix(id, "status-rewound-") {
				statuses += n
			}
		}
		require.Equal(t, 1, statuses)
		for i, e := range s.Events() {
			want := 1
			if i < 300 && !e.Time.Before(to.Truncate(time.Hour)) {
				want = 2
			}
			require.Equal(t, want, times[e.ID], "%s of %s", e.ID, e.Time)
		}
	})
}

// moveElsewhere takes a stopped host's checkpoint to another place, and starts a host there until all has arrived.
func moveElsewhere(t *testing.T, r *rig, s *source, arrived func() bool) {
	t.Helper()
	document := r.path("export.json")
	mustCommand(t, "checkpoint", "export", "--checkpoint", r.path("audit.json"), "--out", document)
	mustCommand(t, "checkpoint", "import", "--checkpoint", r.path("elsewhere.json"), "--in", document)
	r.set("checkpoint_path", r.path("elsewhere.json"))
	s.Add(late(s, 400)...)
	p := r.start(t)
	p.until(30*time.Second, "the new ones", arrived)
	p.stop()
}

// audits leaves out the status events.
func audits(times map[string]int) map[string]int {
	for id := range times {
		if strings.HasPrefix(id, "status-") {
			delete(times, id)
		}
	}
	return times
}
