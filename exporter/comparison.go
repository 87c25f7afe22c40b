package exporter

import (
	"context"
	"slices"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// comparison is what a pass of reconciliation has read so far. Rows are compared wherever windows answer
// them: those with an event_time by its minute, and what has none, or one that no window that is compared can
// have, as a stray, one by one. event_time may be another time than the one that the endpoint files events
// under, so a minute can get rows of several windows.
type comparison struct {
	begin, until time.Time             // of the pass
	oldest       time.Time             // no window of a sweep can have had an older event_time: that was a stray
	found        *dedup.History        // what was answered
	windows      []plan.Window         // that were read
	before       *dedup.Seen           // rows of the last one: the next one answers those of their common end too
	rows         []countedRow          // of the last one
	moves        moves.List            // say what is not compared
	strayed      map[int64]plan.Window // minutes with rows that other windows answered, and between which times
}

// countedRow is a row as digests have it.
type countedRow struct {
	at  int64  // its minute, or its hour
	sum uint64 // what it adds to the sum
}

func newComparison(begin, until, oldest time.Time) *comparison {
	return &comparison{
		begin: begin, until: until, oldest: oldest, found: dedup.NewHistory(), before: new(dedup.Seen),
		strayed: make(map[int64]plan.Window),
	}
}

// place is where a row is compared.
type place int

const (
	nowhere  place = iota // in another pass, or never: what an earlier version collected
	byMinute              // of its event_time
	byItself              // as a stray
	outside               // by the minute of its event_time, which lies outside the window
)

// placeOf tells where a row is compared that w answered.
func (x *comparison) placeOf(r *event.Row, w plan.Window, since, now time.Time) place {
	unknown := w.Start.Before(since)
	switch t := r.Time; {
	case r.Bad == "" && !t.Before(w.Start) && t.Before(w.End):
		return byMinute
	case unknown:
		return nowhere
	case r.Bad != "", t.After(now), t.Before(x.oldest):
		return byItself
	case t.Before(x.begin), !t.Before(x.until):
		return nowhere
	default:
		return outside
	}
}

// add takes over what w answered, and returns the minutes that have more than was handed over, or other events. One
// that has less may get the rest from another window, or from another pass.
func (x *comparison) add(w plan.Window, h, expected *dedup.History, oldest int64) map[int64]bool {
	x.windows = append(x.windows, w)
	x.found.Merge(h)
	differing := make(map[int64]bool)
	for minute := range h.Minutes {
		if minute >= oldest && x.found.Minutes[minute].Exceeds(expected.Minutes[minute]) {
			differing[minute] = true
		}
	}
	return differing
}

// missing tells which rows of a minute were never handed over; ok is false where that cannot be told.
func (x *comparison) missing(minute int64, expected dedup.Digest) (sums map[uint64]bool, ok bool) {
	return missingOf(x.rows, minute, x.found.Minutes[minute], expected)
}

// missingOf tells which of the rows at a minute or hour, whose digest is found, were never handed over.
func missingOf(rows []countedRow, at int64, found, expected dedup.Digest) (sums map[uint64]bool, ok bool) {
	lacking := found.Minus(expected)
	if !lacking.Tellable() { // mostly: no need to look through all rows
		return nil, false
	}
	var here []uint64
	seen := make(map[uint64]bool)
	for _, r := range rows {
		if r.at == at && !seen[r.sum] { // versions of one event count once
			seen[r.sum] = true
			here = append(here, r.sum)
		}
	}
	if len(here) != int(found.Count) { // other windows had some of them
		return nil, false
	}
	return dedup.Missing(here, lacking)
}

// stray notes that w answered a row of another time.
func (x *comparison) stray(minute int64, w plan.Window) {
	if span, known := x.strayed[minute]; known {
		w = plan.Window{Start: plan.Earlier(span.Start, w.Start), End: plan.Later(span.End, w.End)}
	}
	x.strayed[minute] = w
}

// sources are the windows of the pass that can have answered rows of a run of minutes.
func (x *comparison) sources(run plan.Window) []plan.Window {
	span := run
	for minute := dedup.MinuteOf(run.Start); minute < dedup.MinuteOf(run.End); minute++ {
		if w, strayed := x.strayed[minute]; strayed {
			span = plan.Window{Start: plan.Earlier(span.Start, w.Start), End: plan.Later(span.End, w.End)}
		}
	}
	var sources []plan.Window
	for _, w := range x.windows {
		if w.Start.Before(span.End) && span.Start.Before(w.End) {
			sources = append(sources, w)
		}
	}
	return sources
}

// compare reads a window and returns the minutes that differ. Strays that are missing are handed over at once.
func (c *collector) compare(ctx context.Context, w plan.Window) (map[int64]bool, error) {
	x, h, once := c.second.compared, dedup.NewHistory(), new(dedup.Seen)
	strayed := make(map[int64]bool)
	x.rows = x.rows[:0]
	missing, err := c.answered(ctx, w, once, h, func(r *event.Row, who dedup.Identity, at place) error {
		if at == outside {
			strayed[dedup.MinuteOf(r.Time)] = true
		}
		x.rows = append(x.rows, countedRow{dedup.MinuteOf(r.Time), dedup.Mix(who.ID)})
		return nil
	})
	if missing > 0 {
		c.foundMissing(w, missing)
		if err := c.handOverFound(ctx); err != nil {
			return nil, err
		}
		c.land(flight{})
	}
	if err != nil {
		return nil, err
	}
	for minute := range strayed {
		x.stray(minute, w)
	}
	x.before = once
	// The checkpoint may have moved on since the pass began, and the history has forgotten its first minutes.
	expected, _ := c.commits.expected()
	return x.add(w, h, expected, dedup.MinuteOf(c.oldest())), nil
}

// answered reads a window, adds its rows to h by their minutes, and calls each for those, but for rows that
// the window before it or once has already. It hands over the strays that are missing, and returns how many
// there were.
func (c *collector) answered(
	ctx context.Context, w plan.Window, once *dedup.Seen, h *dedup.History,
	each func(*event.Row, dedup.Identity, place) error,
) (missing int, err error) {
	x, known, now := c.second.compared, c.commits.strays, c.clock.Now()
	tally := h.Tally()
	err = c.readParts(ctx, w, c.comparing(ctx, once, func(r *event.Row, who dedup.Identity, fresh *int) error {
		if known.Has(who) || x.before.Has(who) {
			return nil
		}
		at := x.placeOf(r, w, known.Since, now)
		if at == nowhere {
			return nil
		}
		verdict := once.Mark(who, w.End, 0)
		switch {
		case verdict == dedup.Known:
			return nil
		case at == byItself:
			missing++
			*fresh++
			return c.forwardStray(ctx, r, who, w)
		case verdict == dedup.Fresh:
			*fresh++
			tally.Add(dedup.Mix(who.ID), dedup.MinuteOf(r.Time))
		}
		return each(r, who, at)
	}))
	tally.End()
	return missing, err
}

// comparing returns a function that reads a part of a window and calls each for its rows, which says how many of them
// are new to once.
func (c *collector) comparing(
	ctx context.Context, once *dedup.Seen, each func(r *event.Row, who dedup.Identity, fresh *int) error,
) whole.ReadPart {
	return func(part plan.Window, union *whole.Union) (whole.Reading, error) {
		var news whole.News
		got, err := c.reader.read(ctx, part, once, func(r *event.Row, who dedup.Identity) error {
			fresh := 0
			err := each(r, who, &fresh)
			news.Note(r, fresh, whole.Mark(union, r, who))
			return err
		})
		c.tooFine(part, err)
		news.End(&got)
		return got, err
	}
}

// forwardStray hands over a row that is a stray and was missing.
func (c *collector) forwardStray(ctx context.Context, r *event.Row, who dedup.Identity, w plan.Window) error {
	if r.Bad != "" {
		c.stats.badRows.Add(1)
		c.notices.badRow(r)
	}
	if err := c.batcher.add(ctx, r, who); err != nil {
		return err
	}
	c.commits.strays.Note(who, w.End, c.batcher.number)
	c.publish(r, who, event.Nanos(r.Time), event.SpanOf(w.Start, w.End))
	return nil
}

// forwardAgain hands over what is missing in a run of minutes that differ, and where that cannot be told, all of their
// events. They are mostly those of one short request; what the endpoint files under another time is in one of the
// windows that were compared.
func (c *collector) forwardAgain(ctx context.Context, run plan.Window) error {
	x := c.second.compared
	minutes, hours := c.commits.expected()
	before := x.before
	x.before = new(dedup.Seen)
	defer func() { x.before = before }()
	first, last := dedup.MinuteOf(run.Start), dedup.MinuteOf(run.End)-1
	told := make(map[int64]map[uint64]bool)
	for minute := first; minute <= last; minute++ {
		if sums, ok := x.missing(minute, minutes.Minutes[minute]); ok {
			told[minute] = sums
		}
	}
	got, once, sent := dedup.NewHistory(), new(dedup.Seen), newFound()
	missing := 0
	send := func(r *event.Row, who dedup.Identity, _ place) error {
		minute, sum := dedup.MinuteOf(r.Time), dedup.Mix(who.ID)
		if minute < first || minute > last {
			return nil
		}
		if only, ok := told[minute]; ok && !only[sum] {
			return nil
		}
		sent.minutes[minute] = sent.minutes[minute].Plus(dedup.DigestOf(sum))
		if id, ok := c.reader.identifier.Published(r, who); ok {
			sent.ids[minute] = sent.ids[minute].Plus(dedup.DigestOf(id))
		}
		return c.batcher.add(ctx, r, who)
	}
	for _, w := range append([]plan.Window{run}, x.sources(run)...) {
		if !w.Start.Equal(run.Start) && x.complete(got, first, last) {
			break
		}
		if _, err := c.answered(ctx, w, once, got, send); err != nil {
			return err
		}
	}
	copies := 0
	for minute := first; minute <= last; minute++ {
		if _, ok := told[minute]; ok {
			missing += int(sent.minutes[minute].Count)
			continue
		}
		all := int(sent.minutes[minute].Count)
		more := max(0, all-int(minutes.Minutes[minute].Count))
		missing, copies = missing+more, copies+all-more
		sent.minutes[minute] = sent.minutes[minute].Minus(minutes.Minutes[minute])
		sent.ids[minute] = sent.ids[minute].Minus(hours.Minute(minute))
	}
	c.stats.copies.Add(int64(copies))
	c.foundMissing(run, max(missing, 1))
	if err := c.handOverFound(ctx); err != nil {
		return err
	}
	c.land(flight{found: sent})
	return nil
}

// handOverFound hands over what the batch holds, unless the engine is still busy with the one before: then the batch
// goes on. A collect call takes one a second, so that hundreds of minutes that differ would keep new events waiting.
func (c *collector) handOverFound(ctx context.Context) error {
	if !c.batcher.ledger.Room() {
		return nil
	}
	return c.flush(ctx)
}

// complete reports whether h has all that was found of the minutes from first to last.
func (x *comparison) complete(h *dedup.History, first, last int64) bool {
	for minute := first; minute <= last; minute++ {
		if h.Minutes[minute].Count < x.found.Minutes[minute].Count {
			return false
		}
	}
	return true
}

// foundMissing notes and tells what only reconciliation found.
func (c *collector) foundMissing(w plan.Window, missing int) {
	c.second.found += missing
	c.manifest.changed = true
	c.stats.reconciled.Add(int64(missing))
	c.stats.lateness.Add(missing, c.cfg.Overlap)
	c.tellReconciled(w, missing)
}

// runs joins neighbouring minutes that differ, so that each run is one request.
func runs(differing map[int64]bool) []plan.Window {
	minutes := make([]int64, 0, len(differing))
	for minute := range differing {
		minutes = append(minutes, minute)
	}
	slices.Sort(minutes)
	var out []plan.Window
	for _, minute := range minutes {
		at := time.Unix(minute*60, 0).UTC()
		if n := len(out); n > 0 && out[n-1].End.Equal(at) {
			out[n-1].End = at.Add(time.Minute)
			continue
		}
		out = append(out, plan.Window{Start: at, End: at.Add(time.Minute)})
	}
	return out
}

// found is what reconciliation handed over that had been missing, as changes of digests: of minutes, of the minutes
// that hours count, and of hours whose minutes are not known any more.
type found struct {
	minutes, ids, hours map[int64]dedup.Digest
}

func newFound() found {
	return found{
		minutes: make(map[int64]dedup.Digest), ids: make(map[int64]dedup.Digest), hours: make(map[int64]dedup.Digest),
	}
}

// join is f and what was found after it.
func (f found) join(later found) found {
	all := newFound()
	for _, part := range []found{f, later} {
		plus(all.minutes, part.minutes)
		plus(all.ids, part.ids)
		plus(all.hours, part.hours)
	}
	return all
}

func plus(sums, changes map[int64]dedup.Digest) {
	for at, d := range changes {
		sums[at] = sums[at].Plus(d)
	}
}
