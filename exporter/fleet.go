package exporter

import (
	"log"
	"strings"
	"sync"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// fleet knows the instances of this process. It exists for one defect of the engine (measured on 5.1.1): with
// several inputs and a mem_buf_limit, pausing one stops the collect timer of another, which is then never
// called again. The plugin cannot repair that, but the others notice.
var fleet instances

type instances struct {
	mu      sync.Mutex
	members map[*Exporter]bool // true = it was told that this one is no longer called
	looked  time.Time
	ended   bool // the process was told to end
	held    bool // it was said that it will not

	// logger is held while the standard logger is captured or released, which must not happen under mu: the logger holds
	// its own lock when it calls standardLog, and that asks for mu.
	logger  sync.Mutex
	release func() // gives the standard logger back
}

const (
	silenceLimit = 30 * time.Second // without a collect call, while others get theirs
	lookInterval = 5 * time.Second
)

func (f *instances) join(e *Exporter) {
	f.logger.Lock()
	defer f.logger.Unlock()
	f.add(e)
	if f.release == nil {
		f.release = captureStandardLog()
	}
}

func (f *instances) add(e *Exporter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members == nil {
		f.members = make(map[*Exporter]bool)
	}
	f.members[e] = false
	f.ended, f.held = false, false
}

// end reports, once, whether all instances are complete. What keeps e's process going for good it says, once.
func (f *instances) end(e *Exporter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for other := range f.members {
		if other.cfg.End.IsZero() && !f.held {
			f.held = true
			e.log.Warnf("exit_when_complete does nothing: the input with checkpoint_path %s has no end_time and goes on",
				other.cfg.CheckpointPath)
		}
		if !other.stats.complete.Load() {
			return false
		}
	}
	if f.ended {
		return false
	}
	f.ended = true
	e.log.Infof("the collection up to end_time %s is complete; Fluent Bit ends (exit_when_complete)",
		e.cfg.End.Format(time.RFC3339))
	return true
}

// each calls do for every instance.
func (f *instances) each(do func(e *Exporter)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for e := range f.members {
		do(e)
	}
}

// leave comes after the instance's connections are closed: until then they may have something to say.
func (f *instances) leave(e *Exporter) {
	f.logger.Lock()
	defer f.logger.Unlock()
	if f.remove(e) == 0 && f.release != nil {
		f.release()
		f.release = nil
	}
}

// remove returns how many are left.
func (f *instances) remove(e *Exporter) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, e)
	return len(f.members)
}

// called notes that e's collect was called, and looks after the others now and then. What it finds goes to
// e's log, since nobody prints that of an instance that is not called.
func (f *instances) called(e *Exporter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if len(f.members) < 2 || now.Sub(f.looked) < lookInterval {
		return
	}
	f.looked = now
	for other, told := range f.members {
		silent := other.ledger.SilentFor()
		switch {
		case other == e:
		case silent < silenceLimit:
			f.members[other] = false
		case !told:
			f.members[other] = true
			e.log.Errorf("the engine has not called the input with checkpoint_path %s for %s while it calls others: "+
				"a defect of Fluent Bit with several inputs and mem_buf_limit. "+
				"Use storage.type filesystem without mem_buf_limit, and restart",
				other.cfg.CheckpointPath, silent.Round(time.Second))
		}
	}
}

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
