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
		r.say(rules.OK, "overlap", "%s; --watch 10m would say how late events appear", logline.Duration(configured))
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
	wanted := max(2*latest, time.Minute).Round(time.Minute)
	level := rules.OK
	if wanted > configured {
		level = rules.Warning
	}
	r.say(level, "overlap", "%d events appeared, the latest %s after its time: at least %s is recommended, %s is set",
		appeared, latest.Round(time.Second), logline.Duration(wanted), logline.Duration(configured))
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
