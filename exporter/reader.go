package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
	"github.com/wherobots/in_wherobots_audit/exporter/whole"
)

// reader asks the endpoint for windows and gives their rows: whole answers only, or an error.
type reader struct {
	client *source.Client
	stats  *stats
	upkeep upkeep

	observe    func(date time.Time, failed bool) // is told the Date of each answer
	newColumns func(*event.Columns)              // is told of another header than before, ahead of its first row

	decoder    *csv.Decoder
	identifier *dedup.Identifier
	columns    *event.Columns // of the last answer; nil before the first
	group      group
	empty      whole.Empty
	ends       whole.Ends
	framing    whole.Framing
	requestID  string // of the last answer; "" = it has none
}

// group is rows on their way from the decoder to the batch: all are decoded before the first is looked up.
type group struct {
	rows [dedup.Group]event.Row
	who  [dedup.Group]dedup.Identity
}

// read asks for a window and calls each for every row of the answer, in the answer's order; where one answer
// does not prove itself whole, for the rows of several. Rows that seen knows are found fast. It returns what
// the last answer had; err is nil only when that was read to its proper end.
func (r *reader) read(
	ctx context.Context, w plan.Window, seen *dedup.Seen, each func(*event.Row, dedup.Identity) error,
) (whole.Reading, error) {
	var proof whole.Unframed
	for {
		got, framed, err := r.readOnce(ctx, w, seen, each, &proof)
		if err != nil || framed {
			return got, err
		}
		if believed, err := proof.End(); err != nil {
			return got, r.failed(w, got.Rows, err)
		} else if believed {
			return got, nil
		}
	}
}

// readOnce reads one answer. framed is true when HTTP proves it whole.
func (r *reader) readOnce(
	ctx context.Context, w plan.Window, seen *dedup.Seen, each func(*event.Row, dedup.Identity) error,
	proof *whole.Unframed,
) (got whole.Reading, framed bool, err error) {
	defer func() { r.stats.ended(got.Rows, err) }()
	r.requestID = ""
	answer, err := r.open(ctx, w)
	if err != nil {
		return got, false, err
	}
	defer answer.close()
	r.requestID = answer.RequestID
	got, err = r.rows(answer, w, seen, each, proof)
	got.More, got.Part, got.Framed = answer.Paging.More(got.Rows), answer.Paging.Part, answer.Framed
	got.Bytes = answer.size
	return got, answer.Framed, err
}

// rows reads an answer's rows. Those of one that is not framed are noted in proof.
func (r *reader) rows(
	answer *answer, w plan.Window, seen *dedup.Seen, each func(*event.Row, dedup.Identity) error, proof *whole.Unframed,
) (got whole.Reading, err error) {
	take := each
	if !answer.Framed {
		take = func(row *event.Row, who dedup.Identity) error {
			if !proof.Note(who, r.decoder.Torn()) {
				return nil
			}
			return each(row, who)
		}
	}
	if err := r.header(answer, w); err != nil {
		if errors.Is(err, body.ErrEmptyBody) && r.empty.Believe(w) {
			return got, nil
		}
		return got, r.failed(w, 0, err)
	}
	r.decoder.Believe = func(end csv.End) bool {
		return (answer.Framed || !end.Torn) && r.ends.Believe(w, end, &got)
	}
	defer func() {
		r.decoder.Believe = nil
		r.stats.rows.Add(int64(got.Rows))
		r.group.release()
	}()
	for {
		n, err := r.decoder.Rows(r.group.rows[:])
		switch {
		case err == io.EOF && got.Rows == 0 && !r.decoder.HeaderEnded():
			if r.empty.Believe(w) {
				return got, nil
			}
			return got, r.failed(w, 0, errBareHeader)
		case err == io.EOF:
			r.empty.SawHeader(got.Rows)
			if !got.Ended() {
				r.ends.Proper(w)
			}
			return got, nil
		case err != nil:
			return got, r.failed(w, got.Rows, err)
		case answer.Framed && r.decoder.Torn() && !got.Ended() && !r.ends.BelieveTorn(w, &got):
			return got, r.failed(w, got.Rows, errNoLineEnd)
		}
		got.Add(r.group.rows[:n], w)
		if err := r.group.each(r.identifier, seen, n, take); err != nil {
			return got, err
		}
	}
}

func (r *reader) failed(w plan.Window, rows int, err error) error {
	window := w.Start.Format(time.RFC3339) + " – " + w.End.Format(time.RFC3339)
	if rows == 0 {
		return fmt.Errorf("read window %s: %w", window, err)
	}
	return fmt.Errorf("read window %s after %d rows: %w", window, rows, err)
}

// errBareHeader is an answer that has to come twice, like one without a byte.
var errBareHeader = fmt.Errorf("%w: of a header without a line end, nothing follows it", body.ErrCut)

// errNoLineEnd is an answer that has to come twice, since its last field may be cut.
var errNoLineEnd = fmt.Errorf("%w: the last row has no line end", body.ErrCut)

// header reads what comes before the first row and prepares for the columns.
func (r *reader) header(answer *answer, w plan.Window) error {
	text, err := body.Open(answer, answer.ContentEncoding, answer.ContentType)
	if err != nil {
		return err
	}
	r.decoder.Reset(text, w.End)
	columns, err := r.decoder.Header()
	if err != nil {
		return err
	}
	if !columns.Equal(r.columns) {
		r.columns = columns
		r.newColumns(columns)
	}
	r.identifier.Begin(columns)
	return nil
}

// columnNames are the names of the last answer's columns, nil before the first.
func (r *reader) columnNames() []string {
	if r.columns == nil {
		return nil
	}
	names := make([]string, len(r.columns.Names))
	for i, name := range r.columns.Names {
		names[i] = r.client.Redact(name) // a broken endpoint may repeat anything anywhere
	}
	return names
}

// release forgets the rows: a huge one would be kept in memory by what points to it.
func (g *group) release() {
	for i := range g.rows {
		g.rows[i].Release()
	}
}

// each calls f for the first n rows.
func (g *group) each(x *dedup.Identifier, seen *dedup.Seen, n int, f func(*event.Row, dedup.Identity) error) error {
	for i := range n {
		g.who[i] = x.Identify(&g.rows[i])
	}
	seen.Touch(g.who[:n])
	for i := range n {
		if err := f(&g.rows[i], g.who[i]); err != nil {
			return err
		}
	}
	return nil
}
