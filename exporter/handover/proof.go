package handover

import (
	"fmt"
	"strings"
	"time"
)

// finding is what figures say of a batch.
type finding int

const (
	notYet    finding = iota // more figures are needed
	proven                   // every output has it
	refused                  // an output dropped something
	doubtful                 // something was lost: it must be fetched again
	immovable                // neither will ever be known; nothing is committed until somebody acts
)

// verdict is a finding and why, for a person.
type verdict struct {
	finding finding
	why     string
}

func wait(format string, args ...any) verdict { return verdict{notYet, fmt.Sprintf(format, args...)} }

// proof draws conclusions from figures in which all that was handed over is counted. Counted is not written:
// on a full disk the engine counts records and writes none of them, and what no output matches, or a filter
// has moved to an emitter, is in no chunk of the input either. So delivered means that as much was processed
// as must have been written:
//
//	records of all inputs − dropped by filters + added by filters  =  processed by an output
//
// in figures of one moment at which no chunk is left.
type proof struct {
	drops     int64            // what outputs had given up on when last looked at
	lost      int64            // records of the engine known to be lost; they are not missed again
	ownLost   int64            // the same of this input, where others are busy
	emitLost  int64            // records lost on their way into an emitter
	strays    time.Time        // since when records are between a filter and its emitter
	missing   int              // figures in a row that lacked records
	first     map[string]int64 // records of other inputs when they were seen first
	busy      bool             // another input took in records since
	reached   bool             // an output processed more than all others took in: it takes this input's records
	unrouted  bool             // no output takes some of this input's records
	writeSafe bool             // no write of what is followed can have failed
}

const (
	emitterPatience = 10 * time.Second // an emitter is emptied every 25 ms unless it is paused
	missingTwice    = 2
)

// meet notes which other inputs there are, and whether one of them is busy.
func (p *proof) meet(s *snapshot) {
	if p.first == nil {
		p.first = make(map[string]int64)
	}
	var others int64
	for _, i := range s.inputs {
		if s.isMine(i.name) {
			continue
		}
		others += i.records
		if strings.HasPrefix(i.name, backlogPrefix) {
			continue
		}
		if first, known := p.first[i.name]; !known {
			p.first[i.name] = i.records
		} else if first != i.records {
			p.busy = true
		}
	}
	for _, o := range s.outputs {
		p.reached = p.reached || o.processed > others
	}
}

// obstacles are what keeps records from being delivered, or hides whether they are.
func (p *proof) obstacles(s *snapshot) (v verdict, obstructed bool) {
	if n := s.astray(); n > 0 {
		return p.noOutput(n), true
	}
	records, paused := s.inEmitters()
	if records -= p.emitLost; records <= 0 {
		p.strays = time.Time{}
		return verdict{}, false
	}
	if p.strays.IsZero() || paused {
		p.strays = time.Now()
	}
	if time.Since(p.strays) < emitterPatience {
		return wait("%d records are in a filter's emitter", records), true
	}
	p.emitLost += records
	return verdict{doubtful, fmt.Sprintf("%d records were lost in a filter's emitter (its memory limit is "+
		"emitter_mem_buf_limit; emitter_storage.type: filesystem has none)", records)}, true
}

func (p *proof) noOutput(records int64) verdict {
	p.unrouted = true
	return verdict{immovable, fmt.Sprintf("no output matches this input's tag, or the one that a filter gave %d of its "+
		"records: Fluent Bit dropped them. Correct the outputs' match and restart; an output null takes what nobody wants",
		records)}
}

// wholeEngine judges figures of one moment by all that the engine took in. empties are chunks without content.
func (p *proof) wholeEngine(s *snapshot, empties int64) verdict {
	if left := s.leftover() - empties; left > 0 {
		p.missing = 0
		return wait("%d chunks are still in Fluent Bit", left)
	}
	var done []int64
	for _, o := range s.outputs {
		done = append(done, o.processed+o.dropped)
	}
	return p.balance(s, done, s.written(), &p.lost)
}

// ownRoutes judges by what outputs processed of this input: others are busy, so that the engine's sums never settle.
func (p *proof) ownRoutes(s *snapshot) verdict {
	switch {
	case !s.version.routes() && !p.reached:
		return verdict{immovable, "this Fluent Bit does not tell which input's records an output processed: run this input " +
			"in a Fluent Bit of its own, or in version 4.2 or newer"}
	case s.version.routes() && p.ownFilters(s):
		var done []int64
		for _, o := range s.outputs {
			var n int64
			for r, records := range s.routed {
				if r.output == o.name && s.isMine(r.input) {
					n += records
				}
			}
			done = append(done, n)
		}
		written := s.mine(func(i inputFigures) int64 { return i.records }) + s.changed()
		return p.balance(s, done, written, &p.ownLost)
	case p.writeSafe:
		return verdict{finding: proven}
	default:
		return verdict{immovable, "filters that other inputs share drop records, and Fluent Bit does not tell whose: " +
			"let filters that drop match either this input's tag or others', or run this input in a Fluent Bit of its own"}
	}
}

// ownFilters reports whether whatever filters changed was this input's.
func (p *proof) ownFilters(s *snapshot) bool {
	mine := s.mine(func(i inputFigures) int64 { return i.records })
	for _, f := range s.filters {
		if f.emitted != 0 || (f.dropped != 0 || f.added != 0) && f.records > mine {
			return false
		}
	}
	return true
}

// balance compares what outputs have done with what was written. What is missing twice in a row is lost.
func (p *proof) balance(s *snapshot, done []int64, written int64, lost *int64) verdict {
	var most, sum int64
	working := 0
	for _, n := range done {
		most, sum = max(most, n), sum+n
		if n > 0 {
			working++
		}
	}
	if *lost > 0 && most > written-*lost {
		*lost = max(written-most, 0) // what was thought lost had only been slow
	}
	missing := written - *lost - most
	// Several outputs may share the records, but so may two that each lack half of them.
	shared := working > 1 && p.writeSafe && (sum == written-*lost || s.version.routes())
	if missing <= 0 || shared {
		p.missing = 0
		return verdict{finding: proven}
	}
	if p.missing++; p.missing < missingTwice {
		return wait("%d records were processed by no output yet", missing)
	}
	p.missing = 0
	if working == 0 && !s.version.routes() {
		return p.noOutput(missing)
	}
	*lost += missing
	return verdict{doubtful, fmt.Sprintf("%d records were taken in by Fluent Bit and processed by no output: they could "+
		"not be written, as on a full disk", missing)}
}
