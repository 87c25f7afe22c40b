package probe

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/witness"
)

// columns tells known ones from new ones.
func (r *report) columns(got reading) {
	var unknown, missing []string
	for _, name := range got.columns.Names {
		if !slices.Contains(event.ColumnNames[:], name) {
			unknown = append(unknown, logline.Quoted(name))
		}
	}
	for i, name := range event.ColumnNames {
		if got.columns.Known[i] < 0 {
			missing = append(missing, name)
		}
	}
	r.say(rules.OK, "columns", "%d of %d known ones", len(event.ColumnNames)-len(missing), len(event.ColumnNames))
	if len(unknown) > 0 {
		r.say(rules.Note, "columns", "new, and forwarded as they are: %s", strings.Join(unknown, ", "))
	}
	if len(missing) > 0 {
		r.say(rules.Warning, "columns", "missing: %s", strings.Join(missing, ", "))
	}
}

func (r *report) rows(got reading) {
	r.say(rules.OK, "rows", "%d events of the last hour, in %s", len(got.ids), got.took.Round(time.Millisecond))
	if got.bad > 0 {
		r.say(rules.Warning, "rows", "%d rows of %d cannot be parsed; they are forwarded with their raw text",
			got.bad, got.rows)
	}
}

// leastSuspect is from how many rows on a number can be a limit.
const leastSuspect = 50

// looksCut reports whether so many rows may be a limit's: a round number, or as headers say.
func (got reading) looksCut() bool {
	round := got.rows >= leastSuspect && (got.rows%50 == 0 || bits.OnesCount(uint(got.rows)) == 1)
	return round || got.more
}

// limit looks for a number of rows that the endpoint never goes beyond, without a word: halves have more together.
func (r *report) limit(ctx context.Context, a *asker, got reading) {
	if !got.looksCut() {
		r.say(rules.OK, "row-limit", "none shows")
		return
	}
	middle := got.end.Add(-Stretch / 2)
	if len(got.ids) > 1 {
		middle = got.middle()
	}
	together := make(map[dedup.Identity]bool)
	for _, half := range [][2]time.Time{{got.start, middle}, {middle, got.end}} {
		part, err := a.read(ctx, half[0], half[1])
		if err != nil {
			r.failed(err)
			return
		}
		for id := range part.ids {
			together[id] = true
		}
	}
	if len(together) > len(got.ids) {
		r.say(rules.Warning, "row-limit", "the hour has %d events in one answer and %d in two: the endpoint cuts answers "+
			"off without a word. The plugin finds that out by itself, and asks for less at once", len(got.ids), len(together))
		return
	}
	r.say(rules.OK, "row-limit", "none shows: halves have no more than the whole")
}

// middle is the mean of the rows' times, so that both halves have some.
func (got reading) middle() time.Time {
	var sum time.Duration
	for _, at := range got.ids {
		sum += at.Sub(got.start) / time.Duration(len(got.ids))
	}
	return got.start.Add(sum)
}

// count asks how many events there are, as a witness.
func (r *report) count(ctx context.Context, a *asker, got reading) {
	text, err := a.client.Count(ctx, got.start, got.end)
	if err != nil {
		r.say(rules.Note, "count", "the endpoint does not count its events: %v", err)
		return
	}
	total, err := witness.Total(text)
	switch {
	case err != nil:
		r.say(rules.Note, "count", "the endpoint's count cannot be read: %v", err)
	case total > int64(got.rows):
		r.say(rules.Warning, "count", "the endpoint counts %d events of the hour, and exports %d: some may be on their way; "+
			"if it stays so, status event count_mismatch says it", total, got.rows)
	case total < int64(len(got.ids)):
		r.say(rules.Note, "count", "the endpoint counts %d events of the hour, and exports %d", total, len(got.ids))
	default:
		r.say(rules.OK, "count", "the endpoint counts as many")
	}
}
