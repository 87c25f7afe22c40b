package exporter

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/dedup"
	"github.com/wherobots/in_wherobots_audit/exporter/event"
	"github.com/wherobots/in_wherobots_audit/exporter/handover"
	"github.com/wherobots/in_wherobots_audit/exporter/plan"
)

// digestRun is a collector without an endpoint: rows are forwarded by hand, and the engine takes each batch at once.
type digestRun struct {
	t        *testing.T
	settings map[string]string
	e        *Exporter
	c        *collector
	w        plan.Window // in which all of it happens
}

func newDigestRun(t *testing.T) *digestRun {
	start := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	r := &digestRun{t: t, w: plan.Window{Start: start, End: start.Add(time.Hour)}, settings: map[string]string{
		"endpoint": "https://api.example.com", "api_key": "k", "start_time": start.Format(time.RFC3339),
		"overlap": "2m", "commit_on": "delivery",
		"checkpoint_path": filepath.Join(t.TempDir(), "checkpoint.json"),
	}}
	r.open()
	return r
}

func (r *digestRun) open() {
	cfg, err := config.Parse(func(key string) string { return r.settings[key] })
	require.NoError(r.t, err)
	r.e, err = newExporter(context.Background(), cfg, handover.OnTime, nil, nil, nil)
	require.NoError(r.t, err)
	r.c = r.e.collector
	if r.c.plan == nil {
		require.NoError(r.t, r.c.chooseStart())
	}
	r.c.notices.statuses = nil
	columns, ok := event.NewColumns([]string{"event_id", "event_time", "action_name"})
	require.True(r.t, ok)
	r.c.reader.columns = columns
	r.c.newColumns(columns)
	r.c.reader.identifier.Begin(columns)
}

func (r *digestRun) restart() {
	r.c.finish()
	require.NoError(r.t, r.e.file.Close())
	r.open()
}

// batch hands over a batch of so many events of one minute.
func (r *digestRun) batch(name string, events int, at time.Time) {
	for i := range events {
		row := &event.Row{
			Columns: r.c.reader.columns,
			Fields:  [][]byte{fmt.Appendf(nil, "%s-%d", name, i), []byte(at.Format(time.RFC3339)), []byte("login")},
			Time:    at, ASCII: true,
		}
		in := &asked{r.w, event.SpanOf(r.w.Start, r.w.End), event.Nanos(r.c.plan.Through())}
		who := r.c.reader.identifier.Identify(row)
		require.NoError(r.t, r.c.forward(context.Background(), row, who, event.Nanos(at), in))
	}
	before := r.c.batcher.number
	require.NoError(r.t, r.c.flush(context.Background()))
	if r.c.batcher.number > before {
		r.c.commits.ledger.Free()
		require.NotNil(r.t, r.c.commits.ledger.Next())
		r.c.commits.ledger.Accept()
	}
}

// read hands over the window's 20 batches of 5 events each, but for those that are known, all of one minute.
// delivered of them are at once.
func (r *digestRun) read(delivered int) {
	for i := range 20 {
		r.batch(fmt.Sprint("a", i), 5, r.minute())
		if i == delivered-1 {
			r.c.commits.ledger.Deliver(r.c.batcher.number - 1)
			require.NoError(r.t, r.c.commits.settle())
		}
	}
	r.c.plan.Reset(r.w.End)
	r.c.land(flight{through: r.w.End})
}

func (r *digestRun) minute() time.Time { return r.w.Start.Add(5 * time.Minute) }

// Whatever comes between hand-over and commit, a minute's digest counts each of its events once: else
// reconciliation sends them all again.
func TestDigestsCountEachEventOnce(t *testing.T) {
	for name, between := range map[string]func(*digestRun){
		"nothing":        func(*digestRun) {},
		"a restart":      func(r *digestRun) { r.restart(); r.read(0) },
		"a doubt":        func(r *digestRun) { r.c.revert(10); r.read(0) },
		"a failed write": func(r *digestRun) { r.c.revert(r.c.commits.saved.state.batch); r.read(0) },
		"a long outage and a restart": func(r *digestRun) {
			r.outage()
			r.restart()
			r.read(0)
		},
		"a long outage and a doubt": func(r *digestRun) {
			r.outage()
			r.c.revert(10)
			r.read(0)
		},
		"relief and a doubt": func(r *digestRun) {
			for i := range uint64(maxStandstill + 1) {
				r.c.commits.seen.Mark(dedup.Identity{ID: i * 0x9e3779b97f4a7c15, Content: 1}, r.w.End, r.c.batcher.number)
			}
			r.c.commits.at = time.Now().Add(-time.Hour)
			r.c.commits.relieve(r.c.plan.Through())
			require.Equal(t, maxStandstill+1, r.c.commits.seen.Count, "the window's are forgotten")
			r.c.revert(10)
			r.read(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDigestRun(t)
			r.read(10)
			between(r)
			r.c.commits.ledger.Deliver(r.c.batcher.number - 1)
			require.NoError(t, r.c.commits.settle())
			require.Equal(t, uint32(100), r.c.commits.saved.state.history.Minutes[dedup.MinuteOf(r.minute())].Count)
			require.NoError(t, r.e.file.Close())
		})
	}
}

// outage hands over more batches than flights are remembered, none of which is delivered.
func (r *digestRun) outage() {
	for i := range 2 * maxFlights {
		r.batch(fmt.Sprint("b", i), 1, r.w.End.Add(time.Duration(i)*time.Second))
		r.c.land(flight{through: r.w.End.Add(time.Duration(i) * time.Second)})
		require.NoError(r.t, r.c.commits.settle())
	}
}
