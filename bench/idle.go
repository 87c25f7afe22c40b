package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter"
)

// A day of an idle instance is 1440 polls, one a minute, and 86400 collect calls, one a second. idlers
// instances that poll every second do as many polls in a minute, and as many collect calls when each is
// called 60 times a second.
const (
	idlers      = 24
	dayPolls    = 24 * 60
	dayCalls    = 24 * 60 * 60
	settlePause = 500 * time.Millisecond // for the instances to begin
)

// runIdle runs a day, or the part of it that t.over is of a minute, and measures it without the start.
func runIdle(t task) (outcome, error) {
	var fleet []*exporter.Exporter
	for i := range idlers {
		e, err := newExporter(
			t, filepath.Join(t.dir, "idle-"+strconv.Itoa(i)+".json"),
			map[string]string{"start_time": "-1h", "poll_interval": "1s"},
		)
		if err != nil {
			return outcome{}, err
		}
		defer e.Close()
		e.Start()
		fleet = append(fleet, e)
	}
	time.Sleep(settlePause)
	before, polls := cpuNow(), requests(fleet)
	calls, middle := 0, 0.0
	tick := time.NewTicker(time.Second / (dayCalls / idlers / 60))
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < t.over; <-tick.C {
		for _, e := range fleet {
			if e.Next() != nil {
				e.Accepted()
			}
			e.Lines()
			e.Stats()
			calls++
		}
		if middle == 0 && time.Since(began) > t.over/2 {
			middle, _ = memoryOf(os.Getpid(), "VmRSS") // 0, and so no growth, only where there is no /proc
		}
	}
	used, polls := cpuNow()-before, requests(fleet)-polls
	if polls < idlers {
		return outcome{}, fmt.Errorf("%d polls in %s by %d instances", polls, t.over, idlers)
	}
	end, err := memoryOf(os.Getpid(), "VmRSS")
	return outcome{Rows: int(polls), Bytes: calls, CPU: used, Growth: end - middle}, err
}

func requests(fleet []*exporter.Exporter) (sum int64) {
	for _, e := range fleet {
		sum += e.Stats().Requests()
	}
	return sum
}

// cpuNow is the CPU time of this process so far, in seconds.
func cpuNow() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// idle measures a day of an empty log.
func (b *bench) idle() (string, error) {
	o, err := runProcess(
		"idle", "-endpoint", b.source.endpoint(kindEmpty, 0), "-dir", b.scratch, "-over",
		b.plan.idle.String(),
	)
	if err != nil {
		return "", err
	}
	days := float64(o.Rows) / dayPolls
	return fmt.Sprintf("Idle: %.1f CPU s for a day of an empty log, besides the engine's own; the process's RSS grew "+
		"by %.1f MiB in the second half of the measurement. "+
		"Measured without the engine, as %d instances in one process that poll every second and are called 60 times a "+
		"second for %s: %d polls, each with its commit, and %d collect calls, %.2f times a day's %d and %d; scaled to "+
		"one day.\n",
		o.CPU/days, o.Growth, idlers, b.plan.idle, o.Rows, o.Bytes, days, dayPolls, dayCalls), nil
}
