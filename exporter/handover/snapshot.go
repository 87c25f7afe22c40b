package handover

import (
	"fmt"
	"slices"
	"strings"
)

// snapshot is what the engine tells of itself at one moment. Version 2 of its monitoring API publishes all figures
// together, once a second, but for the chunks of single inputs, which a timer renews every 5 s (measured on 3.2.10,
// 5.0.9 and 5.1.1). Of version 1 the chunk figures are all that old.
type snapshot struct {
	whole     bool // version 2: the total of chunks belongs to the same moment as the counters
	version   version
	ours      string // name of this input
	inputs    []inputFigures
	filters   []filterFigures
	outputs   []outputFigures
	routed    map[route]int64  // records that an output processed of an input; from 4.2 on
	unmatched map[string]int64 // records of an input that no output's match took; from 4.2 on
	chunks    int64            // in the engine; unknown where storage.metrics is off
	memory    int64            // chunks that are in memory alone
	onDisk    int64            // chunks that are files
	errors    int64            // error lines in the engine's log; unknown before 4.0.3
	text      uint64           // hash of what was read; 0 = it is not known
}

type route struct{ input, output string }

// unknown is the value of a figure that the engine does not tell.
const unknown = -1

// inputFigures are in the order in which the engine creates inputs: those of the configuration, storage_backlog
// where storage.path is set, then the emitters of filters (read in flb_engine.c, measured).
type inputFigures struct {
	name    string
	records int64 // accepted since the engine started, written or not
	chunks  int64 // up to 5 s old
	paused  bool
	gaveUp  int64 // appends that a full ring refused for good; from 4.1 on
}

type filterFigures struct {
	name                             string
	records, dropped, added, emitted int64
	emits                            bool // it owns an emitter: rewrite_tag, multiline
}

type outputFigures struct {
	name      string
	processed int64 // records delivered, each chunk once
	dropped   int64 // records given up on or refused for good
	failures  int64 // chunks of those
	retries   int64 // chunks that were put off
}

const backlogPrefix = "storage_backlog."

// input returns the figures of this input.
func (s *snapshot) input() inputFigures {
	for _, i := range s.inputs {
		if i.name == s.ours {
			return i
		}
	}
	return inputFigures{}
}

// diskless reports whether no input of the engine can have filesystem storage: without storage.path there is no
// storage_backlog (read in flb_storage.c).
func (s *snapshot) diskless() bool {
	for _, i := range s.inputs {
		if strings.HasPrefix(i.name, backlogPrefix) {
			return false
		}
	}
	return true
}

// emitters returns the inputs through which filters put records back.
func (s *snapshot) emitters() []inputFigures {
	for n, i := range s.inputs {
		if strings.HasPrefix(i.name, backlogPrefix) {
			return s.inputs[n+1:]
		}
	}
	var found []inputFigures
	for _, i := range s.inputs {
		if strings.HasPrefix(i.name, "emitter_for_") {
			found = append(found, i)
		}
	}
	return found
}

// emits reports whether a filter may put records back through an emitter.
func (s *snapshot) emits() bool {
	for _, f := range s.filters {
		if f.emits {
			return true
		}
	}
	return false
}

// inEmitters returns how many records filters have emitted that are in no chunk yet: an emitter is emptied every
// 25 ms, and until then no figure of chunks has them.
func (s *snapshot) inEmitters() (records int64, paused bool) {
	for _, f := range s.filters {
		records += f.emitted
	}
	if records == 0 {
		return 0, false
	}
	for _, e := range s.emitters() {
		records -= e.records
		paused = paused || e.paused
	}
	return max(records, 0), paused
}

// written returns how many records the whole engine has taken into chunks, if no write failed.
func (s *snapshot) written() (records int64) {
	for _, i := range s.inputs {
		records += i.records
	}
	return records + s.changed()
}

// changed returns by how much filters changed the number of records; what they re-emit counts with the emitters.
func (s *snapshot) changed() (records int64) {
	for _, f := range s.filters {
		records += f.added - f.dropped
	}
	return records
}

// drops counts what outputs gave up on. It grows with each such chunk.
func (s *snapshot) drops() (n int64) {
	for _, o := range s.outputs {
		n += o.dropped + o.failures
	}
	return n
}

// leftover returns how many chunks are in the engine, of all inputs.
func (s *snapshot) leftover() (n int64) {
	if s.chunks != unknown {
		return s.chunks
	}
	for _, i := range s.inputs {
		n += max(i.chunks, 0)
	}
	return n
}

// isMine reports whether records of this input may be in that one: it is this one, or an emitter.
func (s *snapshot) isMine(input string) bool {
	if input == s.ours {
		return true
	}
	for _, e := range s.emitters() {
		if e.name == input {
			return true
		}
	}
	return false
}

// mine sums figures of this input and the emitters.
func (s *snapshot) mine(figure func(inputFigures) int64) (sum int64) {
	for _, i := range s.inputs {
		if s.isMine(i.name) {
			sum += max(figure(i), 0)
		}
	}
	return sum
}

// tried reports whether an output has taken records of this input, although none may be delivered yet.
func (s *snapshot) tried() bool {
	for r, records := range s.routed {
		if records > 0 && (r.input == s.ours || s.emits() && s.isMine(r.input)) {
			return true
		}
	}
	for _, i := range s.inputs {
		if !s.isMine(i.name) && !strings.HasPrefix(i.name, backlogPrefix) {
			return false // what is put off may be its
		}
	}
	return slices.ContainsFunc(s.outputs, func(o outputFigures) bool { return o.retries > 0 })
}

// astray returns how many records of this input no output took.
func (s *snapshot) astray() (records int64) {
	for input, n := range s.unmatched {
		if s.isMine(input) {
			records += n
		}
	}
	return records
}

// version is the engine's, major and minor; zero = it does not tell.
type version struct{ major, minor int }

func parseVersion(text string) (v version) {
	if _, err := fmt.Sscanf(text, "%d.%d", &v.major, &v.minor); err != nil {
		return version{}
	}
	return v
}

// routes reports whether this version counts records by route.
func (v version) routes() bool { return v.major > 4 || v.major == 4 && v.minor >= 2 }

// newSnapshot has every figure unknown.
func newSnapshot() *snapshot {
	return &snapshot{
		routed: make(map[route]int64), unmatched: make(map[string]int64),
		chunks: unknown, memory: unknown, onDisk: unknown, errors: unknown,
	}
}

// named returns the element of list with that name, and adds it if there is none.
func named[T any](list *[]T, name string, nameOf func(*T) *string) *T {
	for i := range *list {
		if *nameOf(&(*list)[i]) == name {
			return &(*list)[i]
		}
	}
	var added T
	*nameOf(&added) = name
	*list = append(*list, added)
	return &(*list)[len(*list)-1]
}

func (s *snapshot) inputOf(name string) *inputFigures {
	n := len(s.inputs)
	i := named(&s.inputs, name, func(i *inputFigures) *string { return &i.name })
	if len(s.inputs) > n {
		i.chunks = unknown
	}
	return i
}

func (s *snapshot) filterOf(name string) *filterFigures {
	return named(&s.filters, name, func(f *filterFigures) *string { return &f.name })
}

func (s *snapshot) outputOf(name string) *outputFigures {
	return named(&s.outputs, name, func(o *outputFigures) *string { return &o.name })
}
