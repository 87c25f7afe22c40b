package exporter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/checkpoint/moves"
	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/extract"
	"github.com/wherobots/in_wherobots_audit/exporter/logline"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/pseudonym"
	"github.com/wherobots/in_wherobots_audit/exporter/schema"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/verify"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
	"github.com/wherobots/in_wherobots_audit/exporter/witness"
)

// VerifyOptions say what Verify compares.
type VerifyOptions struct {
	From, To time.Time // of the events, To excluded; zero = all that the endpoint has, and all that was collected
	IDs      io.Reader // event_ids that the SIEM has of the stretch, one a line; nil = no list
	Missing  io.Writer // gets the event_ids that the export has and the list has not, one a line; may be nil

	// Emit gets the same events as they would be handed over: [time, record] in msgpack. May be nil.
	Emit func(event []byte) error

	Say      func(line string)       // gets why the export is asked again, redacted; may be nil
	Alone    bool                    // there is no checkpoint to compare with
	Progress func(through time.Time) // is told after each piece up to where it was compared; may be nil

	endpoint http.RoundTripper // a test's
}

// Report is what Verify found. Its String is for a person.
type Report = verify.Report

// Verify reads the export of a stretch again and compares it hour by hour with the digests in the checkpoint of cfg,
// the endpoint's own count unless count_check is off, and the event_ids that a SIEM has. It may run beside the
// collector that owns the checkpoint: it takes no lock and writes nothing but Missing. What the endpoint does not
// answer after a few tries is in the report; an error is about cfg, the checkpoint, a list, or that ctx ended, or says
// that the endpoint refuses the first request (IsRefused), which ends it at once. It sends one request a day of the
// stretch, or more where there is much, and holds the events of one day and nine bytes for each listed id.
func Verify(ctx context.Context, cfg config.Config, options VerifyOptions) (Report, error) {
	log := new(logline.Queue)
	hideProxyPasswords(&log.Secrets)
	client, err := source.New(clientConfigOf(cfg, &log.Secrets), options.endpoint)
	if err != nil {
		return Report{}, err
	}
	defer client.Close()
	read := func() (checkpoint.State, error) { return readCheckpoint(cfg) }
	if options.Alone {
		read = func() (checkpoint.State, error) { return checkpoint.State{Key: checkpoint.NewKey()}, nil }
	}
	state, err := read()
	if err != nil {
		return Report{}, err
	}
	again, err := newRereader(cfg, client, state, log)
	if err != nil {
		return Report{}, err
	}
	v := verify.Verifier{
		Export: func(ctx context.Context, w plan.Window, each func(verify.Event)) error {
			err := again.export(ctx, w, each)
			if err != nil {
				err = &extract.Error{Text: log.Redact(err.Error()), Cause: err}
			}
			return err
		},
		Collected: func() (verify.Collected, error) {
			known, err := collected(cfg, read)
			if options.Alone {
				known.Why = "there is no checkpoint to compare with, as none is named"
			}
			return known, err
		},
		Retry:    source.NewRetry(cfg.RetryMaxInterval),
		Missing:  options.Missing,
		Emit:     options.Emit,
		Progress: options.Progress,
		Now:      time.Now(),
		MaxRows:  again.rowLimit.AtMost(reconcileRows),
	}
	if cfg.CountCheck {
		v.Count = again.total
	}
	if options.Say != nil {
		v.Say = func(why error, wait time.Duration) {
			options.Say(fmt.Sprintf("%s; asks again in %s", why, wait.Round(time.Millisecond)))
		}
	}
	if options.IDs != nil {
		if v.IDs, err = verify.ReadIDs(options.IDs); err != nil {
			return Report{}, err
		}
	}
	return v.Run(ctx, plan.Window{Start: options.From, End: options.To})
}

// readCheckpoint reads the checkpoint of cfg without a lock; a state without a beginning when there is none.
func readCheckpoint(cfg config.Config) (checkpoint.State, error) {
	origin := checkpoint.Source{Endpoint: cfg.Endpoint.String(), SearchTerm: cfg.SearchTerm}
	state, found, err := checkpoint.Read(cfg.CheckpointPath, origin)
	if err != nil {
		return state, fmt.Errorf("checkpoint_path: %w", err)
	}
	if !found {
		state.Key = checkpoint.NewKey()
	}
	return state, nil
}

// collected is what a checkpoint says now.
func collected(cfg config.Config, read func() (checkpoint.State, error)) (known verify.Collected, err error) {
	state, err := read()
	if err != nil {
		return known, err
	}
	if state.Through.IsZero() { // what is collected from now on says nothing of the stretch
		return verify.Collected{Through: time.Now(), Overlap: cfg.Overlap}, nil
	}
	known = verify.Collected{From: state.From, Through: state.Through, Overlap: cfg.Overlap}
	known.LeftOut = func(start, end time.Time) string {
		why, ok := moves.List(state.Moves).LeftOut(start, end)
		if !ok {
			return ""
		}
		return strings.TrimSuffix("left out by hand: "+why.Reason, ": ")
	}
	if known.Hours, err = dedup.LoadHours(state.Hours, state.Through); err != nil {
		return known, unreadable(cfg.CheckpointPath, err)
	}
	return known, nil
}

// rereader reads windows as reconciliation does, and hands over nothing: a collector that has the parts for reading
// alone.
type rereader struct {
	collector
	encoder *schema.Encoder // for the last answer's columns
	hide    *pseudonym.Rows // nil = rows are shown as they are
}

func newRereader(
	cfg config.Config, client *source.Client, state checkpoint.State, log *logline.Queue,
) (_ *rereader, err error) {
	clock := new(plan.Clock)
	again := &rereader{collector: collector{
		cfg: cfg, log: log, stats: new(stats), clock: clock, notices: newNotices(log, clock, true),
		plan: plan.New(plan.Limits{MaxWindow: cfg.MaxWindow, RowLimit: state.RowLimit}, state.From, state.Through),
	}}
	again.rowLimit.Known = state.RowLimit
	again.counts.witness.Off = true // it is compared here with what was read
	again.reader = &reader{
		client: client, stats: again.stats,
		observe:    func(date time.Time, _ bool) { clock.Observe(date) },
		newColumns: func(columns *event.Columns) { again.encoder = schema.NewOf(cfg.Schema, columns, cfg.Organization) },
		decoder:    csv.New(), identifier: dedup.NewIdentifier(state.Key),
	}
	again.reader.identifier.Volatile(state.Volatile, func(string) {})
	again.reader.identifier.Shared(state.SharedIDs, func(string, int, int) {})
	again.hide, err = pseudonym.Load(cfg.Pseudonymize, cfg.PseudonymizeKeyFile)
	return again, err
}

// export calls each for every event of w.
func (r *rereader) export(ctx context.Context, w plan.Window, each func(verify.Event)) error {
	once := new(dedup.Seen)
	l := &r.rowLimit
	*l = whole.RowLimit{Known: l.Known, Second: l.Second, Proven: l.Proven} // gaps are to be told each time
	err := r.readParts(ctx, w, func(part plan.Window, union *whole.Union) (whole.Reading, error) {
		return r.comparing(ctx, once, func(row *event.Row, who dedup.Identity, fresh *int) error {
			if once.Mark(who, w.End, 0) != dedup.Fresh {
				return nil
			}
			*fresh++
			e := verify.Event{Time: row.Time, Record: func() []byte { return r.record(row) }}
			if hash, ok := r.reader.identifier.Published(row, who); ok {
				e.ID, e.Hash = row.Value(event.EventID), hash
			}
			each(e)
			return nil
		})(part, union)
	})
	r.log.Drain() // what a collector would say of limits is in the report
	for _, s := range r.notices.board() {
		if s.Kind == schema.StatusRowGap && err == nil {
			r.rowLimit.Second = whole.RowCounts{} // so many rows are not honest
			err = verify.ErrPart
		}
	}
	r.notices.land()
	return err
}

// record is what would be handed over of a row.
func (r *rereader) record(row *event.Row) []byte {
	if r.hide != nil {
		r.hide.Hide(row)
		defer r.hide.Show(row)
	}
	return r.encoder.Append(schema.AppendEventHeader(nil, row.Time), row)
}

// total is how many events the endpoint counts.
func (r *rereader) total(ctx context.Context, w plan.Window) (int64, bool, error) {
	body, err := r.reader.client.Count(ctx, w.Start, w.End)
	if err != nil {
		return 0, false, err
	}
	total, err := witness.Total(body)
	return total, err == nil, err
}
