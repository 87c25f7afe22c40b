// The jitter of backoff/v4 comes from the global source of math/rand, which a history seeds.
//
//go:debug randseednop=0

package exporter

import (
	"flag"
	"fmt"
	"maps"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
)

// The simulation runs histories of the endpoint, its clock, the engine, the disk and crashes in fake time. One seed is
// one history: it decides what is drawn, and everything that the plugin draws at random. A failure prints its seed,
// and `make simulate SEED=n` plays it again. What happens is in model_test.go.
var (
	firstSeed  = flag.Int64("seed", 1, "of the first history; 0 = random")
	histories  = flag.Int("histories", 100, "how many are played")
	mostShrink = 300 // histories that are played to make a failing one shorter
)

// history is what happens in one run.
type history struct {
	seed     int64
	settings map[string]string
	limit    exportertest.SilentLimit
	count    exportertest.Count
	delivery bool // commit_on
	steps    []modelStep
}

func (h history) String() string {
	text := fmt.Sprintf("seed %d, settings %v, silent limit %+v, count %+v, delivery %v",
		h.seed, h.settings, h.limit, h.count, h.delivery)
	for _, step := range h.steps {
		text += "\n  " + step.String()
	}
	return text
}

// drawHistory returns the history of a seed.
func drawHistory(seed int64) history {
	random := randv2.New(randv2.NewPCG(uint64(seed), 0))
	h := history{
		seed: seed,
		settings: map[string]string{
			"overlap": "5m", "reconcile_window": "20m",
			"batch_bytes": "64K", "request_timeout": "20s", "retry_max_interval": "30s",
			"max_window":              oneOf(random, "1m", "10m", "24h"),
			"poll_interval":           oneOf(random, "10s", "60s"),
			"reconcile_interval":      oneOf(random, "0", "5m"),
			"deep_reconcile_interval": oneOf(random, "0", "0", "0", "10m"),
		},
		limit: exportertest.SilentLimit{
			Rows: oneOf(random, 0, 0, 200, 256), Newest: oneOf(random, false, true),
		},
		delivery: oneOf(random, false, false, true),
	}
	kinds := modelKinds
	if h.delivery {
		kinds = append(slices.Clone(modelKinds), outputKinds...)
	}
	if h.settings["deep_reconcile_interval"] != "0" {
		kinds = append(slices.Clone(kinds), "very late events")
	}
	for range 1 + random.IntN(25) {
		h.steps = append(h.steps, modelStep{
			kind:  oneOf(random, kinds...),
			n:     1 + random.IntN(40),
			ill:   oneOf(random, modelIlls...),
			delay: time.Duration(random.IntN(240_000))*time.Millisecond + time.Duration(random.IntN(1000))*time.Microsecond,
		})
	}
	h.settings["count_check"] = oneOf(random, "auto", "auto", "auto", "off")
	h.count = drawCount(random)
	return h
}

// drawCount draws a witness: honest, or one that is never right.
func drawCount(random *randv2.Rand) exportertest.Count {
	n := 1 + random.IntN(40)
	return oneOf(random,
		exportertest.Count{}, exportertest.Count{},
		exportertest.Count{Off: -n}, exportertest.Count{Off: n},
		exportertest.Count{Lag: -time.Duration(n) * time.Minute}, exportertest.Count{Lag: time.Duration(n) * time.Minute},
		exportertest.Count{LateOver: time.Duration(n) * time.Second, ByID: true},
		exportertest.Count{Latency: time.Duration(n) * 200 * time.Millisecond},
	)
}

func oneOf[T any](random *randv2.Rand, values ...T) T { return values[random.IntN(len(values))] }

func TestModel(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("seeds from %d on", seed)
	dir := fastDir(t)
	for n := range *histories {
		h := drawHistory(seed + int64(n))
		failure, _ := h.play(t, dir)
		if failure == "" {
			continue
		}
		shorter, failure := h.shrink(t, dir, failure)
		t.Fatalf("%s\n\nof all its steps these are enough:\n%v\n\nto play it again: make simulate SEED=%d HISTORIES=1",
			failure, shorter, h.seed)
	}
}

// raced is true under the race detector.
var raced bool

// A seed alone replays its history: whatever arrives, and every line of the log, is the same. Only goroutines that wake
// at the same moment are the scheduler's to order, which shows now and then, the more so on a busy machine: two of a
// few plays are the same to the line, which no two would be if anything were drawn that the seed does not decide.
func TestASeedReplaysItsHistory(t *testing.T) {
	if raced {
		t.Skip("the race detector makes goroutines run in another order each time")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one at a time
	const plays = 12
	dir := fastDir(t)
	for seed := range int64(10) {
		seen, same := make(map[string]bool), false
		for n := 0; n < plays && !same; n++ {
			_, trace := drawHistory(seed).play(t, dir)
			same, seen[trace] = seen[trace], true
		}
		if !same {
			traces := slices.Collect(maps.Keys(seen))
			t.Fatalf("seed %d went otherwise each of %d times: %s", seed, plays, firstDifference(traces[0], traces[1]))
		}
	}
}

// firstDifference shows where two traces part.
func firstDifference(one, other string) string {
	a, b := strings.Split(one, "\n"), strings.Split(other, "\n")
	for i := range a {
		if i == len(b) || a[i] != b[i] {
			from := max(0, i-3)
			return fmt.Sprintf("line %d, once\n%s\n\nthen\n\n%s", i, strings.Join(a[from:min(len(a), i+4)], "\n"),
				strings.Join(b[from:min(len(b), i+4)], "\n"))
		}
	}
	return "one goes on longer"
}

// play returns what went wrong, "" if nothing did, and what was logged and arrived.
func (h history) play(t *testing.T, dir string) (failure, trace string) {
	path := filepath.Join(dir, "history")
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	cryptotest.SetGlobalRandom(t, uint64(h.seed))
	rand.Seed(h.seed) //nolint:staticcheck // see the go:debug line
	synctest.Test(t, func(t *testing.T) { failure, trace = playModel(t, path, h) })
	return failure, trace
}

// shrink leaves out one step after the other for as long as the history fails.
func (h history) shrink(t *testing.T, dir, failure string) (history, string) {
	played := 0
	for again := true; again; {
		again = false
		for i := len(h.steps) - 1; i >= 0 && played < mostShrink; i-- {
			shorter := h
			shorter.steps = slices.Delete(slices.Clone(h.steps), i, i+1)
			played++
			if still, _ := shorter.play(t, dir); still != "" {
				h, failure, again = shorter, still, true
			}
		}
	}
	return h, failure
}

// fastDir is a directory in memory where there is one: a run saves hundreds of checkpoints, each synced to disk.
func fastDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "model")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
