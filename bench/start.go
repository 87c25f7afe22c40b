package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// start measures what loading the shared object adds to the engine's start: it loads it, tells its version, and ends.
func (b *bench) start() (string, error) {
	info, err := os.Stat(b.engine.plugin)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("The stripped shared object has %.2f MiB", float64(info.Size())/(1<<20))
	if !b.engine.real {
		return text + ".\n", nil
	}
	var with, without []float64
	for range b.plan.starts {
		for _, c := range []struct {
			args []string
			into *[]float64
		}{{[]string{"-V"}, &without}, {[]string{"-e", b.engine.plugin, "-V"}, &with}} {
			began := time.Now()
			if out, err := exec.Command(b.engine.program, c.args...).CombinedOutput(); err != nil {
				return "", fmt.Errorf("%s %v: %w: %s", b.engine.program, c.args, err, out)
			}
			*c.into = append(*c.into, time.Since(began).Seconds()*1000)
		}
	}
	return fmt.Sprintf("%s; loading it adds %.0f ms to Fluent Bit's start (`fluent-bit -e in_wherobots_audit.so -V` "+
		"takes %.0f ms, `fluent-bit -V` %.0f ms; medians of %d).\n",
		text, median(with)-median(without), median(with), median(without), b.plan.starts), nil
}
