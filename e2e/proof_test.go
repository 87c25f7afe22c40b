package e2e

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the engine does not have safe must not be passed by the checkpoint, whatever it
// counts: each of these lost events once.

// proofRig collects fifty events of the past; through the monitoring API if asked.
func proofRig(t *testing.T, h host, commitOn string, api bool) (*source, *rig) {
	t.Helper()
	s := newSource(t, past(50)...)
	r := newRig(t, h, s.url).set("start_time", "-7h", "commit_on", commitOn)
	if h == hosts[0] {
		r.flags = []string{"--tag", "audit", "--grace-ms", "0"}
	}
	if api {
		r.listen(t)
	}
	return s, r
}

// listen turns on the monitoring API.
func (r *rig) listen(t *testing.T) {
	t.Helper()
	r.port = freePort(t)
	r.set("engine_url", "http://127.0.0.1:"+strconv.Itoa(r.port))
}

// recovers starts the rig again with an output that takes everything.
func recovers(t *testing.T, s *source, r *rig) {
	t.Helper()
	r.outputs = []output{{name: "siem", match: "*"}}
	p := r.start(t)
	p.until(60*time.Second, "every event", func() bool {
		missing, _ := compare(s.Events(), r.records(t, 1000))
		return len(missing) == 0
	})
	p.kill()
}

// ends are the ways in which a process ends here.
var ends = map[string]func(*process){
	"killed":     (*process).kill,
	"terminated": func(p *process) { p.signal(syscall.SIGTERM); p.wait(20 * time.Second) },
}

func TestWhatAFilterReEmitsIsNotPassedBeforeItIsDelivered(t *testing.T) {
	t.Parallel()
	for _, commitOn := range []string{"handoff", "delivery"} {
		for how, end := range ends {
			t.Run(commitOn+", "+how, func(t *testing.T) {
				t.Parallel()
				onEachHost(t, func(t *testing.T, h host) {
					s, r := proofRig(t, h, commitOn, true)
					r.filters = []filter{{name: "rewrite_tag"}}
					r.outputs = []output{{name: "siem", match: "siem.*", refuses: true}}
					p := r.start(t)
					if commitOn == "handoff" {
						p.until(20*time.Second, "the warning", p.logged("emitter_storage.type"))
					}
					time.Sleep(15 * time.Second)
					end(p)
					recovers(t, s, r)
				})
			})
		}
	}
}

// An emitter that is on disk has what it re-emits safe: a restart repeats none of it.
func TestWhatAFilterReEmitsToDiskIsStored(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s, r := proofRig(t, h, "handoff", true)
		r.filters, r.emitterOnDisk = []filter{{name: "rewrite_tag"}}, true
		r.outputs = []output{{name: "siem", match: "siem.*", refuses: true}}
		p := r.start(t)
		time.Sleep(8 * time.Second)
		p.kill()
		recovers(t, s, r)
		requireEach(t, s.Events(), r.records(t, 0))
	})
}

func TestATagThatNoOutputMatchesIsSaidAndNothingIsCommitted(t *testing.T) {
	t.Parallel()
	for what, commitOn := range map[string]string{
		"handoff": "handoff", "memory": "handoff", "delivery": "delivery",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s, r := proofRig(t, h, commitOn, true)
				r.memory = what == "memory"
				r.outputs = []output{{name: "siem", match: "other"}}
				p := r.start(t)
				p.until(time.Minute, "the line", p.logged("no output matches this input's tag"))
				time.Sleep(5 * time.Second)
				p.kill()
				recovers(t, s, r)
			})
		})
	}
}

// A slow disk: the main thread writes batches seconds after they were copied.
func TestASlowMainThreadLosesNothingWithoutTheMonitoringAPI(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s, r := proofRig(t, h, "handoff", false)
		r.flags = append(r.flags, "--write-delay-ms", "2500")
		r.env = []string{"FLB_DEV_RB_MS=4000"}
		stop := s.live(t, 0)
		for n := range 3 {
			p := r.start(t)
			p.until(20*time.Second, "the warning", p.logged("commit_on handoff without http_server is best effort"))
			time.Sleep(time.Duration(3000+n*700) * time.Millisecond)
			p.kill()
		}
		stop()
		r.flags, r.env = nil, nil
		recovers(t, s, r)
	})
}

// Both defaults together: what is in memory alone is not safe.
func TestMemoryStorageWithHandoffLosesNothing(t *testing.T) {
	t.Parallel()
	for how, end := range ends {
		for _, api := range []bool{true, false} {
			t.Run(how+", monitoring "+strconv.FormatBool(api), func(t *testing.T) {
				t.Parallel()
				onEachHost(t, func(t *testing.T, h host) {
					s, r := proofRig(t, h, "handoff", api)
					r.memory = true
					r.outputs = []output{{name: "siem", match: "*", refuses: true}}
					p := r.start(t)
					said := "commit_on handoff without http_server is best effort"
					if api {
						said = "commit_on handoff with memory storage"
					}
					p.until(20*time.Second, "the warning", p.logged(said))
					time.Sleep(3 * time.Second)
					end(p)
					recovers(t, s, r)
				})
			})
		}
	}
}

// smallDisk mounts a file system of so many bytes at the rig's storage path.
func smallDisk(t *testing.T, r *rig, size int) {
	t.Helper()
	path := r.path("storage")
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size="+strconv.Itoa(size)); err != nil {
		t.Skip("a file system cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
}

// A full disk: nothing is handed over until there is room, it is said, and it goes on by
// itself.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	for _, commitOn := range []string{"handoff", "delivery"} {
		t.Run(commitOn, func(t *testing.T) {
			t.Parallel()
			onEachHost(t, func(t *testing.T, h host) {
				s := newSource(t, past(4000)...)
				r := newRig(t, h, s.url).set("start_time", "-7h", "commit_on", commitOn, "batch_bytes", "64K")
				r.listen(t)
				smallDisk(t, r, 700_000)
				r.sink = newRefusingSink(t, 1)
				full := 25 * time.Second
				if commitOn == "delivery" { // only a small batch is on its way at first, for half a minute
					full = 2 * time.Minute
				}
				if h == hosts[0] {
					r.flags = []string{"--down-ms", strconv.Itoa(int(full.Milliseconds()))}
				}
				p := r.start(t)
				p.until(full, "the line", p.logged("the file system of Fluent Bit's storage is full: "+r.path("storage")))
				time.Sleep(5 * time.Second)
				r.sink.setShare(0)
				p.until(2*time.Minute, "every event", func() bool {
					missing, _ := compare(s.Events(), r.records(t, 1000))
					return len(missing) == 0
				})
				p.until(time.Second, "the end of it", p.logged("there is room again in Fluent Bit's storage"))
				p.kill()
			})
		})
	}
}

// A disk that others fill up in the midst of it: what the engine counted and could not
// write is seen and fetched again, and its empty chunks stop nothing.
func TestWhatCouldNotBeWrittenIsFetchedAgain(t *testing.T) {
	t.Parallel()
	for _, commitOn := range []string{"handoff", "delivery"} {
		t.Run(commitOn, func(t *testing.T) {
			t.Parallel()
			s := newSource(t, past(300)...)
			r := newRig(t, hosts[0], s.url).set("start_time", "-7h", "commit_on", commitOn)
			r.listen(t)
			limit := r.path("limit")
			require.NoError(t, os.WriteFile(limit, []byte("5000"), 0o600)) // a header fits, the records do not
			r.flags = []string{"--storage-limit", "@" + limit, "--storage-refresh-ms", "1000"}
			p := r.start(t)
			p.until(20*time.Second, "the loss", func() bool { return r.figures()[`input_records_total{name="audit"}`] == "300" })
			require.NoError(t, os.WriteFile(limit, []byte("10000000"), 0o600))
			p.until(2*time.Minute, "every event", func() bool {
				missing, _ := compare(s.Events(), r.records(t, 1000))
				return len(missing) == 0
			})
			require.Contains(t, r.log(t), "could not be written, as on a full disk")
			time.Sleep(15 * time.Second)
			p.kill()
			before := r.lines(t)
			p = r.start(t)
			time.Sleep(5 * time.Second)
			require.Equal(t, before, r.lines(t), "the checkpoint has passed them")
			p.kill()
		})
	}
}

// Pauses for memory cost no copies: the engine counts what it took in.
func TestBackpressureCostsNoCopies(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, h host) {
		s := newSource(t, past(3000)...)
		r := newRig(t, h, s.url).set("start_time", "-7h", "commit_on", "delivery", "batch_bytes", "100K")
		r.memory = true
		r.listen(t)
		if h == hosts[0] {
			r.flags = []string{"--mem-buf-limit", "300000", "--refuse", "0.6"}
		} else {
			r.set("mem_buf_limit", "300K")
			r.sink = newRefusingSink(t, 0.6)
		}
		p := r.start(t)
		p.until(3*time.Minute, "every event", func() bool {
			missing, _ := compare(s.Events(), r.records(t, 1000))
			return len(missing) == 0
		})
		time.Sleep(10 * time.Second)
		require.NotContains(t, r.log(t), "fetches again")
		p.kill()
		_, twice := compare(s.Events(), r.records(t, 0))
		require.Empty(t, sample(twice), "%d events more than once", len(twice))
	})
}
