package probe

import (
	"context"
	"crypto/tls"
	"io"
	"net/http/httptrace"
	"time"

	"github.com/wherobots/in_wherobots_audit/checkpoint"
	"github.com/wherobots/in_wherobots_audit/exporter/body"
	"github.com/wherobots/in_wherobots_audit/exporter/csv"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// traced is what is seen of the connection.
type traced struct {
	address   string // that was connected to: the endpoint's or a proxy's
	handshake *tls.ConnectionState
}

// reading is what one answer had.
type reading struct {
	start, end time.Time
	columns    *event.Columns
	rows, bad  int
	ids        map[dedup.Identity]time.Time // of each event, its event_time
	newest     time.Time
	date       time.Time     // the server's
	skew       time.Duration // the server's clock less this machine's; 0 when it sends no date
	took       time.Duration
	more       bool // headers promise more rows
}

// decoding is what reads rows.
type decoding struct {
	decoder    *csv.Decoder
	identifier *dedup.Identifier
}

func newRows() decoding {
	return decoding{csv.New(), dedup.NewIdentifier(checkpoint.NewKey())}
}

// asker asks the endpoint.
type asker struct {
	client *source.Client
	row    decoding
	trace  traced
}

// read asks for a stretch and reads the whole answer.
func (a *asker) read(ctx context.Context, start, end time.Time) (got reading, err error) {
	got = reading{start: start, end: end, ids: make(map[dedup.Identity]time.Time)}
	asked := time.Now()
	defer func() { got.took = time.Since(asked) }()
	answer, err := a.client.Open(httptrace.WithClientTrace(ctx, a.tracer()), start, end)
	if err != nil {
		got.dated(source.DateOf(err), asked)
		return got, err
	}
	defer answer.Body.Close()
	got.dated(answer.Date, asked)
	text, err := body.Open(answer.Body, answer.ContentEncoding, answer.ContentType)
	if err != nil {
		return got, err
	}
	a.row.decoder.Reset(text, end)
	if got.columns, err = a.row.decoder.Header(); err != nil {
		return got, err
	}
	a.row.identifier.Begin(got.columns)
	for rows := make([]event.Row, 16); ; {
		n, err := a.row.decoder.Rows(rows)
		if err == io.EOF {
			got.more = answer.Paging.More(got.rows)
			return got, nil
		}
		if err != nil {
			return got, err
		}
		for i := range rows[:n] {
			got.add(&rows[i], a.row.identifier)
		}
	}
}

func (got *reading) add(row *event.Row, identifier *dedup.Identifier) {
	got.rows++
	if row.Bad != "" {
		got.bad++
	}
	got.ids[identifier.Identify(row)] = row.Time
	if row.Time.After(got.newest) {
		got.newest = row.Time
	}
}

// dated compares the clocks. A date has whole seconds, so that half of one is added.
func (got *reading) dated(date, asked time.Time) {
	if got.date = date; !date.IsZero() {
		here := asked.Add(time.Since(asked) / 2)
		got.skew = date.Add(time.Second / 2).Sub(here)
	}
}

func (a *asker) tracer() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		ConnectDone: func(_, address string, err error) {
			if err == nil {
				a.trace.address = address
			}
		},
		TLSHandshakeDone: func(state tls.ConnectionState, _ error) {
			if len(state.PeerCertificates) > 0 {
				a.trace.handshake = &state
			}
		},
	}
}
