package probe

import (
	"context"
	"time"

	"github.com/wherobots/in_wherobots_audit/cmd/wherobots-audit/internal/rules"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
)

// lookAgain is how often is looked for events that appear.
const lookAgain = 5 * time.Second

// overlap watches how late events appear, and says what overlap that asks for: twice the latest, as the next one may be
// later.
func (r *report) overlap(ctx context.Context, a *asker, got reading, needs Needs) {
	configured := needs.Config.Overlap
	if needs.Watch == 0 {
		r.latenessOf(ctx, needs)
		return
	}
	latest, appeared, err := watch(ctx, a, got, needs.Watch)
	if err != nil {
		r.failed(err)
		return
	}
	if appeared == 0 {
		r.say(rules.Note, "overlap", "no event appeared in %s: nothing is known of how late they do", needs.Watch)
		return
	}
	r.recommend(latest, configured, "%d events appeared, the latest %s after its time",
		appeared, latest.Round(time.Second))
}

// latenessOf goes by what a running collection has measured.
func (r *report) latenessOf(ctx context.Context, needs Needs) {
	configured := needs.Config.Overlap
	found, ok := measured(ctx, needs.Config)
	if !ok {
		r.say(rules.OK, "overlap", "%s; nothing that runs has measured how late events appear: --watch 10m does",
			logline.Duration(configured))
		return
	}
	r.recommend(found.most, configured, "of %d events, all but a thousandth appeared within %s (%s)",
		found.events, logline.Duration(found.most), found.from)
}

// recommend says what overlap is enough: twice the lateness, as the next event may be later.
func (r *report) recommend(latest, configured time.Duration, because string, args ...any) {
	wanted := max(2*latest, time.Minute).Round(time.Minute)
	level := rules.OK
	if wanted > configured {
		level = rules.Warning
	}
	args = append(args, logline.Duration(wanted), logline.Duration(configured))
	r.say(level, "overlap", because+": at least %s is recommended, %s is set", args...)
}

// watch looks again and again at the stretch before the present, and returns the longest time between an event and its
// appearance.
func watch(
	ctx context.Context, a *asker, first reading, howLong time.Duration,
) (latest time.Duration, n int, err error) {
	known := make(map[dedup.Identity]bool)
	for id := range first.ids {
		known[id] = true
	}
	skew := first.skew
	for until := time.Now().Add(howLong); time.Now().Before(until); {
		select {
		case <-ctx.Done():
			return latest, n, ctx.Err()
		case <-time.After(min(lookAgain, time.Until(until))):
		}
		now := time.Now().Add(skew)
		got, err := a.read(ctx, first.start, now)
		if err != nil {
			return latest, n, err
		}
		for id, at := range got.ids {
			if !known[id] {
				known[id] = true
				n++
				latest = max(latest, now.Sub(at))
			}
		}
	}
	return latest, n, nil
}
