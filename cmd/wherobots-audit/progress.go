package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// progress shows on a terminal how far something is; elsewhere it says nothing.
type progress struct {
	out      io.Writer // nil = it is no terminal
	from, to time.Time
	last     time.Time
	shown    bool
}

// progressInterval is the least time between two of its lines.
const progressInterval = 200 * time.Millisecond

func newProgress(out io.Writer, from, to time.Time) *progress {
	p := &progress{from: from, to: to}
	if file, ok := out.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS); err == nil {
			p.out = out
		}
	}
	return p
}

// at shows that everything up to through is done.
func (p *progress) at(through time.Time, events int) {
	if p.out == nil || time.Since(p.last) < progressInterval {
		return
	}
	p.last, p.shown = time.Now(), true
	share := 100.0
	if all := p.to.Sub(p.from); all > 0 {
		share = min(100, 100*float64(through.Sub(p.from))/float64(all))
	}
	fmt.Fprintf(p.out, "\r\033[K%s  %3.0f %%  %d events", through.UTC().Format(time.RFC3339), share, events)
}

// clear takes the line away, so that another can be written.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\033[K")
		p.shown = false
	}
}
