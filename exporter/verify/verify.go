// Package verify reads a stretch of the export again and compares it, hour by hour, with what the checkpoint says was
// handed over, with the endpoint's own count, and with the event_ids that a SIEM has. It changes nothing.
package verify

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// Event is what the export says of one event.
type Event struct {
	ID   []byte // event_id, valid during the call only; nil = it has none, or the row cannot be read
	Hash uint64 // dedup.PublishedID of it
	Time time.Time

	// Record returns what would be handed over of it: [time, record] in msgpack. It can be called during the call only.
	Record func() []byte
}

// Collected is what the checkpoint says.
type Collected struct {
	Hours   *dedup.Hours // nil = there is no checkpoint, or it has not begun
	Why     string       // … and that is why; "" = for no other reason
	From    time.Time    // where the collection began
	Through time.Time    // everything up to here is handed over …
	Overlap time.Duration
	// … and what is younger than that before it may still change

	// LeftOut says why something from start on and before end was left out by hand; "" = nothing was. nil = likewise.
	LeftOut func(start, end time.Time) string
}

// floor is before what the digests are final, but for what reconciliation finds.
func (c *Collected) floor() time.Time { return c.Through.Add(-c.Overlap) }

// Verifier compares. It is for one goroutine. Export, Collected, Retry and Now are needed.
type Verifier struct {
	// Export reads the export from w.Start to w.End, both included, and calls each once for every event.
	Export func(ctx context.Context, w plan.Window, each func(Event)) error
	// Collected reads the checkpoint anew.
	Collected func() (Collected, error)
	// Count asks how many events there are from w.Start to w.End, both included. ok is false where the endpoint does not
	// say; an error says why it could not be asked. nil = it is not asked.
	Count func(ctx context.Context, w plan.Window) (total int64, ok bool, err error)
	Retry *source.Retry

	IDs     *IDs                     // of the SIEM; nil = there is no list
	Missing io.Writer                // gets the event_ids that are missing from the list, one a line; nil = nobody does
	Emit    func(event []byte) error // gets the records of these, as Event has them; nil = nobody does
	Now     time.Time                // the server's present
	// Say is told why the export is asked again, and after what time; nil = nobody is.
	Say      func(why error, wait time.Duration)
	Progress func(through time.Time) // is told up to where it was compared; nil = nobody is
	MaxRows  int                     // that a request should answer at most, as far as the digests tell

	report   Report
	open     bool // no end was asked for: it is where the collection is
	answered bool // the export was read at least once
	missing  *bufio.Writer
	failing  bool  // the last piece could not be read: the next is tried once
	failures int   // hours in a row that could not be read
	last     error // why
}

const (
	longestPiece = 24 * time.Hour // that is read at once
	margin       = time.Hour      // read on both sides: event_time may not be the time that the endpoint goes by
	attempts     = 6              // at one request
	mostFailures = 24             // hours in a row that could not be read; the rest is not tried any more
)

// Run compares what happened from w.Start on and before w.End. Zero ends mean all that the endpoint still has and all
// that was collected. Its errors are of the settings, files and ctx, and what the endpoint refuses from the first
// request on, such as the key; what cannot be read later is in the report.
func (v *Verifier) Run(ctx context.Context, w plan.Window) (Report, error) {
	known, err := v.Collected()
	if err != nil {
		return Report{}, err
	}
	w, err = v.stretch(w, known)
	if err != nil {
		return Report{}, err
	}
	v.report = Report{From: w.Start, To: w.End}
	if v.Missing != nil {
		v.missing = bufio.NewWriter(v.Missing)
	}
	for at := w.Start; at.Before(w.End); {
		piece := v.piece(at, w.End, known)
		if err := v.compare(ctx, piece); err != nil {
			return v.report, err
		}
		if at = piece.End; v.Progress != nil {
			v.Progress(at)
		}
	}
	return v.report, v.end()
}

// stretch is what is compared if w is asked for.
func (v *Verifier) stretch(w plan.Window, known Collected) (plan.Window, error) {
	if v.open = w.End.IsZero(); v.open {
		w.End = known.Through
	}
	if w.Start.IsZero() {
		w.Start = plan.Later(known.From, v.oldest())
	}
	w.Start, w.End = w.Start.UTC().Truncate(time.Second), plan.Earlier(w.End, v.Now).UTC().Truncate(time.Second)
	if !w.Start.Before(w.End) {
		return w, fmt.Errorf("there is nothing to verify from %s to %s", stamp(w.Start), stamp(w.End))
	}
	return w, nil
}

// oldest is before what the endpoint has no more, with the room that margins need.
func (v *Verifier) oldest() time.Time { return v.Now.Add(2*margin - source.Retention) }

// piece is what is read at once: whole hours up to a day, with no more rows than MaxRows unless one hour has.
func (v *Verifier) piece(at, until time.Time, known Collected) plan.Window {
	end, rows := at, 0
	for end.Before(until) && end.Sub(at) < longestPiece {
		if known.Hours != nil {
			rows += int(known.Hours.Of(dedup.HourOf(end)).Count)
		}
		if rows > v.MaxRows && end.After(at) {
			break
		}
		end = end.Truncate(time.Hour).Add(time.Hour)
	}
	return plan.Window{Start: at, End: plan.Earlier(end, until)}
}

// compare reads a piece and enters its hours into the report. What cannot be read at once is read in halves, down to
// hours.
func (v *Verifier) compare(ctx context.Context, w plan.Window) error {
	if w.Start.Before(v.oldest()) {
		split := plan.Earlier(v.oldest().Truncate(time.Hour).Add(time.Hour), w.End)
		gone := plan.Later(w.Start, plan.Earlier(v.Now.Add(-source.Retention).Truncate(time.Hour), split))
		v.enter(plan.Window{Start: w.Start, End: gone}, NotCompared, "older than what the endpoint keeps")
		v.enter(plan.Window{Start: gone, End: split}, NotCompared, "at the edge of what the endpoint keeps")
		if !split.Before(w.End) {
			return nil
		}
		w.Start = split
	}
	if v.failures >= mostFailures {
		v.enter(w, Unread, v.last.Error())
		return nil
	}
	got, err := v.retry(ctx, w)
	if err == nil && v.differs(got) { // what appeared while it was read may have been handed over since
		got, err = v.retry(ctx, w)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		v.failing, v.failures, v.answered = false, 0, true
		return v.judge(ctx, got)
	case refused(err) && !v.answered:
		return err
	case refused(err): // the rest would be, too; what was read is not to be lost
		v.failures = mostFailures
	case w.End.Sub(w.Start) > time.Hour && source.ClassOf(err) != source.ClassRefused:
		middle := w.Middle().Truncate(time.Hour)
		if !middle.After(w.Start) {
			middle = middle.Add(time.Hour)
		}
		if err := v.compare(ctx, plan.Window{Start: w.Start, End: middle}); err != nil {
			return err
		}
		return v.compare(ctx, plan.Window{Start: middle, End: w.End})
	}
	v.last = err
	v.failures += v.enter(w, Unread, err.Error())
	return nil
}

// retry reads a piece until it is whole, a few times.
func (v *Verifier) retry(ctx context.Context, w plan.Window) (got *reading, err error) {
	v.Retry.Reset()
	for attempt := range attempts {
		got = newReading(w)
		got.lacks = v.lacks
		if err = v.read(ctx, plan.Window{
			Start: w.Start.Add(-margin), End: plan.Earlier(w.End.Add(margin), v.Now),
		}, got); err == nil {
			return got, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if v.failing || attempt == attempts-1 || errors.Is(err, ErrPart) || refused(err) {
			break
		}
		wait := v.Retry.Next(err)
		if v.Say != nil {
			v.Say(err, wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v.failing = true
	return nil, err
}

// refused reports whether an error needs a person, such as a wrong key: asking for another window does not help.
func refused(err error) bool {
	return source.ClassOf(err) == source.ClassRefused && !source.RefusesInput(err)
}

// lacks reports whether the list has no such event, and somebody wants its record.
func (v *Verifier) lacks(hash uint64) bool { return v.Emit != nil && v.IDs != nil && !v.IDs.has(hash) }

// read reads w into got, in halves where the endpoint says that it is too much.
func (v *Verifier) read(ctx context.Context, w plan.Window, got *reading) error {
	part := newReading(got.piece)
	part.lacks = got.lacks
	err := v.Export(ctx, w, part.add)
	half := (w.End.Sub(w.Start) / 2).Truncate(time.Second)
	if source.ClassOf(err) == source.ClassShrink && half > 0 && ctx.Err() == nil {
		middle := w.Start.Add(half)
		if err := v.read(ctx, plan.Window{Start: w.Start, End: middle}, got); err != nil {
			return err
		}
		return v.read(ctx, plan.Window{Start: middle, End: w.End}, got)
	}
	if err == nil {
		got.join(part)
	}
	return err
}

// enter enters the hours of w into the report without a comparison, and returns how many there are.
func (v *Verifier) enter(w plan.Window, state State, reason string) (n int) {
	for at := w.Start; at.Before(w.End); at = at.Truncate(time.Hour).Add(time.Hour) {
		v.report.Hours = append(v.report.Hours, Hour{
			Start: at.Truncate(time.Hour), State: state, Reason: reason, Counted: -1,
		})
		n++
	}
	return n
}

// end enters what is known of the stretch as a whole.
func (v *Verifier) end() (err error) {
	if v.missing != nil {
		if err := v.missing.Flush(); err != nil {
			return fmt.Errorf("the missing event_ids cannot be written: %w", err)
		}
	}
	if v.IDs != nil {
		v.report.Compared, v.report.Listed = true, len(v.IDs.hashes)
		v.report.Extra, v.report.ExtraIDs, err = v.IDs.extra()
	}
	return err
}

// differs reports whether an hour of a piece is not what the checkpoint says.
func (v *Verifier) differs(got *reading) bool {
	known, err := v.Collected()
	for at := got.piece.Start.Truncate(time.Hour); err == nil && at.Before(got.piece.End); at = at.Add(time.Hour) {
		hour := dedup.HourOf(at)
		if v.excuse(at, known) == "" && known.Hours.Of(hour) != got.digests[hour] {
			return true
		}
	}
	return false
}

// judge compares a piece that was read.
func (v *Verifier) judge(ctx context.Context, got *reading) error {
	known, err := v.Collected()
	if err != nil {
		return err
	}
	begin := len(v.report.Hours)
	v.enter(got.piece, Same, "")
	hours := v.report.Hours[begin:]
	for i := range hours {
		v.judgeHour(&hours[i], got, known)
	}
	v.report.Unprovable += len(got.nameless)
	v.report.Exported += len(got.events)
	v.report.Through, v.report.Overlap = known.Through, known.Overlap
	v.report.settled = v.report.settled || got.piece.Start.Before(known.floor())
	for _, e := range got.events {
		if !e.at.Before(known.floor()) {
			v.report.TooYoung++
		}
	}
	if err := v.list(hours, got, known); err != nil {
		return err
	}
	return v.witness(ctx, hours, got, known.floor())
}

// judgeHour compares an hour with its digest.
func (v *Verifier) judgeHour(hour *Hour, got *reading, known Collected) {
	number := dedup.HourOf(hour.Start)
	hour.Exported = int(got.digests[number].Count)
	if hour.Reason = v.excuse(hour.Start, known); hour.Reason != "" {
		hour.State = NotCompared
		return
	}
	digest := known.Hours.Of(number)
	hour.Collected = int(digest.Count)
	if digest != got.digests[number] {
		hour.State = Differs
	}
}

const partOfHour = "only a part of the hour was asked for"

// excuse says why an hour cannot be compared with a digest; "" = it can.
func (v *Verifier) excuse(start time.Time, known Collected) string {
	end := start.Add(time.Hour)
	switch {
	case known.Hours == nil:
		return cmp.Or(known.Why, "there is no checkpoint that has begun")
	case start.Before(known.From):
		return "the collection began later, or within the hour"
	case known.LeftOut != nil && known.LeftOut(start, end) != "":
		return known.LeftOut(start, end)
	case start.Before(v.report.From):
		return partOfHour
	case end.After(known.Through), end.After(v.report.To) && v.open:
		return "the collection has not passed the end of this hour"
	case end.After(v.report.To):
		return partOfHour
	case start.Before(known.Hours.Since):
		return "collected by an earlier version, which kept no digests"
	case end.After(known.floor()):
		return "younger than overlap: events may still be on their way"
	}
	return ""
}

// list looks up the events of a piece in the SIEM's list. Those that are too young may not have arrived.
func (v *Verifier) list(hours []Hour, got *reading, known Collected) error {
	if v.IDs == nil {
		return nil
	}
	for hash := range got.around {
		v.IDs.mark(hash)
	}
	for _, e := range got.events {
		if v.IDs.mark(e.hash) || !e.at.Before(known.floor()) {
			continue
		}
		v.report.Missing++
		hours[dedup.HourOf(e.at)-dedup.HourOf(got.piece.Start)].Missing++
		if v.Emit != nil {
			if err := v.Emit(e.record); err != nil {
				return fmt.Errorf("the missing events cannot be written: %w", err)
			}
		}
		if v.missing == nil {
			continue
		}
		if _, err := fmt.Fprintln(v.missing, e.id); err != nil {
			return fmt.Errorf("the missing event_ids cannot be written: %w", err)
		}
	}
	return nil
}

// witness compares what is not too young of a piece with the endpoint's count and, if that disagrees, each hour.
func (v *Verifier) witness(ctx context.Context, hours []Hour, got *reading, floor time.Time) error {
	settled := plan.Window{Start: got.piece.Start, End: plan.Earlier(got.piece.End, floor.Truncate(time.Second))}
	if !settled.Start.Before(settled.End) {
		return nil
	}
	agrees, err := v.agrees(ctx, got, settled, nil)
	if err != nil || agrees {
		return err
	}
	for i := range hours {
		w := plan.Window{
			Start: plan.Later(hours[i].Start, settled.Start),
			End:   plan.Earlier(hours[i].Start.Add(time.Hour), settled.End),
		}
		if !w.Start.Before(w.End) {
			return nil
		}
		if _, err := v.agrees(ctx, got, w, &hours[i]); err != nil {
			return err
		}
	}
	return nil
}

// agrees reports whether the endpoint counts as many events of w as it exports, or does not say. A disagreement is
// entered into hour.
func (v *Verifier) agrees(ctx context.Context, got *reading, w plan.Window, hour *Hour) (bool, error) {
	if v.Count == nil {
		return true, nil
	}
	total, ok, err := v.Count(ctx, w)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil || !ok:
		if v.report.CountsFailed = "the endpoint tells no count"; err != nil {
			v.report.CountsFailed = err.Error()
		}
		v.Count = nil // most endpoints have none: it is not asked again
		return true, nil
	}
	v.report.Counted = true
	if events, rows := got.within(w); total >= events && total <= rows {
		return true, nil
	}
	if hour != nil {
		hour.Counted = total
		v.report.Disagreeing++
	}
	return false, nil
}

// reading is what was read of a piece.
type reading struct {
	piece    plan.Window
	digests  map[int64]dedup.Digest // by Unix hour
	events   []seen
	known    map[uint64]bool        // of events
	around   map[uint64]bool        // outside the piece, in its margins; true = at the very end of the piece
	nameless []time.Time            // rows without an event_id
	lacks    func(hash uint64) bool // reports whether an event's record is to be kept
}

// seen is an event of a piece.
type seen struct {
	hash uint64
	at   time.Time
	id   string

	record []byte // nil unless it is to be kept
}

func newReading(piece plan.Window) *reading {
	return &reading{
		piece: piece, digests: make(map[int64]dedup.Digest), known: make(map[uint64]bool), around: make(map[uint64]bool),
	}
}

// add notes an event of the export.
func (r *reading) add(e Event) {
	inside := !e.Time.Before(r.piece.Start) && e.Time.Before(r.piece.End)
	switch {
	case e.ID == nil && inside:
		r.nameless = append(r.nameless, e.Time)
	case e.ID == nil:
	case !inside:
		r.around[e.Hash] = e.Time.Equal(r.piece.End)
	case r.known[e.Hash]:
	default:
		s := seen{hash: e.Hash, at: e.Time, id: string(e.ID)}
		if r.lacks != nil && r.lacks(e.Hash) {
			s.record = e.Record()
		}
		r.put(s)
	}
}

func (r *reading) put(e seen) {
	if r.known[e.hash] {
		return
	}
	r.known[e.hash] = true
	r.events = append(r.events, e)
	hour := dedup.HourOf(e.at)
	r.digests[hour] = r.digests[hour].Plus(dedup.DigestOf(e.hash))
}

// join adds a part of the same piece.
func (r *reading) join(part *reading) {
	for _, e := range part.events {
		r.put(e)
	}
	maps.Copy(r.around, part.around)
	r.nameless = slices.Concat(r.nameless, part.nameless)
}

// within is how many events of w the export has, its ends included, and how many rows these and others can be.
func (r *reading) within(w plan.Window) (events, rows int64) {
	for _, e := range r.events {
		if !e.at.Before(w.Start) && !e.at.After(w.End) {
			events++
		}
	}
	if w.End.Equal(r.piece.End) {
		for _, atEnd := range r.around {
			if atEnd {
				events++
			}
		}
	}
	rows = events
	for _, at := range r.nameless {
		if !at.Before(w.Start) && !at.After(w.End) {
			rows++
		}
	}
	return events, rows
}

// ErrPart is the error of an Export that knows that what it read is not all there is.
var ErrPart = errors.New("the endpoint leaves events out of its answers, also of the shortest windows")
