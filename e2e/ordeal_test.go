package e2e

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// ordeal is what a host of TestChaos goes through, besides what all go through. Each of
// them lost events once.
type ordeal struct {
	name string                           // as the table has it
	set  func(t *testing.T, o *inOrdeal)  // once, before the first start
	life func(o *inOrdeal, n int)         // before the nth start; the last is calm
	live func(s *source, stop <-chan int) // goes on beside, until stop
	well bool                             // in the end the endpoint must be well
	end  func(s *source)                  // happens behind the last start
	said string                           // in the log, or it was none
}

type inOrdeal struct {
	*rig
	calm bool // from now on nothing gets in the way
}

var ordeals = map[string]ordeal{
	"": {},
	"re-emitted": {
		name: "a filter re-emits all records",
		set:  func(_ *testing.T, o *inOrdeal) { o.filters = []filter{{name: "rewrite_tag"}} },
	},
	"unmatched": {
		name: "in every other life no output matches",
		life: func(o *inOrdeal, n int) {
			match := "*"
			if n%2 == 1 && !o.calm {
				match = "other"
			}
			o.outputs = []output{{name: "siem", match: match}}
		},
	},
	"full disk": {
		name: "the storage's disk is full in every other life",
		said: "the file system of Fluent Bit's storage is full",
		set: func(t *testing.T, o *inOrdeal) {
			o.set("batch_bytes", "64K")
			smallDisk(t, o.rig, 300_000)
		},
		life: func(o *inOrdeal, n int) {
			share := 1. // what it does not take fills the disk
			if n%2 == 1 || o.calm {
				share = 0.2
			}
			o.sink.setShare(share)
			o.flags = append(o.flags[:0:0], "--refuse", strconv.FormatFloat(share, 'f', 1, 64), "--deliver-after-ms", "200")
		},
	},
	"slow disk": {
		name: "the main thread writes seconds late, no monitoring API",
		said: "commit_on handoff without http_server is best effort",
		set: func(_ *testing.T, o *inOrdeal) {
			o.flags, o.env = append(o.flags, "--write-delay-ms", "1500"), []string{"FLB_DEV_RB_MS=2500"}
		},
	},
	"backpressure": {
		name: "input paused for its memory limit again and again",
		set: func(_ *testing.T, o *inOrdeal) {
			o.set("batch_bytes", "100K")
			if o.host == hosts[0] {
				o.flags = append(o.flags, "--mem-buf-limit", "300000", "--refuse", "0.6")
			} else {
				o.set("mem_buf_limit", "300K")
				o.sink.setShare(0.6)
			}
		},
	},
	"deep": {
		name: "events that appear up to five hours late",
		said: "appeared later than anything before had caught",
		well: true, // a piece of deep reconciliation fails with any of its requests, and rests for a minute
		set: func(_ *testing.T, o *inOrdeal) {
			o.set("deep_reconcile_interval", "1m", "reconcile_interval", "0")
		},
		live: func(s *source, stop <-chan int) {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
				}
				appearLate(s, 1e9+n)
			}
		},
		end: func(s *source) {
			time.Sleep(20 * time.Second) // all that was there before has been read
			for n := range int64(20) {
				appearLate(s, 2e9+n)
			}
		},
	},
}

// appearLate lets an event of the last five hours, but not of the last, appear now.
func appearLate(s *source, seed int64) {
	at := time.Now().UTC().Add(-time.Hour - time.Duration(rand.Int64N(int64(4*time.Hour)))).Truncate(time.Microsecond)
	s.Add(exportertest.Generate(seed, 1, at, at.Add(time.Second))...)
}

// goesOn lets what goes on beside go on until the returned function is called.
func (o ordeal) goesOn(t *testing.T, s *source) (stop func()) {
	t.Helper()
	if o.live == nil {
		return func() {}
	}
	ask, ended, over := make(chan int), make(chan int), false
	go func() {
		defer close(ended)
		o.live(s, ask)
	}()
	stop = func() {
		if !over {
			over = true
			close(ask)
			<-ended
		}
	}
	t.Cleanup(stop)
	return stop
}

// prepares makes ready for the nth start of so many.
func (o ordeal) prepares(r *inOrdeal, n int) {
	if o.life != nil {
		o.life(r, n)
	}
}
