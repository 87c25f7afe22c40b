// Package logline is a line for the engine's log on its way there: queued, cut to a bearable length, and
// clean of what a terminal or a log viewer would take for a command.
package logline

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Level is a log level as Fluent Bit numbers them.
type Level int

// The engine's levels (read in its flb_log.h).
const (
	LevelError Level = 1
	LevelWarn  Level = 2
	LevelInfo  Level = 3
	LevelDebug Level = 4
)

// Line is one log line. Lines are queued until the engine's thread fetches them with Exporter.Lines, since
// the engine's log function sends lines of other threads to stderr, past log_file (measured on 3.2.10 and
// 5.1.1).
type Line struct {
	Level Level
	Text  string
}

// maxLines bounds the queue: the engine may not call for a long time. The oldest go; their number is told.
const maxLines = 500

// maxLine is the longest line in bytes: whatever is in it, an id of megabytes too, nobody reads on.
const maxLine = 4 << 10

type Queue struct {
	Secrets // every line is redacted here, at the one place where lines are made, and cut afterwards

	mu      sync.Mutex
	queued  []Line
	dropped int
	debug   atomic.Bool
}

// Verbose says whether lines of LevelDebug are wanted. Otherwise they would push out others while the engine does not
// collect.
func (l *Queue) Verbose(wanted bool) { l.debug.Store(wanted) }

// Debugf adds a line for those who look for the cause of something, if it is wanted.
func (l *Queue) Debugf(format string, args ...any) {
	if l.debug.Load() {
		l.add(LevelDebug, format, args...)
	}
}

func (l *Queue) add(level Level, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queued) >= maxLines {
		l.queued = l.queued[:copy(l.queued, l.queued[1:])]
		l.dropped++
	}
	l.queued = append(l.queued, Line{level, Cut(l.Redact(fmt.Sprintf(format, args...)), maxLine)})
}

func (l *Queue) Errorf(format string, args ...any) { l.add(LevelError, format, args...) }

func (l *Queue) Warnf(format string, args ...any) { l.add(LevelWarn, format, args...) }

func (l *Queue) Infof(format string, args ...any) { l.add(LevelInfo, format, args...) }

func (l *Queue) Drain() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queued) == 0 {
		return nil
	}
	out := l.queued
	if l.dropped > 0 {
		out = append(
			[]Line{{LevelWarn, fmt.Sprintf("%d older log lines were dropped while the engine did not collect", l.dropped)}},
			out...,
		)
	}
	l.queued, l.dropped = nil, 0
	return out
}

// RareInterval is the time between lines of the same kind.
const RareInterval = 10 * time.Minute
