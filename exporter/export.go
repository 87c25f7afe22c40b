package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/extract"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// ExportOptions say what Export reads.
type ExportOptions struct {
	From, To time.Time                // of the events, To excluded; a To of zero is the server's present
	Follow   bool                     // goes on when it comes to the present, until ctx ends
	Each     func(event []byte) error // gets each event once, as it would be handed over: [time, record] in msgpack
	Say      func(line string)        // gets what a person should know, redacted
	Progress func(through time.Time)  // is told after each window up to where all was read

	endpoint http.RoundTripper // a test's
}

// Exported says what Export has read.
type Exported struct {
	From, To, Through time.Time // what was asked for, and up to where it was read
	Events            int
	Young             bool     // the end is younger than overlap: events of it may still appear
	Doubts            []string // why it may not be all that there is; none = it is, as far as can be known
}

// Export reads a stretch of the export once and gives its events in the plugin's own way: the same windows, the same
// rules for what is a whole answer, the same records. It opens no checkpoint. What fails is tried again a few times,
// when it follows for ever; what is refused is not.
func Export(ctx context.Context, cfg config.Config, options ExportOptions) (Exported, error) {
	log := new(logline.Queue)
	hideProxyPasswords(&log.Secrets)
	client, err := source.New(clientConfigOf(cfg, &log.Secrets), options.endpoint)
	if err != nil {
		return Exported{}, err
	}
	defer client.Close()
	again, err := newRereader(cfg, client, checkpoint.State{Key: checkpoint.NewKey()}, log)
	if err != nil {
		return Exported{}, err
	}
	x := &export{
		rereader: again, options: options, retry: source.NewRetry(cfg.RetryMaxInterval), once: new(dedup.Seen),
	}
	x.counts.witness.Off, x.counts.every = !cfg.CountCheck, true
	err = x.run(ctx)
	x.say()
	if err != nil && ctx.Err() == nil {
		err = &extract.Error{Text: log.Redact(err.Error()), Cause: err}
	}
	return x.out, err
}

// IsCut reports whether an error of Export says that answers came and were not whole, or no export.
func IsCut(err error) bool {
	for _, cut := range []error{
		io.ErrUnexpectedEOF, body.ErrCut, body.ErrNoExport, body.ErrEmptyBody,
		whole.ErrCutAlike, whole.ErrCutOff, verify.ErrPart,
	} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// IsRefused reports whether an error of Export says that a person must act, such as about the key.
func IsRefused(err error) bool { return source.ClassOf(err) == source.ClassRefused }

// export reads a stretch once.
type export struct {
	*rereader
	options ExportOptions
	retry   *source.Retry
	once    *dedup.Seen // what was given …
	forgot  time.Time   // … since then
	out     Exported
}

func (x *export) run(ctx context.Context) error {
	if err := x.persist(ctx, func() error { return x.learnTime(ctx) }); err != nil {
		return err
	}
	from, to, now := x.options.From.UTC().Truncate(time.Second), x.options.To.UTC(), x.clock.Now()
	if to.IsZero() || to.After(now) {
		to = now
	}
	x.out.From, x.out.To, x.out.Through = from, to, from
	if oldest := now.Add(time.Minute - source.Retention).Truncate(time.Second); from.Before(oldest) {
		text := fmt.Sprintf("the endpoint keeps events for 90 days: what happened before %s is gone",
			oldest.Format(time.RFC3339))
		if from.Before(oldest.Add(-2 * time.Minute)) {
			x.doubt("%s", text)
		} else if x.options.Say != nil { // who says -90d means all there is
			x.options.Say(text)
		}
		from = oldest
	}
	if !from.Before(to) {
		return fmt.Errorf("there is nothing to export from %s to %s",
			from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	x.out.Young = to.After(now.Add(-x.cfg.Overlap))
	// What is old enough is compared with the endpoint's count, so it is asked for by itself.
	floor := now.Add(-max(x.cfg.Overlap, leastSettled)).Truncate(time.Second)
	if from.Before(floor) && floor.Before(to) {
		if err := x.stretch(ctx, from, floor); err != nil {
			return err
		}
		from = floor
	}
	if err := x.stretch(ctx, from, to); err != nil {
		return err
	}
	for x.options.Follow {
		if err := x.pace.sleep(ctx, x.cfg.PollInterval); err != nil {
			return err
		}
		if err := x.stretch(ctx, plan.Later(from, x.out.Through.Add(-x.cfg.Overlap)), x.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// learnTime asks for the server's present.
func (x *export) learnTime(ctx context.Context) error {
	now := time.Now().Truncate(time.Second).UTC()
	answer, err := x.reader.open(ctx, plan.Window{Start: now.Add(-plan.MinWindow), End: now})
	if err == nil {
		answer.close()
	}
	return err
}

// stretch reads from one time to another, in the windows of a sweep.
func (x *export) stretch(ctx context.Context, from, to time.Time) error {
	if round := to.Truncate(time.Second); !x.options.Follow && round.Before(to) {
		to = round.Add(time.Second)
	}
	x.plan = plan.New(plan.Limits{MaxWindow: x.cfg.MaxWindow, RowLimit: x.rowLimit.Known}, from, from)
	if !x.plan.Begin(to) {
		return nil
	}
	for w, ok := x.plan.Plan(); ok; w, ok = x.plan.Plan() {
		if err := x.window(ctx, w); err != nil {
			return err
		}
		x.out.Through = x.plan.Through()
		x.forget()
		x.say()
		x.options.Progress(x.out.Through)
	}
	return nil
}

// forget bounds the memory. As long as there is room all is remembered, since a limit of rows that is found late makes
// it read again what it cut off before.
func (x *export) forget() {
	if x.once.Count > extract.MostRemembered || x.options.Follow {
		x.forgot = x.out.Through.Add(-max(extract.Memory, 2*x.cfg.Overlap))
		x.once.Expire(x.forgot)
	}
}

// window reads w whole, or plans shorter ones in its place.
func (x *export) window(ctx context.Context, w plan.Window) error {
	rows, limit, replanned := x.stats.rows.Load(), x.rowLimit.Known, false
	err := x.persist(ctx, func() error {
		err := x.readParts(ctx, w, func(part plan.Window, union *whole.Union) (whole.Reading, error) {
			return x.comparing(ctx, x.once, x.give)(part, union)
		})
		replanned = err != nil && x.shorter(w, err)
		if x.pace.failures++; replanned {
			return nil
		}
		return err
	})
	x.pace.failures = 0
	if err != nil || replanned {
		return err
	}
	x.judge()
	if x.rowLimit.Known != limit && x.goBackTo(w) {
		return nil
	}
	x.plan.NoteRead(w, x.plan.Target(), int(x.stats.rows.Load()-rows))
	return nil
}

// goBackTo reads again, from w back, what passed before a limit of rows was known, and reports whether there is such a
// thing.
func (x *export) goBackTo(w plan.Window) bool {
	back := x.rowLimit.Second.TakeFirst(x.rowLimit.Known)
	if back.IsZero() || !back.Before(w.Start) {
		return false
	}
	if back.Before(x.forgot) {
		x.options.Say(fmt.Sprintf("reads again from %s: some events come twice", back.Format(time.RFC3339)))
	}
	x.plan.Return(back)
	return true
}

// shorter reports whether err is better met with shorter windows, and plans them.
func (x *export) shorter(w plan.Window, err error) bool {
	switch {
	case errors.Is(err, whole.ErrCutAlike), errors.Is(err, whole.ErrCutOff):
		return x.pace.failures >= patience(whole.ErrCutOff) && x.plan.Split(w)
	case errors.Is(err, body.ErrCut):
		return x.pace.failures == extract.Attempts-1 && x.plan.Shrink(w)
	}
	return x.mayBeTooLong(w, err) && x.plan.Shrink(w)
}

// give gives a row's event, unless it was given.
func (x *export) give(row *event.Row, who dedup.Identity, fresh *int) error {
	at := row.Time
	if row.Bad != "" {
		at = x.plan.Target()
	} else if !row.Time.Before(x.out.To) && !x.options.Follow {
		return nil // windows include their ends, a stretch does not
	}
	switch x.once.Mark(who, at, 0) {
	case dedup.Known:
		return nil
	case dedup.Changed:
		if x.options.Follow { // each event_id once
			return nil
		}
	case dedup.Fresh:
		*fresh++
	}
	x.out.Events++
	if err := x.options.Each(x.record(row)); err != nil {
		return &extract.Consumer{Cause: err}
	}
	return nil
}

// persist does something until it succeeds, a few times, for ever if the export is followed.
func (x *export) persist(ctx context.Context, do func() error) error {
	p := extract.Persistence{Retry: x.retry, Sleep: x.pace.sleep, Ever: x.options.Follow}
	p.Say = func(err error, wait time.Duration) {
		x.options.Say(fmt.Sprintf("%s; asks again in %s", x.log.Redact(err.Error()), wait.Round(time.Millisecond)))
	}
	return p.Do(ctx, do)
}

// judge turns what a collector would say in band into doubts.
func (x *export) judge() {
	for _, s := range x.notices.board() {
		if s.Kind == schema.StatusRowGap || s.Kind == schema.StatusCountMismatch {
			x.doubt("%s – %s: %s", s.From.Format(time.RFC3339), s.To.Format(time.RFC3339), s.Message)
		}
	}
	x.notices.land()
}

func (x *export) doubt(format string, args ...any) {
	x.out.Doubts = append(x.out.Doubts, fmt.Sprintf(format, args...))
}

// say passes on what a collector would write into its log.
func (x *export) say() {
	for _, line := range x.log.Drain() {
		if line.Level != LevelInfo {
			x.options.Say(line.Text)
		}
	}
}
