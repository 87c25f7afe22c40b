package exporter

import (
	"log"
	"strings"
	"sync"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// standardLog is where Go's standard logger writes while an instance runs. net/http uses it, for one, to
// print what came unasked on an idle connection: an answer with audit events and a repeated key. On stderr
// that would go past the engine's log and past redaction; here it becomes a short line of an instance's log,
// seldom.
type standardLog struct {
	mu     sync.Mutex
	rarely map[string]bool // kinds that were told
}

const (
	standardLine = 200 // bytes of such a line
	standardKind = 40  // bytes at its beginning that tell one kind from another
	mostKinds    = 50

	// payload begins what net/http repeats of an answer nobody asked for: events, and perhaps a part of a key that is
	// too short to be known.
	payload = " starting with "
)

// Write makes a line of what the standard logger prints. All instances' secrets are taken out: the connection
// may be of any of them.
func (l *standardLog) Write(text []byte) (int, error) {
	line := string(text)
	var queue *logline.Queue
	fleet.each(func(e *Exporter) {
		line = e.log.Redact(line)
		queue = e.log
	})
	line, _, _ = strings.Cut(logline.Clean(line), payload)
	if queue == nil || !l.first(logline.Cut(line, standardKind)) {
		return len(text), nil
	}
	queue.Warnf("Go's runtime says (once): %s", logline.Cut(line, standardLine))
	return len(text), nil
}

// first reports whether no line of this kind was told.
func (l *standardLog) first(kind string) bool {
	kind = strings.TrimSpace(kind)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rarely[kind] || len(l.rarely) >= mostKinds {
		return false
	}
	if l.rarely == nil {
		l.rarely = make(map[string]bool)
	}
	l.rarely[kind] = true
	return true
}

// captureStandardLog routes the standard logger to the instances; release gives back what was before, usually stderr.
func captureStandardLog() (release func()) {
	flags, writer := log.Flags(), log.Writer()
	log.SetFlags(0)
	log.SetOutput(new(standardLog))
	return func() {
		log.SetFlags(flags)
		log.SetOutput(writer)
	}
}
