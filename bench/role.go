package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// task is what a role's process is told on its command line.
type task struct {
	endpoint string    // base URL of the export
	rows     int       // that the export has
	schema   string    // of the pipeline
	exports  string    // that the server has, by name
	anchor   time.Time // of the exports
	dir      string    // for checkpoints
	over     time.Duration
	gc       int    // GOGC
	profile  string // file for a CPU profile
}

func taskFlags() *task {
	t := &task{}
	flag.StringVar(&t.endpoint, "endpoint", "", "for a role: base URL of the export")
	flag.IntVar(&t.rows, "rows", 0, "for a role: rows of the export")
	flag.StringVar(&t.schema, "schema", "raw", "for a role: schema of the records")
	flag.StringVar(&t.exports, "exports", "", "for a role: exports to serve")
	flag.StringVar(&t.dir, "dir", "", "for a role: directory for checkpoints")
	flag.DurationVar(&t.over, "over", 0, "for a role: time over which a day's polls are spread")
	flag.IntVar(&t.gc, "gc", gcPercent, "for a role: garbage collector's percentage")
	flag.StringVar(&t.profile, "cpuprofile", "", "for a role: file for a CPU profile")
	flag.Func("anchor", "for a role: when the events begin", func(text string) (err error) {
		t.anchor, err = time.Parse(time.RFC3339, text)
		return err
	})
	return t
}

// gcPercent is the garbage collector's percentage that the plugin sets, see plugin.go.
const gcPercent = 20

// outcome is what a role's process says when it has done its task, completed by what is known of the process.
type outcome struct {
	Rows   int     `json:"rows"`
	Bytes  int     `json:"bytes"`  // that were made: encoded records
	Peak   float64 `json:"peak"`   // MiB
	Growth float64 `json:"growth"` // MiB, of the second half of the time; only idle
	CPU    float64 `json:"cpu"`    // seconds, user and system; 0 = those of the whole process
	Wall   float64 `json:"-"`      // seconds
}

// roles by name. Each reads the export at task.endpoint.
var roles = map[string]func(task) (outcome, error){
	"limit":    copyBody,
	"pipeline": runPipeline,
	"reuse":    runReuse,
	"obvious":  runObvious,
	"idle":     runIdle,
}

// runRole is main in a role's process.
func runRole(name string, t task) error {
	if name == "serve" {
		return serve(t)
	}
	work, ok := roles[name]
	if !ok {
		return fmt.Errorf("no role is named %q", name)
	}
	if name == "pipeline" || name == "idle" {
		debug.SetGCPercent(t.gc)
	}
	if t.profile != "" {
		f, err := os.Create(t.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	result, err := work(t)
	if err != nil {
		return err
	}
	if result.Peak, err = memoryOf(os.Getpid(), "VmHWM"); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// runProcess runs a role in a process of its own and measures it.
func runProcess(role string, args ...string) (outcome, error) {
	self, err := os.Executable()
	if err != nil {
		return outcome{}, err
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(self, append([]string{"-role", role}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return outcome{}, fmt.Errorf("%s %s: %w: %s", role, strings.Join(args, " "), err, errs.Bytes())
	}
	var result outcome
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return outcome{}, fmt.Errorf("%s: %w", role, err)
	}
	result.Wall = time.Since(began).Seconds()
	if result.CPU == 0 {
		result.CPU = cpuOf(cmd.ProcessState)
	}
	return result, nil
}

// cpuOf is the CPU time of a process that has ended, in seconds, that of the processes it has waited for included.
func cpuOf(p *os.ProcessState) float64 { return (p.UserTime() + p.SystemTime()).Seconds() }

// memoryOf reads a figure of /proc/<pid>/status, in MiB. VmHWM, the peak, begins with the process's program;
// ru_maxrss would not.
func memoryOf(pid int, key string) (float64, error) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), key+":"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(value, "kB")))
			return float64(kib) / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, key)
}
