package exporter

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wherobots/in_wherobots_audit/exporter/config"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest"
	"github.com/wherobots/in_wherobots_audit/exporter/exportertest/records"
	"github.com/wherobots/in_wherobots_audit/exporter/msgpack"
	"github.com/wherobots/in_wherobots_audit/exporter/source"
)

// taken is what an export has given.
type taken struct {
	events [][]byte
	said   []string
}

func (h *simHost) tryExport(ctx context.Context, options ExportOptions) (*taken, Exported, error) {
	cfg, err := config.Parse(h.setting)
	require.NoError(h.t, err)
	got := new(taken)
	if options.Each == nil {
		options.Each = func(event []byte) error {
			got.events = append(got.events, slices.Clone(event))
			return nil
		}
	}
	options.Say = func(line string) { got.said = append(got.said, line) }
	options.Progress = func(time.Time) {}
	options.endpoint = h.server.Transport()
	out, err := Export(ctx, cfg, options)
	return got, out, err
}

func (h *simHost) export(from, to time.Time) (*taken, Exported) {
	h.t.Helper()
	got, out, err := h.tryExport(context.Background(), ExportOptions{From: from, To: to})
	require.NoError(h.t, err)
	require.Len(h.t, got.events, out.Events)
	return got, out
}

// ids counts events by event_id, in raw.
func (x *taken) ids(t *testing.T) map[string]int {
	t.Helper()
	times := make(map[string]int)
	for _, event := range x.events {
		id, _ := records.Events(t, event)[0].Record["event_id"].(string)
		times[id]++
	}
	return times
}

func (h *simHost) requireExported(x *taken) {
	h.t.Helper()
	times := x.ids(h.t)
	for _, e := range h.server.Events() {
		require.Equal(h.t, 1, times[e.ID], "%s of %s", e.ID, e.Time)
	}
	require.Len(h.t, times, len(h.server.Events()))
}

// Byte for byte what the plugin hands over, in each schema: bad rows, rows without an id, versions and columns that
// nobody knows too.
func TestAnExportIsWhatThePluginHandsOver(t *testing.T) {
	for _, shape := range allSchemas {
		inBubble(t, map[string]string{"schema": string(shape), "start_time": "-2d"}, func(h *simHost) {
			h.keep = true
			begin := h.now().Add(-2 * day)
			h.server.Add(exportertest.Generate(1, 3000, begin, h.now().Add(-time.Hour))...)
			equal := exportertest.Event{Time: begin.Add(time.Hour), Action: "login", UserName: "a@b"}
			h.server.Add(equal, equal, exportertest.Event{ID: "x", Time: equal.Time, Action: "login"},
				exportertest.Event{ID: "x", Time: equal.Time, Action: "logout"})
			h.server.SetAnswers(func(a *exportertest.Answers) { a.Extra = []string{"severity"} })
			h.start()
			time.Sleep(5 * time.Minute)
			h.shutdown()
			var handed [][]byte
			for _, batch := range h.kept {
				ends, err := msgpack.Ends(batch)
				require.NoError(t, err)
				for i, end := range ends {
					begin := 0
					if i > 0 {
						begin = ends[i-1]
					}
					handed = append(handed, batch[begin:end])
				}
			}
			got, out := h.export(begin, time.Time{})
			require.Greater(t, len(handed), 3000)
			require.Equal(t, handed, got.events)
			require.Empty(t, out.Doubts)
			require.Empty(t, got.said)
			require.True(t, out.Young)
		})
	}
}

// A stretch has its beginning and not its end, so that stretches that follow one another have each event once.
func TestStretchesOfAnExportMeet(t *testing.T) {
	inBubble(t, map[string]string{"checkpoint_path": "/nowhere/at/all"}, func(h *simHost) {
		edge := h.now().Add(-time.Hour).Truncate(time.Second)
		h.happen(600)
		h.server.Add(exportertest.Event{ID: "edge", Time: edge, Action: "login"},
			exportertest.Event{ID: "past the edge", Time: edge.Add(300 * time.Millisecond), Action: "login"})
		a, out := h.export(edge.Add(-time.Hour), edge)
		require.False(t, out.Young)
		require.Empty(t, a.events)
		b, _ := h.export(edge, h.now())
		a.events = append(a.events, b.events...)
		h.requireExported(a)
		_, _, err := h.tryExport(context.Background(), ExportOptions{From: edge, To: edge})
		require.ErrorContains(t, err, "there is nothing to export")
	})
}

// Silent limits are found, what they cut off before is read again, and nothing comes twice.
func TestAnExportFindsSilentLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limit  int
		newest bool
		count  string
	}{
		"round":         {1000, false, "off"},
		"not round":     {1037, true, "off"},
		"with a count":  {1037, false, "auto"},
		"not round old": {1037, false, "off"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"count_check": c.count}, func(h *simHost) {
				h.server.Add(exportertest.Generate(1, 20_000, h.now().Add(-6*day), h.now().Add(-time.Minute))...)
				h.limitSilently(c.limit, c.newest)
				got, out := h.export(h.now().Add(-6*day), time.Time{})
				h.requireExported(got)
				require.Empty(t, out.Doubts)
				require.Contains(t, got.said[0], "and does not say so")
			})
		})
	}
}

func TestAnExportSaysWhatItDoubts(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(300)
		time.Sleep(20 * time.Minute)
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off = 3 })
		_, out := h.export(h.now().Add(-2*time.Hour), h.now().Add(-time.Minute))
		require.Len(t, out.Doubts, 1)
		require.Contains(t, out.Doubts[0], "the endpoint counts more events than it exports")
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Count.Off = 0 })
		_, out = h.export(h.now().Add(-100*day), time.Time{})
		require.Len(t, out.Doubts, 1)
		require.Contains(t, out.Doubts[0], "is gone")
		_, out = h.export(h.now().Add(-90*day), time.Time{})
		require.Empty(t, out.Doubts, "-90d is all there is")

		h.limitSilently(200, false)
		h.crowd(300, h.now().Add(-20*time.Minute).Truncate(time.Second), 0)
		_, out = h.export(h.now().Add(-2*time.Hour), time.Time{})
		require.NotEmpty(t, out.Doubts)
		require.Contains(t, out.Doubts[0], "more events happened at one instant")
	})
}

// However quickly windows follow one another, each is compared with the endpoint's count: it is read once only.
func TestEachWindowOfAnExportIsCounted(t *testing.T) {
	inBubble(t, map[string]string{"max_window": "24h"}, func(h *simHost) {
		const days = 6
		until := h.now().Add(-time.Hour)
		h.server.Add(exportertest.Generate(1, 100*days, until.Add(-days*day), until)...)
		_, out := h.export(until.Add(-days*day), until)
		require.Empty(t, out.Doubts)
		counts := 0
		for _, r := range h.server.Requests() {
			if r.Path == source.CountPath {
				counts++
			}
		}
		require.Equal(t, days, counts)
	})
}

func TestAnExportThatFails(t *testing.T) {
	inBubble(t, nil, func(h *simHost) {
		h.happen(3000)
		from := h.now().Add(-2 * time.Hour)
		h.server.Fail(exportertest.Fault{Status: 503}, exportertest.Fault{}, exportertest.Fault{CutAfter: 100_000},
			exportertest.Fault{Status: 502})
		got, _ := h.export(from, time.Time{})
		h.requireExported(got)
		require.Len(t, got.said, 3)
		require.Contains(t, got.said[0], "503")

		h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{CutAfter: 1000} })
		_, out, err := h.tryExport(context.Background(), ExportOptions{From: from})
		require.True(t, IsCut(err), "%v", err)
		require.False(t, IsRefused(err))
		require.True(t, from.Truncate(time.Second).Equal(out.Through))
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{Status: 503} })
		_, _, err = h.tryExport(context.Background(), ExportOptions{From: from})
		require.ErrorContains(t, err, "503")
		require.False(t, IsCut(err) || IsRefused(err))
		h.server.SetAnswers(func(a *exportertest.Answers) { a.Fault = exportertest.Fault{} })

		full, taken := errors.New("the pipe is closed"), 0
		_, _, err = h.tryExport(context.Background(), ExportOptions{From: from, Each: func([]byte) error {
			taken++
			return full
		}})
		require.ErrorIs(t, err, full)
		require.Equal(t, 1, taken, "nobody tries again")

		h.server.SetCredentials("another key", "")
		before := len(h.exports())
		_, _, err = h.tryExport(context.Background(), ExportOptions{From: from})
		require.True(t, IsRefused(err), "%v", err)
		require.NotContains(t, err.Error(), `"key"`)
		require.Equal(t, 1, len(h.exports())-before, "a person must act")
	})
}

// Polls overlap; what appears late comes, each event_id once, also with other content, and failures end nothing.
func TestAnExportIsFollowed(t *testing.T) {
	inBubble(t, map[string]string{"poll_interval": "5s", "retry_max_interval": "20s"}, func(h *simHost) {
		ctx, cancel := context.WithCancel(context.Background())
		var got *taken
		var err error
		ended := make(chan struct{})
		from := h.now().Add(-time.Hour)
		h.happen(50)
		go func() {
			defer close(ended)
			got, _, err = h.tryExport(ctx, ExportOptions{From: from, Follow: true})
		}()
		for i := range 40 {
			h.happen(3)
			h.happenLate(1, 9*time.Minute)
			if i == 20 {
				h.server.Fail(exportertest.Fault{Status: 503}.Times(12)...)
			}
			time.Sleep(time.Minute)
		}
		h.server.Add(exportertest.Event{ID: h.server.Events()[len(h.server.Events())-1].ID, Time: h.now(), Action: "x"})
		time.Sleep(11 * time.Minute)
		cancel()
		<-ended
		require.ErrorIs(t, err, context.Canceled)
		times := got.ids(t)
		for _, e := range h.server.Events() {
			require.Equal(t, 1, times[e.ID], "%s of %s", e.ID, e.Time)
		}
		require.GreaterOrEqual(t, len(got.said), 12)
	})
}
