package handover

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// Storage looks for what was handed over in the engine's chunk files. A batch that is found there, and synced, is
// stored, whatever the engine's main thread is busy with. It also watches the room on their file system.
type Storage struct {
	ledger *Ledger
	facts  *Facts
	log    *logline.Queue
	proc   string // where this process's descriptors are listed

	begun   time.Time
	root    string                // storage.path; "" = not known
	dirs    []string              // of inputs that may hold what was handed over, below root
	dirsAt  time.Time             // when they were listed
	own     []string              // those of this plugin that have files of this run
	files   map[string]*chunkFile // that are open, by path
	known   map[string]bool       // that were closed, or are of an earlier run
	empty   map[string]bool       // that had no content when looked at last
	found   bool                  // a batch was
	since   time.Time             // of the first hand-over
	statAt  time.Time
	emptyAt time.Time
	syncErr time.Time
	holdAt  time.Time // when it was tried to hold the storage
	release func()    // the storage is held; nil = it is not

	short, mute, memory, emitter, unseen, shared, unlocked rareLine // what is said
}

// A chunk file may live for a few milliseconds only: the ring is emptied and chunks are flushed at the same
// moments of a second, and an output such as file is quick. So looks are close together while the ring is
// emptied.
const (
	ringTime        = 600 * time.Millisecond // from a hand-over until the ring is emptied, twice over
	ringInterval    = 2 * time.Millisecond   // between two looks then
	closeTime       = 5 * time.Millisecond   // from a hand-over, in which it does nothing but look
	eagerTime       = 3 * time.Second        // for so long after the last hand-over the main thread is only slow
	storageInterval = 20 * time.Millisecond
	restInterval    = 250 * time.Millisecond // between two looks when there is little to be found
	openMost        = 64                     // chunk files that are held open
	goneTime        = 3 * time.Second        // that a removed file is kept open
)

// NewStorage makes one that looks for what is in ledger. What it finds out of the engine it notes in facts.
func NewStorage(ledger *Ledger, facts *Facts, log *logline.Queue) *Storage {
	return &Storage{
		ledger: ledger, facts: facts, log: log, proc: "/proc/self/fd", begun: time.Now(),
		files: make(map[string]*chunkFile), known: make(map[string]bool),
	}
}

// Run looks until ctx ends, and once more then. What it finds last is in the last save.
func (s *Storage) Run(ctx context.Context) {
	persist(ctx, s.log, func() { s.run(ctx) })
	_ = caught(func() {
		if len(s.ledger.unstored()) > 0 { // otherwise nobody may ever have asked the engine
			s.facts.end()
		}
		s.look()
	})
	for _, c := range s.files {
		_ = c.file.Close()
	}
}

func (s *Storage) run(ctx context.Context) {
	for interval := restInterval; ; {
		select {
		case <-ctx.Done():
			return
		case <-s.ledger.taken:
			if s.mayFind() {
				s.lookClosely()
			} else {
				s.look()
			}
		case <-time.After(interval):
			s.look()
		}
		switch age := time.Since(s.ledger.lastAccepted()); {
		case !s.mayFind():
			interval = watchInterval
		case age < ringTime:
			interval = ringInterval
		case age < eagerTime:
			interval = storageInterval
		default:
			interval = restInterval
		}
	}
}

// mayFind reports whether there can be a chunk file: an input with memory storage has none, and to list this process's
// files again and again would take more time than all else. Any other is looked for as often as it can be, also where
// the monitoring API answers: a chunk that an output refuses is closed until it is tried again, and no delivery proves
// it.
func (s *Storage) mayFind() bool { return s.root != "" || !s.facts.inMemory() }

// lookClosely looks again and again for a moment: when the ring is emptied and chunks are flushed right after the
// hand-over, a chunk file lives for about a millisecond (measured on 5.1.1 with the output file).
func (s *Storage) lookClosely() {
	for begin := time.Now(); time.Since(begin) < closeTime; {
		if s.look(); !s.ledger.isUnderWay() {
			return
		}
	}
}

// look finds new files and what they hold, and looks after the room.
func (s *Storage) look() {
	waiting, underWay := s.ledger.unstored(), s.ledger.isUnderWay()
	if underWay && s.since.IsZero() {
		s.since = time.Now()
	}
	s.ledger.setRouted(s.facts.hasRoute(s.since))
	switch {
	case !s.mayFind():
		s.ledger.forgoTraces()
	case s.root == "" && underWay:
		s.find()
	}
	if s.ledger.takesStorage() {
		s.tell(waiting)
	}
	if s.root == "" {
		return
	}
	s.beAlone()
	s.guard()
	if underWay {
		s.list()
		if now := time.Now(); now.Sub(s.emptyAt) >= watchInterval {
			s.emptyAt = now
			s.noteEmpty()
		}
		s.search(waiting)
	} else if len(s.files) > 0 && time.Since(s.dirsAt) >= restInterval {
		s.list() // an open file takes its room even when the engine has removed it
	}
}

// find finds storage.path, and holds the file open that told it.
func (s *Storage) find() {
	path, file := findStorage(s.proc)
	if file == nil {
		return
	}
	s.root = filepath.Dir(filepath.Dir(path))
	s.facts.setRoot(s.root)
	if !isWatched(filepath.Base(filepath.Dir(path))) || s.isOld(path) {
		_ = file.Close()
		return
	}
	s.files[path] = &chunkFile{file: file, path: path}
}

// isOld reports whether a chunk file is of the backlog of an earlier run.
func (s *Storage) isOld(path string) bool { return chunkTime(path).Before(s.begun.Add(-time.Second)) }

// isWatched reports whether an input may hold what was handed over: it is of this plugin, or an emitter.
func isWatched(input string) bool {
	return strings.HasPrefix(input, pluginPrefix) || strings.HasPrefix(input, "emitter.")
}

// list opens the files that are new, and lets go of those that no longer matter.
func (s *Storage) list() {
	present := make(map[string]bool)
	s.own = s.own[:0]
	for _, input := range s.inputs() {
		used := false
		files, _ := os.ReadDir(filepath.Join(s.root, input))
		for _, file := range files {
			path := filepath.Join(s.root, input, file.Name())
			present[path] = true
			if !s.isOld(path) {
				used = true
				s.open(path)
			}
		}
		if used && strings.HasPrefix(input, pluginPrefix) {
			s.own = append(s.own, input)
		}
	}
	for path, c := range s.files {
		if !present[path] && c.gone.IsZero() {
			c.gone = time.Now()
		}
		if !c.gone.IsZero() && time.Since(c.gone) > goneTime {
			s.close(path)
		}
	}
	for path := range s.known {
		if !present[path] {
			delete(s.known, path)
		}
	}
}

// inputs returns the folders of inputs that may hold what was handed over. They are made when the engine starts.
func (s *Storage) inputs() []string {
	if time.Since(s.dirsAt) < restInterval {
		return s.dirs
	}
	s.dirsAt = time.Now()
	s.dirs = s.dirs[:0]
	inputs, _ := os.ReadDir(s.root)
	for _, input := range inputs {
		if isWatched(input.Name()) {
			s.dirs = append(s.dirs, input.Name())
		}
	}
	return s.dirs
}

func (s *Storage) open(path string) {
	if s.files[path] != nil || s.known[path] {
		return
	}
	file, err := os.Open(path)
	if err != nil { // it was delivered meanwhile
		return
	}
	s.files[path] = &chunkFile{file: file, path: path}
	if len(s.files) > openMost {
		oldest := ""
		for path := range s.files {
			if oldest == "" || chunkTime(path).Before(chunkTime(oldest)) {
				oldest = path
			}
		}
		s.close(oldest)
		s.known[oldest] = true
	}
}

func (s *Storage) close(path string) {
	_ = s.files[path].file.Close()
	delete(s.files, path)
}

// noteEmpty notes files without content, if they had none when looked at before either: a new one has none
// for a moment.
func (s *Storage) noteEmpty() {
	empty := make(map[string]bool)
	var own []bool
	paths, _ := filepath.Glob(filepath.Join(escapeGlob(s.root), "*.[0-9]*", "*.flb"))
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		length, _, err := header(file)
		_ = file.Close()
		if err != nil || length > 0 || s.isOld(path) {
			continue
		}
		if empty[path] = true; s.empty[path] {
			input := filepath.Base(filepath.Dir(path))
			own = append(own, isWatched(input))
		}
	}
	s.empty = empty
	s.facts.setEmpty(own)
}

// search looks for batches in what is new in the files.
func (s *Storage) search(waiting []acceptance) {
	if len(waiting) == 0 {
		return
	}
	var wanted []acceptance
	what := searched{newest: waiting[len(waiting)-1].number}
	for _, a := range waiting {
		allowed, byID := s.facts.mayBeStored(a.total)
		if !allowed {
			continue
		}
		if !byID || len(s.own) > 1 { // another input of this plugin may have the same event
			a.trace.id = ""
		} else {
			what.byID++
		}
		wanted = append(wanted, a)
	}
	what.wanted = len(wanted)
	for _, c := range s.files {
		for _, number := range c.find(wanted, what) {
			if s.synced(c) {
				s.found = true
				s.ledger.store(number)
			}
		}
	}
}

// synced syncs the file. What cannot be synced is not stored: delivery has to prove it.
func (s *Storage) synced(c *chunkFile) bool {
	err := c.sync()
	if err != nil && !errors.Is(err, os.ErrNotExist) && time.Since(s.syncErr) > logline.RareInterval {
		s.syncErr = time.Now()
		s.log.Errorf("Fluent Bit's storage cannot be synced: %v; what it holds counts as safe when it is delivered", err)
	}
	return err == nil
}

// tell says what keeps commit_on handoff from being more than best effort.
func (s *Storage) tell(waiting []acceptance) {
	f := s.facts.state()
	s.mute.say(f.mute, func() {
		if _, err := os.ReadDir(s.proc); err != nil {
			s.ledger.trustTime()
			s.log.Warnf("commit_on handoff without http_server is best effort, and this system does not tell where Fluent "+
				"Bit's storage is (%v): a batch counts as safe a second after Fluent Bit copied it. Set http_server: on in "+
				"the service section, or engine_url", err)
			return
		}
		s.log.Warnf("commit_on handoff without http_server is best effort, and the monitoring API at %s (engine_url) does "+
			"not answer: the checkpoint passes what is found in Fluent Bit's chunk files byte for byte, and nothing else, so "+
			"filters and memory storage hold it up. Set http_server: on in the service section, and engine_url if the port is "+
			"another", f.api)
	}, func() { s.log.Infof("commit_on handoff: the monitoring API answers") })
	s.memory.say(f.memory, func() {
		s.log.Warnf("commit_on handoff with memory storage: what Fluent Bit has in memory is lost when it ends, so the " +
			"checkpoint waits until every output has the events, as with commit_on delivery. Set storage.path in the " +
			"service section and storage.type: filesystem on this input")
	}, func() {})
	s.emitter.say(f.emitted && f.ram != 0, func() {
		s.log.Warnf("commit_on handoff with a filter that re-emits records (rewrite_tag, multiline) into memory: the " +
			"checkpoint waits until every output has them. Set emitter_storage.type: filesystem on the filter")
	}, func() {})
	late := len(waiting) > 0 && f.mute && time.Since(waiting[0].at) > standstill
	if late && s.found { // others were found: this one was not written, or gone too soon
		s.ledger.doubtful("a batch was not found in Fluent Bit's storage, and without http_server nothing else tells " +
			"where it is")
		return
	}
	s.unseen.say(late, func() {
		s.log.Warnf("commit_on handoff: a batch is not found in Fluent Bit's storage, and without http_server nothing else "+
			"tells where it is. Has this input storage.type: filesystem, and do filters change its records? The checkpoint "+
			"stands still, events flow on (storage path: %q)", s.root)
	}, func() {})
}

// guard keeps batches back while the file system is full.
func (s *Storage) guard() {
	if time.Since(s.statAt) < restInterval {
		return
	}
	s.statAt = time.Now()
	var stat syscall.Statfs_t
	if err := syscall.Statfs(s.root, &stat); err != nil {
		s.ledger.setRoom(unknown, unknown, 1)
		return
	}
	free, files := s.roomOf(&stat)
	factor := int64(1)
	if emitters, _ := filepath.Glob(filepath.Join(escapeGlob(s.root), "emitter.*")); len(emitters) > 0 {
		factor = 2
	}
	need := s.ledger.setRoom(free, files, factor)
	s.short.say(need > 0, func() {
		s.log.Errorf("the file system of Fluent Bit's storage is full: %s has %d bytes and %d files free, and %d bytes and "+
			"%d files are needed. Nothing is handed over until there is room, and nothing is lost meanwhile",
			s.root, free, files, need, leastFiles)
	}, func() { s.log.Infof("there is room again in Fluent Bit's storage %s: the hand-over goes on", s.root) })
}

// roomOf returns how many bytes and files a file system has room for. One that makes room for files as they come
// (btrfs) says that it has room for none in all.
func (s *Storage) roomOf(stat *syscall.Statfs_t) (free, files int64) {
	free = int64(stat.Bavail) * int64(stat.Bsize) //nolint:unconvert // of another type on other systems
	files = unknown
	if stat.Files > 0 {
		files = int64(stat.Ffree)
	}
	return free, files
}

// rareLine is a line about a state: said when it begins, now and then while it lasts, and when it is over.
type rareLine struct{ at time.Time }

func (r *rareLine) say(lasts bool, begin, end func()) {
	switch {
	case lasts && (r.at.IsZero() || time.Since(r.at) > logline.RareInterval):
		r.at = time.Now()
		begin()
	case !lasts && !r.at.IsZero():
		r.at = time.Time{}
		end()
	}
}

// escapeGlob makes a path a pattern of itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
