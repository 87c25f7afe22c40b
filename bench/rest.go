package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/wherobots/in_wherobots_audit/e2e/loopback"
)

const (
	restEngines = 3  // with the plugin, and as many without it
	restRows    = 21 // of the export: what a small organization did in ten days
)

// resting is an engine whose memory is looked at later.
type resting struct {
	cmd   *exec.Cmd
	ended chan error
	into  *[]float64 // MiB
}

// rest measures what the plugin adds to the engine's resident memory once it has caught up and waits for new events.
// The engines that it is compared with load `dummy` in its place; all of them run beside one another.
func (b *bench) rest() (text string, err error) {
	if !b.engine.real {
		return "", nil
	}
	var with, without []float64
	var engines []resting
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, endEngine(e.cmd, e.ended))
		}
	}()
	for range restEngines {
		for _, into := range []*[]float64{&with, &without} {
			cmd, err := b.restCommand(into == &with)
			if err != nil {
				return "", err
			}
			if err := cmd.Start(); err != nil {
				return "", err
			}
			e := resting{cmd, make(chan error, 1), into}
			go func() { e.ended <- cmd.Wait() }()
			engines = append(engines, e)
		}
	}
	time.Sleep(b.plan.rest)
	for _, e := range engines {
		resident, err := memoryOf(e.cmd.Process.Pid, "VmRSS")
		if err != nil {
			return "", err
		}
		*e.into = append(*e.into, resident)
	}
	return fmt.Sprintf("At rest the plugin adds %.1f MiB to the engine's resident memory: VmRSS %s after the start, with "+
		"%d events collected, of %d engines each, which ran beside one another; the others load `dummy` in its place "+
		"(%.1f MiB; medians).\n",
		median(with)-median(without), b.plan.rest, restRows, restEngines, median(without)), nil
}

func (b *bench) restCommand(plugin bool) (*exec.Cmd, error) {
	dir, err := os.MkdirTemp(b.scratch, "rest-")
	if err != nil {
		return nil, err
	}
	port, err := loopback.Port()
	if err != nil {
		return nil, err
	}
	if !plugin {
		return b.realCommand(dir, port, "pipeline:\n  inputs:\n    - name: dummy\n      tag: audit\n"+nullOutput)
	}
	settings := b.settings(dir, port, b.source.endpoint(kindDays, restRows))
	return b.realCommand(dir, port, pluginConfig(settings), "-e", b.engine.plugin)
}
