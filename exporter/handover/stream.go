package handover

import "github.com/wherobots/in_wherobots_audit/exporter/sums"

// stream proves that batches are delivered while others follow, so that the hand-over need not stop until the engine is
// empty. It begins when everything was delivered. From then on, for each output that got every record until then,
//
//	records handed over − records that it processed  =  records of the batches that it has not processed
//
// because a batch is in one chunk, whole or not at all, and an output counts a chunk once, when it has delivered it.
// Which batches it has not processed is not known, but how many records they have together is. A batch that is in no
// set of batches with so many records is not among them: it is delivered. Examples, with batches of 5, 7 and 9 records
// on their way:
//
//	0 left: all three are delivered
//	9 left: the first two are, however chunks overtook one another
//	12 left: the third is, which is of no use before the first two are
//	7 left of 5, 7 and 7: only the first is
//
// It makes no difference why a batch is not processed: it may be in a chunk, wait for a retry, be lost on a full disk,
// match no output, or never have been taken in. Retries and outputs with several workers change the order only. So
// neither chunk figures nor the order is needed, and figures that are older than the last hand-over do no harm.
//
// It rests on records not changing in number between hand-over and output, and on the same outputs taking all of
// them. Where a filter drops, adds or emits records, an output takes part of them, another input is mixed with this
// one, or the records that are left are of no set of batches, it ends, until everything is delivered once more.
type stream struct {
	on       bool
	own      bool             // it goes by what outputs processed of this input; others are busy
	handed   int64            // records handed over when it began
	proved   int64            // records of the batches that it has proved since
	done     map[string]int64 // by output that takes every record: what it had processed
	idle     map[string]bool  // outputs that take none
	constant constants        // what must not change
}

// constants are figures that stay the same while each record that is handed over comes to an output as one.
type constants struct{ others, dropped, added, emitted, drops int64 }

// begin notes that all records that were handed over are delivered. lost are those of the engine's that are known never
// to be.
func (t *stream) begin(s *snapshot, p *proof, handed int64) {
	written, lost := s.written(), p.lost
	if p.busy {
		written, lost = s.mine(func(i inputFigures) int64 { return i.records })+s.changed(), p.ownLost
	}
	*t = stream{
		own: p.busy, handed: handed, done: make(map[string]int64), idle: make(map[string]bool),
		constant: constantsOf(s, p.busy),
	}
	if p.busy && (!s.version.routes() || !p.ownFilters(s)) {
		return
	}
	for _, o := range s.outputs {
		switch n := t.processed(s, o); n {
		case written - lost:
			t.done[o.name] = n
		case 0:
			t.idle[o.name] = true
		}
	}
	t.on = len(t.done) > 0 && written > lost
}

func constantsOf(s *snapshot, own bool) (c constants) {
	for _, i := range s.inputs {
		if i.name != s.ours && (!own || s.isMine(i.name)) {
			c.others += i.records
		}
	}
	for _, f := range s.filters {
		c.dropped, c.added, c.emitted = c.dropped+f.dropped, c.added+f.added, c.emitted+f.emitted
	}
	c.drops = s.drops()
	return c
}

// processed returns how many records an output has delivered.
func (t *stream) processed(s *snapshot, o outputFigures) (n int64) {
	if !t.own {
		return o.processed
	}
	for r, records := range s.routed {
		if r.output == o.name && s.isMine(r.input) {
			n += records
		}
	}
	return n
}

// proves returns how many of the batches that are on their way, which are in order, are delivered according to figures
// that were read before the batches were listed. handed is what was handed over up to and with the last of them.
func (t *stream) proves(s *snapshot, onTheirWay []acceptance, handed int64) (n int) {
	if !t.on {
		return 0
	}
	records := make([]int64, len(onTheirWay))
	sum := int64(0)
	for i, a := range onTheirWay {
		records[i] = int64(a.records)
		sum += records[i]
	}
	// What became safe in another way is not on the list and may still be on its way.
	if constantsOf(s, t.own) != t.constant || handed-t.handed-t.proved != sum {
		t.on = false
		return 0
	}
	if len(records) > sums.Most {
		return 0
	}
	n = len(records)
	for _, o := range s.outputs {
		done, takes := t.done[o.name]
		if t.idle[o.name] && t.processed(s, o) == 0 {
			continue
		}
		delivered, ok := sums.Done(records, sum-(t.processed(s, o)-done-t.proved))
		if !takes || !ok {
			t.on = false
			return 0
		}
		n = min(n, delivered)
	}
	for _, r := range records[:n] {
		t.proved += r
	}
	return n
}
